// The cases of testdata/describe: a statement, and below it the whole of what describe() says about it. A
// line too many or too few in either fails. testdata/describe/README.md explains the notation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/encoding.h"
#include "systems/postgres/catalogue/testing.h"
#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/settings.h"

namespace sluice::postgres {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder{SLUICE_SOURCE_DIR "/src/systems/postgres/testdata/describe"};

std::string read_file(const fs::path& path) {
  std::ifstream in{path};
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Case {
  int line = 0;
  std::vector<std::string> comments;
  std::vector<std::string> directives;
  std::string statement;
  std::string expected;
};

std::vector<Case> read_cases(const std::string& text) {
  std::vector<Case> cases;
  std::istringstream in{text};
  Case current;
  int line_number = 0;
  const auto finish = [&] {
    if (!current.statement.empty() || !current.directives.empty()) cases.push_back(std::move(current));
    current = {};
  };
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    if (line.empty()) {
      finish();
    } else if (line.starts_with('#')) {
      current.comments.push_back(line);
    } else if (line.starts_with('@')) {
      current.directives.push_back(line.substr(1));
    } else if (line.starts_with("  ")) {
      current.expected.append(line.substr(2)).push_back('\n');
    } else {
      if (current.statement.empty()) current.line = line_number;
      if (!current.statement.empty()) current.statement.push_back('\n');
      current.statement.append(line);
    }
  }
  finish();
  return cases;
}

// What the directives of a case set up.
class Setting final : public StatementNames, public VouchedFunctions {
 public:
  explicit Setting(const std::vector<std::string>& directives) {
    path_ = {"public"};
    for (const auto& directive : directives) {
      std::istringstream words{directive};
      std::string word;
      words >> word;
      if (word == "path") {
        path_.clear();
        for (std::string schema; words >> schema;) path_.push_back(schema);
      } else if (word == "parameter") {
        add_parameter(words);
      } else if (word == "vouch") {
        std::string name;
        words >> name;
        vouched_.push_back(name);
      } else if (word == "prepared" || word == "cursor") {
        std::string name;
        std::string sql;
        words >> name;
        std::getline(words, sql);
        auto parsed = sql::parse(sql);
        EXPECT_TRUE(parsed) << directive;
        if (parsed) (word == "cursor" ? cursors_ : prepared_).emplace(name, std::move(*parsed));
      } else {
        ADD_FAILURE() << "unknown directive " << directive;
      }
    }
  }

  DescribeContext context(const Catalogue& catalogue) {
    return {.catalogue = catalogue,
            .search_path = path_,
            .parameters = parameters_,
            .names = this,
            .vouched = this};
  }

  std::optional<NamedStatement> prepared(std::string_view name) const override {
    return find(prepared_, name);
  }
  std::optional<NamedStatement> cursor(std::string_view name) const override { return find(cursors_, name); }
  bool contains(std::string_view schema, std::string_view name) const override {
    return std::ranges::find(vouched_, fmt::format("{}.{}", schema, name)) != vouched_.end();
  }

 private:
  using Texts = std::map<std::string, sql::ParsedSql, std::less<>>;

  void add_parameter(std::istringstream& words) {
    std::string state;
    std::string type;
    std::string bytes;
    words >> state >> type >> bytes;
    const std::map<std::string, Oid> types = {{"int2", 21},   {"int4", 23},    {"int8", 20},
                                              {"char", 18},   {"text", 25},    {"float8", 701},
                                              {"untyped", 0}, {"int4[]", 1007}};
    Parameter parameter;
    if (!type.empty()) parameter.type = types.at(type);
    if (state == "null") parameter.state = Parameter::State::null;
    if (state == "text") parameter.state = Parameter::State::text;
    if (state == "binary") {
      parameter.state = Parameter::State::binary;
      const auto decoded = from_hex(bytes).value();
      bytes.assign(decoded.begin(), decoded.end());
    }
    values_.push_back(std::make_unique<std::string>(bytes));
    parameter.bytes = *values_.back();
    parameters_.push_back(parameter);
  }

  static std::optional<NamedStatement> find(const Texts& texts, std::string_view name) {
    const auto at = texts.find(name);
    if (at == texts.end()) return std::nullopt;
    const auto& statement = at->second.statements().front();
    return NamedStatement{statement.body, statement.unknowns, {}};
  }

  std::vector<std::string> path_;
  std::vector<Parameter> parameters_;
  std::vector<std::unique_ptr<std::string>> values_;
  std::vector<std::string> vouched_;
  Texts prepared_;
  Texts cursors_;
};

// --- an operation in the notation of the cases

std::string access_text(Access access) {
  std::string out;
  const auto add = [&](Access bit, std::string_view name) {
    if (has(access, bit)) out.append(out.empty() ? "" : "+").append(name);
  };
  add(Access::read, "read");
  add(Access::write, "write");
  add(Access::define, "define");
  return out.empty() ? "named" : out;
}

std::string collection_text(const CollectionUse& use) {
  auto out = fmt::format("collection: {} {}", use.name, access_text(use.access));
  if (use.all_fields) {
    out.append(" out(*)");
  } else if (!use.output_fields.empty()) {
    out.append(fmt::format(" out({})", fmt::join(use.output_fields, ", ")));
  }
  if (!use.tested_fields.empty()) out.append(fmt::format(" tested({})", fmt::join(use.tested_fields, ", ")));
  return out;
}

std::string search_text(const VectorSearch& search) {
  auto out = fmt::format("search: {} {}{}{}", search.metric, search.collection,
                         search.collection.empty() ? "" : ".", search.field);
  if (search.dimension) out.append(fmt::format(" dimension({})", *search.dimension));
  if (search.query_digest) out.append(" digest");
  if (search.returns_score) out.append(" score");
  return out;
}

std::string setting_text(const SettingChanges::Change& change) {
  auto out = fmt::format("setting: {}{}", change.local ? "local " : "", change.name);
  return change.reset ? out + " reset" : fmt::format("{} = {}", out, change.value);
}

std::string describe_text(const Operation& operation, const SettingChanges& settings) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("verb: {}", to_string(operation.verb)));
  if (!operation.unknown_reason.empty()) lines.push_back("because: " + operation.unknown_reason);
  std::vector<std::string_view> also;
  for (const auto verb : operation.also) also.push_back(to_string(verb));
  if (!also.empty()) lines.push_back(fmt::format("also: {}", fmt::join(also, " ")));
  const auto records = operation.records.from_parameter ? std::string{"by parameter"}
                       : !operation.records.max         ? std::string{"unbounded"}
                                                        : std::to_string(*operation.records.max);
  if (records != "0" && operation.verb != Verb::unknown) lines.push_back("records: " + records);
  if (operation.verb != Verb::unknown) {
    if (operation.rows_hold_many) {
      lines.emplace_back("rows: hold many");
    } else if (operation.records_per_row > 1) {
      lines.push_back(fmt::format("rows: hold {}", operation.records_per_row));
    }
  }
  for (const auto& use : operation.collections) lines.push_back(collection_text(use));
  for (const auto& search : operation.searches) lines.push_back(search_text(search));
  if (operation.returns_vectors) lines.emplace_back("returns: vectors");
  if (operation.returns_scores) lines.emplace_back("returns: scores");
  for (const auto& change : settings.changes) lines.push_back(setting_text(change));
  if (settings.computed) lines.emplace_back("setting: cannot be followed");
  if (settings.is_call) lines.emplace_back("setting: and nothing else");
  if (settings.looks_at_pg_settings) lines.emplace_back("setting: where pg_settings has it");
  for (const auto& function : operation.functions) lines.push_back("calls: " + function);
  std::string out;
  for (const auto& line : lines) out.append(line).push_back('\n');
  return out;
}

std::string actual(const Case& each, const Catalogue& catalogue) {
  auto parsed = sql::parse(each.statement);
  if (!parsed) return fmt::format("does not parse: {}\n", parsed.error().message);
  if (parsed->statements().size() != 1) return "is not one statement\n";
  Setting setting{each.directives};
  const auto& statement = parsed->statements().front();
  return describe_text(describe(statement, setting.context(catalogue)), setting_changes(*statement.body));
}

const Catalogue& case_catalogue() {
  static const auto catalogue = testing::catalogue(read_file(kFolder / "catalogue.txt"));
  return *catalogue;
}

// SLUICE_CASES_ACTUAL=<folder> writes the files as they would have to be, to be read before they are
// believed.
void write_actual(const fs::path& file, const std::vector<Case>& cases) {
  const auto* folder = std::getenv("SLUICE_CASES_ACTUAL");
  if (folder == nullptr) return;
  std::ofstream out{fs::path{folder} / file.filename()};
  for (const auto& each : cases) {
    for (const auto& comment : each.comments) out << comment << '\n';
    for (const auto& directive : each.directives) out << '@' << directive << '\n';
    out << each.statement << '\n';
    std::istringstream lines{actual(each, case_catalogue())};
    for (std::string line; std::getline(lines, line);) out << "  " << line << '\n';
    out << '\n';
  }
}

std::vector<std::string> case_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{kFolder}) {
    if (entry.path().extension() == ".case") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class DescribeCases : public ::testing::TestWithParam<std::string> {};

TEST_P(DescribeCases, AreDescribedAsExpected) {
  const auto file = kFolder / (GetParam() + ".case");
  const auto cases = read_cases(read_file(file));
  ASSERT_FALSE(cases.empty());
  write_actual(file, cases);
  for (const auto& each : cases) {
    EXPECT_EQ(actual(each, case_catalogue()), each.expected)
        << file.filename().string() << ":" << each.line << "\n"
        << each.statement;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, DescribeCases, ::testing::ValuesIn(case_files()),
                         [](const auto& info) { return info.param; });

TEST(DescribeCases, NoStatementStandsTwice) {
  std::map<std::string, std::string> seen;
  for (const auto& name : case_files()) {
    for (const auto& each : read_cases(read_file(kFolder / (name + ".case")))) {
      const auto key = fmt::format("{}\n{}", fmt::join(each.directives, "\n"), each.statement);
      const auto place = fmt::format("{}:{}", name, each.line);
      const auto [at, added] = seen.emplace(key, place);
      EXPECT_TRUE(added) << place << " repeats " << at->second;
    }
  }
}

}  // namespace
}  // namespace sluice::postgres
