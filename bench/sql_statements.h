// Typical statements, for the benchmarks of parsing, describing and rewriting (sql_bench, rewrite_bench).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "systems/postgres/catalogue/testing.h"

namespace sluice::bench {

struct Statement {
  std::string name;
  std::string sql;
};

// A database of the size of a small application: the documents, and 200 tables that nobody asks for.
inline std::shared_ptr<const postgres::Catalogue> database() {
  std::string text = R"(
    public.docs(id int8 pk, tenant text, title text, body text, email text, ssn text, note jsonb, embedding vector(768))
    index public.docs hnsw(embedding)
    public.tenants(name text pk, plan text, owner text)
)";
  for (int i = 0; i < 200; ++i)
    text += fmt::format("    public.other_{}(id int8 pk, name text, value int4, at timestamptz)\n", i);
  auto contents = postgres::testing::catalogue(text)->contents();
  for (auto& relation : contents.relations) relation.row_estimate = 1'000'000;
  return postgres::Catalogue::make(std::move(contents));
}

inline std::vector<Statement> statements() {
  std::string vector = "[0.0123456";  // of 8 KB, as clients write floats
  for (int i = 1; i < 768; ++i) vector += fmt::format(",{:.7f}", 0.001 * i - 0.3);
  vector += "]";
  std::string list;
  for (int i = 0; i < 300; ++i) list += fmt::format("{}{}", i == 0 ? "" : ", ", 1000 + i);
  return {
      {"point_select", "SELECT id, title FROM docs WHERE id = $1"},
      {"knn_parameter", "SELECT id, title FROM docs ORDER BY embedding <=> $1 LIMIT 10"},
      {"knn_with_distance",
       "SELECT id, title, embedding <=> $1 AS distance FROM docs ORDER BY distance LIMIT 10"},
      {"knn_literal_768",
       fmt::format("SELECT id, title FROM docs ORDER BY embedding <=> '{}' LIMIT 10", vector)},
      {"join",
       "SELECT d.id, d.title, t.plan FROM docs d JOIN tenants t ON t.name = d.tenant "
       "WHERE t.plan = 'gold' AND d.title LIKE 'a%' ORDER BY d.id LIMIT 20"},
      {"in_300", fmt::format("SELECT id, title FROM docs WHERE id IN ({})", list)},
      {"psql_d",
       "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c "
       "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
       "WHERE c.relname OPERATOR(pg_catalog.~) '^(docs)$' COLLATE pg_catalog.default "
       "AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3"},
  };
}

}  // namespace sluice::bench
