#include "systems/postgres/describe/describe.h"

#include <algorithm>

#include "systems/postgres/describe/bounds.h"
#include "systems/postgres/describe/constants.h"
#include "systems/postgres/describe/existing.h"
#include "systems/postgres/describe/reading.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/describe/statement_verbs.h"
#include "systems/postgres/sql/fingerprint.h"

namespace sluice::postgres {
namespace {

using reading::Count;
using reading::Extent;
using reading::ReadClass;
using sql::StatementKind;

constexpr Extent kNoRecords{Count(0), Count(0), Count(0), ReadClass::none};

// Verbs whose reply is counted row by row on its way to the client (proxy/pg). What another one returns must
// be bounded by the statement itself.
bool is_counted(Verb verb) {
  return verb == Verb::search || verb == Verb::fetch || verb == Verb::scroll || verb == Verb::export_;
}

// What EXECUTE hands over, as far as it is written out: a cast may make another value of it. PREPARE's types
// are not known here.
class Arguments {
 public:
  explicit Arguments(sql::Exprs written) {
    texts_.reserve(written.size());  // parameters point into it
    for (const auto* expr : written) {
      auto& parameter = parameters_.emplace_back();
      parameter.type = kUnknownType;
      const auto* constant = sql::as<sql::Constant>(expr);
      if (constant == nullptr) continue;
      if (constant->value_kind == sql::ConstantKind::null) {
        parameter.state = Parameter::State::null;
        continue;
      }
      const bool integer = constant->value_kind == sql::ConstantKind::integer;
      texts_.push_back(integer ? std::to_string(constant->integer) : std::string{constant->text});
      parameter.state = Parameter::State::text;
      parameter.bytes = texts_.back();
    }
  }
  Parameters get() const { return parameters_; }

 private:
  std::vector<std::string> texts_;
  std::vector<Parameter> parameters_;
};

class Describer {
 public:
  Describer(const sql::ParsedStatement& statement, const DescribeContext& context)
      : statement_(statement), context_(context) {}

  Operation run() {
    operation_.system = "postgres";
    operation_.text = recorded_text(statement_.text);
    operation_.fingerprint = sql::fingerprint(*statement_.body);
    operation_.statement_class = statement_class(*statement_.body);
    if (statement_.unknowns.empty()) {
      describe_body(*statement_.body);
    } else {
      not_understood(fmt::format("{} is not understood", statement_.unknowns.front().what));
    }
    settle();
    return std::move(operation_);
  }

 private:
  void not_understood(std::string reason) {
    if (operation_.unknown_reason.empty()) operation_.unknown_reason = std::move(reason);
  }

  void settle() {
    operation_.records = {.max = extent_.total.value(),
                          .from_parameter = extent_.total.is_pending(),
                          .estimate = extent_.total.is_known() ? std::nullopt : estimate_};
    operation_.rows_hold_many = !extent_.per_row.is_known();
    operation_.records_per_row = std::max<std::uint64_t>(extent_.per_row.value().value_or(1), 1);
    if (!operation_.unknown_reason.empty()) return;  // verb unknown
    operation_.verb = verbs_.main();
    operation_.also = verbs_.beside();
    if (locks_ && !verbs_.has(Verb::write) && !verbs_.has(Verb::remove))
      operation_.also.push_back(Verb::write);  // it stops writers
    if (!is_counted(operation_.verb) && !operation_.records.max) operation_.rows_hold_many = true;
    if (operation_.verb == Verb::unknown) not_understood("the statement does nothing that is understood");
  }

  // --- what is around a query

  void describe_body(const sql::Statement& body) {
    switch (body.kind) {
      case StatementKind::prepare:
        return describe_body(*static_cast<const sql::PrepareStatement&>(body).query);
      case StatementKind::declare_cursor:
        return describe_body(*static_cast<const sql::DeclareCursorStatement&>(body).query);
      case StatementKind::explain:
        describe_body(*static_cast<const sql::ExplainStatement&>(body).query);
        extent_ = kNoRecords;  // the reply is a plan
        return;
      case StatementKind::execute: return describe_execute(static_cast<const sql::ExecuteStatement&>(body));
      case StatementKind::fetch: return describe_fetch(static_cast<const sql::FetchStatement&>(body));
      default: return describe_plain(body);
    }
  }

  void describe_execute(const sql::ExecuteStatement& execute) {
    const auto named = context_.names == nullptr ? std::nullopt : context_.names->prepared(execute.name);
    if (!named) return not_understood(fmt::format("prepared statement \"{}\" is not known", execute.name));
    read(execute);  // the arguments may call functions and hold sub-selects
    const Arguments arguments{execute.arguments};
    describe_named(*named, arguments.get());
  }

  void describe_fetch(const sql::FetchStatement& fetch) {
    const auto named = context_.names == nullptr ? std::nullopt : context_.names->cursor(fetch.cursor);
    if (!named) return not_understood(fmt::format("cursor \"{}\" is not known", fetch.cursor));
    describe_named(*named, named->parameters);
    if (fetch.move) {
      extent_ = kNoRecords;
      return;
    }
    extent_.rows = lesser(extent_.rows, rows_of(fetch));
    extent_.total = lesser(extent_.total, extent_.rows * extent_.per_row);
  }

  static Count rows_of(const sql::FetchStatement& fetch) {
    if (fetch.all) return Count::unlimited();
    if (fetch.direction == sql::FetchDirection::absolute || fetch.direction == sql::FetchDirection::relative)
      return {1};
    // FETCH 0 gives the current row once more.
    if (fetch.count == 0) return {1};
    return {fetch.count < 0 ? ~static_cast<std::uint64_t>(fetch.count) + 1
                            : static_cast<std::uint64_t>(fetch.count)};
  }

  void describe_named(const NamedStatement& named, Parameters parameters) {
    if (!named.unknowns.empty())
      return not_understood(fmt::format("{} is not understood", named.unknowns.front().what));
    if (named.body == nullptr || ++names_followed_ > kMaxNamesFollowed)
      return not_understood("a name that stands for a name is not understood");
    context_.parameters = parameters;
    describe_body(*named.body);
  }

  // --- statements

  void describe_plain(const sql::Statement& body) {
    const auto reading = read(body);
    estimate_ = estimated_records(reading);
    add_effects(reading);
    switch (body.kind) {
      case StatementKind::select:
      case StatementKind::insert:
      case StatementKind::update:
      case StatementKind::delete_:
      case StatementKind::merge: return describe_query(body, reading);
      case StatementKind::copy: return describe_copy(static_cast<const sql::CopyStatement&>(body), reading);
      case StatementKind::create_table_as:
      case StatementKind::create_table:
      case StatementKind::create_index:
      case StatementKind::create_extension:
      case StatementKind::create_schema:
        if (creates_nothing(body, context_)) return describe_existing();
        break;
      default: break;
    }
    const auto verb = fixed_verb(body);
    if (!verb) return not_understood(fmt::format("{} is not understood", statement_class(body)));
    verbs_.add(*verb);
    if (const auto* create = sql::as<sql::CreateTableAsStatement>(&body)) {
      if (create->query->kind == StatementKind::execute) {
        describe_execute(static_cast<const sql::ExecuteStatement&>(*create->query));
        extent_ = kNoRecords;
        return;
      }
      return add_read(extent_of(*create->query, context_, reading.distances).cls, reading);
    }
    if (const auto* view = sql::as<sql::ViewStatement>(&body))
      return add_read(extent_of(*view->query, context_, reading.distances).cls, reading);
    add_read(ReadClass::none, reading);
  }

  void describe_existing() {
    verbs_ = {};
    verbs_.add(Verb::metadata);
    for (auto& use : operation_.collections) use.access = Access::none;
  }

  void describe_query(const sql::Statement& body, const Reading& reading) {
    switch (body.kind) {
      case StatementKind::insert:
      case StatementKind::update: verbs_.add(Verb::write); break;
      case StatementKind::delete_: verbs_.add(Verb::remove); break;
      case StatementKind::merge:  // also one that does nothing
        verbs_.add(reading.removes ? Verb::remove : Verb::write);
        break;
      default: break;
    }
    extent_ = extent_of(body, context_, reading.distances);
    add_read(extent_.cls, reading);
    if (reading.creates) extent_ = kNoRecords;
    if (verbs_.empty()) verbs_.add(reading.reads_system ? Verb::metadata : Verb::session);
  }

  void describe_copy(const sql::CopyStatement& copy, const Reading& reading) {
    if (copy.program || !copy.file.empty()) verbs_.add(Verb::admin);  // the server's own files and programs
    if (copy.from) {
      verbs_.add(Verb::write);
      return add_read(ReadClass::none, reading);
    }
    verbs_.add(Verb::export_);
    if (copy.query != nullptr) {
      extent_ = extent_of(*copy.query, context_, reading.distances);
    } else if (!reading.read.empty()) {
      extent_ = {Count::unlimited(), Count(1), Count::unlimited(), ReadClass::scroll};
    }
  }

  // --- what all of them share

  // What is read on the way is a read all the same, and must be allowed as one. Of a statement that reads
  // tables and puts out nothing of them (EXISTS), nothing weaker can be said.
  void add_read(ReadClass cls, const Reading& reading) {
    if (reading.read.empty() && cls <= ReadClass::metadata) return;
    switch (cls) {
      case ReadClass::count: return verbs_.add(Verb::count);
      case ReadClass::aggregate: return verbs_.add(Verb::aggregate);
      case ReadClass::fetch: return verbs_.add(Verb::fetch);
      case ReadClass::search: return verbs_.add(Verb::search);
      default: return verbs_.add(Verb::scroll);
    }
  }

  void add_effects(const Reading& reading) {
    if (reading.writes) verbs_.add(Verb::write);
    if (reading.removes) verbs_.add(Verb::remove);
    if (reading.creates) verbs_.add(Verb::schema);
    if (reading.reads_secrets) verbs_.add(Verb::admin);
    locks_ |= reading.locks;
  }

  Reading read(const sql::Statement& body) {
    auto reading = read_names(body, context_);
    for (const auto& use : reading.collections) add_use(use);
    for (auto& search : reading.searches) operation_.searches.push_back(search);
    operation_.returns_vectors |= reading.returns_vectors;
    operation_.returns_scores |= reading.returns_scores;
    std::ranges::copy(reading.functions, std::back_inserter(operation_.functions));
    if (!reading.missing_relation.empty()) {
      operation_.missing_relation = reading.missing_relation;
      not_understood(fmt::format("relation {} is not known", reading.missing_relation));
    } else if (!reading.not_understood.empty()) {
      not_understood(reading.not_understood.front());
    }
    return reading;
  }

  // All that the tables hold: of a join every one counts, and no condition is looked at.
  static std::optional<std::uint64_t> estimated_records(const Reading& reading) {
    std::uint64_t sum = 0;
    for (const auto* relation : reading.read) {
      // A view has no statistics, and neither has a table that nobody has analysed (0 before PostgreSQL 14).
      if (relation->row_estimate <= 0 || relation->is_view()) return std::nullopt;
      if (__builtin_add_overflow(sum, static_cast<std::uint64_t>(relation->row_estimate), &sum))
        return std::nullopt;
    }
    return reading.read.empty() ? std::nullopt : std::optional(sum);
  }

  void add_use(const CollectionUse& use) {
    const auto at = std::ranges::find(operation_.collections, use.name, &CollectionUse::name);
    if (at == operation_.collections.end()) {
      operation_.collections.push_back(use);
      return;
    }
    const auto add_fields = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
      for (const auto& field : from) {
        if (std::ranges::find(to, field) == to.end()) to.push_back(field);
      }
    };
    at->access = at->access | use.access;
    at->all_fields |= use.all_fields;
    add_fields(at->output_fields, use.output_fields);
    add_fields(at->tested_fields, use.tested_fields);
  }

  // The grammar has no statement behind a name that is a name itself; whoever fills StatementNames might.
  static constexpr int kMaxNamesFollowed = 2;

  const sql::ParsedStatement& statement_;
  DescribeContext context_;  // its parameters change where a name is followed
  Operation operation_;
  Verbs verbs_;
  Extent extent_ = kNoRecords;
  std::optional<std::uint64_t> estimate_;
  bool locks_ = false;
  int names_followed_ = 0;
};

}  // namespace

Operation describe(const sql::ParsedStatement& statement, const DescribeContext& context) {
  return Describer{statement, context}.run();
}

}  // namespace sluice::postgres
