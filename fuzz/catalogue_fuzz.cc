// What a hostile server answers to the catalogue queries, and then whatever is done with a catalogue: masks
// are compiled for it, statements are described and rewritten against it. The input is the answers, one a
// page: fields with a tab between them (`\N` is null), a row a line, a form feed between answers. It begins
// with a letter: s where the loader runs inside an open transaction, anything else where it opens its own.
//
// Whatever circles are in a catalogue that is taken, all that is asked of it ends, with an answer or a
// refusal (of names that are no UTF-8, say, which the rewriter's last look finds).
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "systems/postgres/catalogue/loader.h"
#include "systems/postgres/describe/describe.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace {

using namespace sluice;
using namespace sluice::postgres;

// What is before the separator, which goes too; all of it where there is none.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return taken;
}

std::shared_ptr<const Catalogue> load(std::string_view answers) {
  const bool surrounding = !answers.empty() && answers.front() == 's';
  if (!answers.empty()) answers.remove_prefix(1);
  Loader loader{surrounding ? Loader::Transaction::surrounding : Loader::Transaction::own};
  std::vector<std::optional<std::string>> fields;
  while (loader.next_query()) {
    auto answer = take_until(answers, '\f');
    while (!answer.empty()) {
      auto row = take_until(answer, '\n');
      fields.clear();
      while (!row.empty()) {
        const auto field = take_until(row, '\t');
        fields.push_back(field == "\\N" ? std::nullopt : std::optional<std::string>{field});
      }
      if (!loader.add_row(fields)) return nullptr;
    }
    if (!loader.end_reply()) return nullptr;
  }
  auto loaded = loader.finish();
  return loaded ? Catalogue::make(std::move(*loaded)) : nullptr;
}

const MaskSet& masks() {
  static const MaskSet set = [] {
    MaskSet made;
    made.id = 1;
    const auto hide = [&](const char* field, Mask mask) {
      made.fields.push_back({.collection = "*", .field = field, .mask = mask, .constant = "1", .rule = "r"});
    };
    hide("email", Mask::redact);
    hide("salary", Mask::constant);
    hide("k", Mask::remove);
    hide("c.inner", Mask::redact);
    made.vectors.push_back({.collection = "*", .scores = Scores::keep, .rule = "r"});
    return made;
  }();
  return set;
}

constexpr const char* kStatements[] = {
    "SELECT * FROM docs",
    "SELECT d, d.email, upper(d.note ->> 'k') FROM ONLY docs d JOIN docs_v v USING (id) ORDER BY salary",
    "SELECT id FROM docs ORDER BY embedding <=> '[1,2,3]' LIMIT 5",
    "SELECT id FROM docs WHERE id = 1 AND low = 'x'",
    "SELECT f_email(id), 'x'::dd, ARRAY['x']::mood[] FROM docs_1 GROUP BY id",
    "INSERT INTO docs (email, low) SELECT email, low FROM docs_v ON CONFLICT (id) DO NOTHING RETURNING *",
    "WITH x AS (SELECT row_to_json(docs) AS j FROM docs) SELECT json_agg(j) FROM x",
    "COPY docs TO STDOUT",
    "DROP TABLE docs",
};

const std::vector<sql::ParsedSql>& statements() {
  static const std::vector<sql::ParsedSql> parsed = [] {
    std::vector<sql::ParsedSql> all;
    for (const char* text : kStatements) all.push_back(std::move(*sql::parse(text)));
    return all;
  }();
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  initialise_crypto();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto catalogue = load({reinterpret_cast<const char*>(data), size});
  if (!catalogue) return 0;
  for (const auto& relation : catalogue->contents().relations) {
    if (catalogue->relation(relation.oid) != &relation) std::abort();
    (void)catalogue->family(relation.oid);
    (void)catalogue->lineage(relation.oid);
    for (const auto& column : relation.columns) {
      (void)catalogue->base_type(column.type);
      (void)catalogue->type_name(column.type);
    }
  }
  const auto plan = rewrite::MaskPlan::compile(*catalogue, masks());
  const auto& path = catalogue->contents().default_search_path;
  for (const auto& text : statements()) {
    const auto& statement = text.statements()[0];
    (void)describe(statement, {.catalogue = *catalogue, .search_path = path});
    (void)rewrite::rewrite({.statement = statement,
                            .catalogue = *catalogue,
                            .search_path = path,
                            .plan = *plan,
                            .fresh = true,
                            .clamp = std::nullopt,
                            .keys = {},
                            .vouch = {}});
  }
  return 0;
}
