// On definitions as servers of two versions store them (testdata/lineage, made from the views of views.sql).
#include "systems/postgres/catalogue/lineage.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace sluice::postgres {
namespace {

using ::testing::HasSubstr;

struct Server {
  struct Relation {
    std::string name;
    std::vector<std::string> columns;
  };
  std::map<std::uint32_t, Relation> relations;
  std::map<std::string, std::string> trees;

  explicit Server(std::string_view file) {
    std::ifstream in{std::filesystem::path{SLUICE_SOURCE_DIR "/src/systems/postgres/testdata/lineage"} /
                     file};
    EXPECT_TRUE(in) << file;
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields{line};
      std::string kind;
      std::string oid;
      std::string name;
      std::string rest;
      std::getline(fields, kind, '\t');
      std::getline(fields, oid, '\t');
      std::getline(fields, name, '\t');
      std::getline(fields, rest);
      if (kind == "view") {
        trees[name] = rest;
        continue;
      }
      Relation& made = relations[static_cast<std::uint32_t>(std::stoul(oid))];
      made.name = name;
      std::istringstream columns{rest};
      for (std::string column; columns >> column;) made.columns.push_back(column);
    }
  }

  std::string name(const ColumnOrigin& of) const {
    auto found = relations.find(of.relation);
    if (found == relations.end()) return fmt::format("{}.{}", of.relation, of.attnum);
    if (of.attnum < 1) return fmt::format("{}.{}", found->second.name, of.attnum);
    return found->second.name + "." + found->second.columns.at(static_cast<std::size_t>(of.attnum) - 1);
  }
  std::string columns(const std::vector<ViewColumn>& all) const {
    std::string text;
    for (const ViewColumn& column : all) {
      text += text.empty() ? "" : " ";
      text += column.bare ? "=" : "~";
      for (std::size_t i = 0; i < column.origins.size(); ++i)
        text += (i == 0 ? "" : ",") + name(column.origins[i]);
    }
    return text;
  }

  // "=docs.id ~docs.email,docs.title | docs.tenant (a condition) | always ~docs.salary"
  std::string lineage(const std::string& view) const {
    const ViewLineage read = read_lineage(trees.at(view));
    if (!read.problem.empty()) return "not understood: " + read.problem;
    std::string text = columns(read.columns);
    for (const RowOrigin& row : read.rows)
      text += fmt::format(" | {} ({})", name(row.origin), explain(row.use));
    if (!read.always_read.empty()) text += " | always " + columns(read.always_read);
    return text;
  }
};

void expect_what_all_servers_say(const Server& server) {
  const auto is = [&](const std::string& view, std::string_view expected) {
    EXPECT_EQ(server.lineage(view), expected) << view;
  };
  is("bare", "=docs.id =docs.email =docs.title");
  is("of_view", "=bare.contact ~bare.title ~");
  is("expressions",
     "=docs.id ~docs.email ~docs.salary ~docs.title,docs.email ~docs.tenant,docs.email ~docs.0 "
     "~docs.id,people.doc,people.mail ~docs.email");
  is("using_full",
     "~docs.id,people.id =docs.tenant =docs.title =docs.email =docs.salary =docs.meta =docs.embedding "
     "=people.doc "
     "=people.mail =people.age | docs.id (a condition) | people.id (a condition)");
  is("sub_select", "=docs.id =docs.email ~docs.salary");
  is("with_computed", "=docs.id | always =docs.id ~docs.salary");
  is("recursive_q", "~ ~ | docs.id (a recursive query) | docs.tenant (a recursive query)");
  is("all_of_both",
     "=docs.id,people.id =docs.email,people.mail | always =docs.id =docs.email =people.id =people.mail");
  is("grouped", "=docs.tenant ~ ~docs.salary | docs.tenant (GROUP BY)");
  is("windowed_open", "=docs.id ~ ~docs.email | docs.id (a window) | docs.tenant (a window)");
  is("in_domain", "=docs.id ~docs.title");
  is("quoted", "=docs.id =docs.email");
  is("sampled", "not understood: its definition has TABLESAMPLECLAUSE");
}

TEST(Lineage, ReadsWhatPostgres18Stores) {
  const Server server("pg18.txt");
  expect_what_all_servers_say(server);
  const auto is = [&](const std::string& view, std::string_view expected) {
    EXPECT_EQ(server.lineage(view), expected) << view;
  };
  is("filtered", "=docs.id =docs.title | docs.email (a condition)");
  is("joined",
     "=docs.id =people.mail =docs.email =docs.title | docs.id (a condition) | docs.tenant (a condition) | "
     "people.doc (a condition)");
  is("with_query", "=docs.id =docs.email | always =docs.id =docs.email");
  is("distinct_both",
     "=docs.id,people.id =docs.email,people.mail | docs.id (a set operation that compares rows) | "
     "docs.email (a set operation that compares rows) | people.id (a set operation that compares rows) | "
     "people.mail (a set operation that compares rows) | always =docs.id =docs.email =people.id "
     "=people.mail");
  is("distinct_q",
     "=docs.tenant =docs.email | docs.tenant (DISTINCT) | docs.email (DISTINCT) | always =docs.tenant "
     "=docs.email");
  is("distinct_on",
     "=docs.tenant =docs.email =docs.id | docs.id (ORDER BY or LIMIT) | docs.tenant (DISTINCT) | "
     "docs.tenant (ORDER BY or LIMIT) | always =docs.tenant =docs.email =docs.id");
  is("grouped_masked", "=docs.email ~ | docs.email (GROUP BY)");
  is("grouped_sets",
     "=docs.tenant =docs.title ~ ~docs.tenant | docs.tenant (GROUP BY) | docs.title (GROUP BY)");
  is("having_q", "=docs.tenant | docs.tenant (GROUP BY) | docs.salary (a condition)");
  is("ordered", "=docs.id =docs.title | docs.salary (ORDER BY or LIMIT)");
  is("limited", "=docs.id =docs.title =docs.email | docs.id (ORDER BY or LIMIT)");
  is("windowed", "=docs.id ~ | docs.salary (a window)");
  is("set_returning", "=docs.id ~docs.embedding | docs.embedding (a function that returns rows)");
  is("lateral_f", "=docs.id ~ | docs.meta (a function that returns rows)");
  is("lateral_s",
     "=docs.id =people.mail | docs.id (a condition) | docs.salary (a condition) | "
     "people.doc (a condition) | people.age (a condition)");
  is("values_q", "~ ~");
  is("system_column", "~docs.-1 =docs.id");
  is("catalogue", "=1259.2 =2615.2 | 1259.3 (a condition) | 2615.1 (a condition)");
  is("exists_q", "=docs.id =docs.title | docs.email (a condition) | people.mail (a condition)");
  is("xml_q", "~docs.id,docs.email =docs.id");
  is("stored", "=docs.id =docs.email ~docs.email");
  is("barrier", "=docs.id =docs.email | docs.tenant (a condition)");
  is("nested", "=docs.id =docs.email | docs.id (a condition) | people.id (a condition)");
  is("joined_alias", "=docs.id =docs.tenant | docs.id (a condition) | people.doc (a condition)");
  is("intersected",
     "=docs.id,people.id | docs.id (a set operation that compares rows) | "
     "people.id (a set operation that compares rows) | always =docs.id =people.id");
  is("rows_from", "~ ~");
}

TEST(Lineage, ReadsWhatPostgres15Stores) {
  expect_what_all_servers_say(Server("pg15.txt"));
}

TEST(Lineage, TellsWhatTypesAndFunctionsAreUsed) {
  const Server server("pg18.txt");
  EXPECT_EQ(read_lineage(server.trees.at("in_domain")).types.size(), 1u);
  const ViewLineage computed = read_lineage(server.trees.at("expressions"));
  EXPECT_THAT(computed.columns[1].functions, ::testing::ElementsAre(870)) << "lower";
  EXPECT_THAT(computed.columns[2].functions, ::testing::ElementsAre(177)) << "int4pl";
  EXPECT_TRUE(computed.columns[0].functions.empty());
}

std::string problem(std::string_view tree) {
  return read_lineage(tree).problem;
}

TEST(Lineage, WhatIsNotKnownIsNotUnderstood) {
  const std::string tree = Server("pg18.txt").trees.at("expressions");
  ASSERT_EQ(problem(tree), "");
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string changed = tree;
    const auto at = changed.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return problem(changed.replace(at, what.size(), instead));
  };
  EXPECT_THAT(with("{FUNCEXPR", "{NEWEXPR"), HasSubstr("has NEWEXPR"));
  EXPECT_THAT(with(":commandType 1", ":commandType 3"), HasSubstr("not a SELECT"));
  EXPECT_THAT(with(":varno 1", ":varno 9"), HasSubstr("relation that it does not have"));
  EXPECT_THAT(with(":varno 1", ":varno x"), HasSubstr("column that is not understood"));
  EXPECT_THAT(with(":varlevelsup 0", ":varlevelsup 3"), HasSubstr("query that it does not have"));
  EXPECT_THAT(with(":rtekind 0", ":rtekind 7"), HasSubstr("source that is not understood"));
  EXPECT_THAT(with(":rtekind 0", ":rtekind 77"), HasSubstr("source that is not understood"));
  EXPECT_THAT(with(":resno 2", ":resno 3"), HasSubstr("out of order"));
  EXPECT_THAT(problem(""), HasSubstr("not a tree"));
  EXPECT_THAT(problem("<>"), HasSubstr("not one query"));
  EXPECT_THAT(problem("({QUERY} {QUERY})"), HasSubstr("not one query"));
}

// Trees that no server stores, and that a hostile one may answer.
TEST(Lineage, HostileTreesEnd) {
  // A WITH query that reads itself without saying that it is recursive.
  const std::string itself =
      "({QUERY :commandType 1 :cteList ({COMMONTABLEEXPR :ctename w :ctequery {QUERY :commandType 1 :rtable "
      "({RANGETBLENTRY :rtekind 6 :ctename w :ctelevelsup 1}) :targetList ({TARGETENTRY :expr {VAR :varno 1 "
      ":varattno 1 "
      ":varlevelsup 0} :resno 1})}})})";
  EXPECT_THAT(problem(itself), HasSubstr("reads itself"));
  // A join whose column is its own.
  const std::string join =
      "({QUERY :commandType 1 :rtable ({RANGETBLENTRY :rtekind 2 :joinaliasvars ({VAR :varno 1 :varattno 1 "
      ":varlevelsup 0})}) :targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1 :varlevelsup 0} :resno "
      "1})})";
  EXPECT_THAT(problem(join), HasSubstr("too deep"));
  // Joins that each name the next twice.
  std::string doubling = "({QUERY :commandType 1 :rtable (";
  for (int i = 1; i <= 40; ++i) {
    const std::string next = i == 40 ? std::string("{CONST :constvalue <>}")
                                     : fmt::format("{{VAR :varno {} :varattno 1 :varlevelsup 0}}", i + 1);
    doubling +=
        fmt::format("{{RANGETBLENTRY :rtekind 2 :joinaliasvars ({{COALESCE :args ({} {})}})}}", next, next);
  }
  doubling += ") :targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1 :varlevelsup 0} :resno 1})})";
  EXPECT_THAT(problem(doubling), HasSubstr("too many columns"));
}

}  // namespace
}  // namespace sluice::postgres
