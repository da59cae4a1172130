#include "systems/postgres/describe/describe.h"

#include <algorithm>

#include "systems/postgres/describe/bounds.h"
#include "systems/postgres/describe/reading.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/sql/fingerprint.h"

namespace sluice::postgres {
namespace {

using sql::StatementKind;

std::string_view class_name(StatementKind kind) {
  switch (kind) {
    case StatementKind::select: return "SELECT";
    case StatementKind::insert: return "INSERT";
    case StatementKind::update: return "UPDATE";
    case StatementKind::delete_: return "DELETE";
    case StatementKind::merge: return "MERGE";
    case StatementKind::copy: return "COPY";
    case StatementKind::prepare: return "PREPARE";
    case StatementKind::execute: return "EXECUTE";
    case StatementKind::deallocate: return "DEALLOCATE";
    case StatementKind::declare_cursor: return "DECLARE CURSOR";
    case StatementKind::fetch: return "FETCH";
    case StatementKind::close_portal: return "CLOSE";
    case StatementKind::explain: return "EXPLAIN";
    case StatementKind::create_table_as: return "CREATE TABLE AS";
    case StatementKind::view: return "CREATE VIEW";
    case StatementKind::transaction: return "TRANSACTION";
    case StatementKind::variable_set: return "SET";
    case StatementKind::variable_show: return "SHOW";
    case StatementKind::discard: return "DISCARD";
    case StatementKind::listen: return "LISTEN";
    case StatementKind::notify: return "NOTIFY";
    case StatementKind::unlisten: return "UNLISTEN";
    case StatementKind::lock: return "LOCK";
    case StatementKind::truncate: return "TRUNCATE";
    case StatementKind::drop: return "DROP";
    case StatementKind::create_table: return "CREATE TABLE";
    case StatementKind::create_index: return "CREATE INDEX";
    case StatementKind::create_extension: return "CREATE EXTENSION";
    case StatementKind::create_schema: return "CREATE SCHEMA";
    case StatementKind::alter_table: return "ALTER";
    case StatementKind::rename: return "RENAME";
    case StatementKind::comment: return "COMMENT";
    case StatementKind::grant: return "GRANT";
    case StatementKind::grant_role: return "GRANT ROLE";
    case StatementKind::create_function: return "CREATE FUNCTION";
    case StatementKind::do_block: return "DO";
    case StatementKind::call: return "CALL";
    case StatementKind::vacuum: return "VACUUM";
    case StatementKind::refresh_view: return "REFRESH MATERIALIZED VIEW";
    case StatementKind::checkpoint: return "CHECKPOINT";
    case StatementKind::other: return "OTHER";
  }
  return "OTHER";
}

// Verbs of statements that need no look inside.
std::optional<Verb> fixed_verb(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::insert:
    case StatementKind::update:
    case StatementKind::merge: return Verb::write;
    case StatementKind::delete_:
    case StatementKind::truncate: return Verb::remove;
    case StatementKind::transaction:
    case StatementKind::variable_set:
    case StatementKind::variable_show:
    case StatementKind::discard:
    case StatementKind::deallocate:
    case StatementKind::close_portal:
    case StatementKind::listen:
    case StatementKind::notify:
    case StatementKind::unlisten: return Verb::session;
    case StatementKind::create_table_as:
    case StatementKind::view:
    case StatementKind::drop:
    case StatementKind::create_table:
    case StatementKind::create_index:
    case StatementKind::create_extension:
    case StatementKind::create_schema:
    case StatementKind::alter_table:
    case StatementKind::rename:
    case StatementKind::comment:
    case StatementKind::create_function:
    case StatementKind::refresh_view: return Verb::schema;
    case StatementKind::lock:
    case StatementKind::grant:
    case StatementKind::grant_role:
    case StatementKind::vacuum:
    case StatementKind::checkpoint: return Verb::admin;
    case StatementKind::copy: {
      const auto& copy = static_cast<const sql::CopyStatement&>(statement);
      if (copy.program || !copy.file.empty()) return Verb::admin;  // the server's own files and programs
      return copy.from ? Verb::write : Verb::export_;
    }
    default: return std::nullopt;
  }
}

class Describer {
 public:
  Describer(const sql::ParsedStatement& statement, const DescribeContext& context)
      : statement_(statement), context_(context) {}

  Operation run() {
    operation_.system = "postgres";
    operation_.text = recorded_text(statement_.text);
    operation_.fingerprint = sql::fingerprint(*statement_.body);
    operation_.statement_class = class_name(statement_.body->kind);
    if (!statement_.unknowns.empty())
      return unknown(fmt::format("{} is not understood", statement_.unknowns.front().what));
    describe_body(*statement_.body);
    return std::move(operation_);
  }

 private:
  Operation unknown(std::string reason) {
    operation_.verb = Verb::unknown;
    if (operation_.unknown_reason.empty()) operation_.unknown_reason = std::move(reason);
    return std::move(operation_);
  }
  void set_unknown(std::string reason) {
    operation_.verb = Verb::unknown;
    if (operation_.unknown_reason.empty()) operation_.unknown_reason = std::move(reason);
  }

  void describe_body(const sql::Statement& body) {
    switch (body.kind) {
      case StatementKind::prepare:
        return describe_body(*static_cast<const sql::PrepareStatement&>(body).query);
      case StatementKind::declare_cursor:
        return describe_body(*static_cast<const sql::DeclareCursorStatement&>(body).query);
      case StatementKind::explain: return describe_explain(static_cast<const sql::ExplainStatement&>(body));
      case StatementKind::execute: return describe_execute(static_cast<const sql::ExecuteStatement&>(body));
      case StatementKind::fetch: return describe_fetch(static_cast<const sql::FetchStatement&>(body));
      default: return describe_plain(body);
    }
  }

  // Without ANALYZE nothing runs, but the plan tells about what it names.
  void describe_explain(const sql::ExplainStatement& explain) {
    describe_body(*explain.query);
    if (explain.analyze || operation_.verb == Verb::unknown) return;
    operation_.records = {.max = 0, .from_parameter = false};
    operation_.rows_hold_many = false;
  }

  void describe_execute(const sql::ExecuteStatement& execute) {
    const auto named = context_.names == nullptr ? std::nullopt : context_.names->prepared(execute.name);
    if (!named) return set_unknown(fmt::format("prepared statement \"{}\" is not known", execute.name));
    describe_named(*named);
    read(*statement_.body);  // the arguments may call functions and hold sub-selects
  }

  void describe_fetch(const sql::FetchStatement& fetch) {
    const auto named = context_.names == nullptr ? std::nullopt : context_.names->cursor(fetch.cursor);
    if (!named) return set_unknown(fmt::format("cursor \"{}\" is not known", fetch.cursor));
    describe_named(*named);
    if (fetch.move) {
      operation_.records = {.max = 0, .from_parameter = false};
    } else if (!fetch.all && !operation_.rows_hold_many && operation_.verb != Verb::unknown) {
      const bool relative = fetch.direction == sql::FetchDirection::absolute ||
                            fetch.direction == sql::FetchDirection::relative;
      const auto rows =
          relative ? 1 : static_cast<std::uint64_t>(fetch.count < 0 ? -fetch.count : fetch.count);
      const auto per_row = std::max<std::uint64_t>(1, reads_);
      const auto most = rows > kManyRows ? rows : rows * per_row;
      if (!operation_.records.max || *operation_.records.max > most) operation_.records.max = most;
    }
  }

  void describe_named(const NamedStatement& named) {
    if (!named.unknowns.empty())
      return set_unknown(fmt::format("{} is not understood", named.unknowns.front().what));
    describe_body(*named.body);
  }

  void describe_plain(const sql::Statement& body) {
    const auto reading = read(body);
    if (operation_.verb == Verb::unknown && !operation_.unknown_reason.empty()) return;
    if (const auto* query = sql::as<sql::SelectStatement>(&body)) return describe_select(*query, reading);
    const auto verb = fixed_verb(body);
    if (!verb) return set_unknown(fmt::format("{} is not understood", class_name(body.kind)));
    operation_.verb = *verb;
    if (const auto* transaction = sql::as<sql::TransactionStatement>(&body)) {
      const auto action = transaction->action;
      if (action == sql::TransactionKind::prepare || action == sql::TransactionKind::commit_prepared ||
          action == sql::TransactionKind::rollback_prepared) {
        operation_.verb = Verb::admin;  // outlives the session, and with it everything that is known about it
      }
    }
    // What is read on the way is a read all the same, and must be allowed as one.
    if (!reading.read.empty() && operation_.verb != Verb::scroll) operation_.also.push_back(Verb::scroll);
  }

  void describe_select(const sql::SelectStatement& query, const Reading& reading) {
    if (query.into != nullptr) {
      operation_.verb = Verb::schema;
    } else if (reading.removes) {
      operation_.verb = Verb::remove;
    } else if (reading.writes) {
      operation_.verb = Verb::write;
    }
    if (operation_.verb != Verb::unknown) {
      if (!reading.read.empty()) operation_.also.push_back(Verb::scroll);
      return;
    }
    if (reading.read.empty()) {
      operation_.verb = reading.reads_system ? Verb::metadata : Verb::session;
      return;
    }
    if (!query.locking.empty()) operation_.also.push_back(Verb::write);  // takes locks that stop writers
    const auto bound = record_bound(query, context_);
    operation_.records.max = bound.records.value();
    operation_.records.from_parameter = bound.records.is_pending();
    operation_.rows_hold_many = bound.rows_hold_many;
    operation_.verb = read_verb(query, reading);
  }

  Verb read_verb(const sql::SelectStatement& query, const Reading& reading) const {
    const bool plain = query.set_operation == sql::SetOperation::none && !query.is_values;
    const bool keeps_values = std::ranges::any_of(operation_.collections, [](const CollectionUse& use) {
      return use.all_fields || !use.output_fields.empty();
    });
    if (plain && query.group_by.empty() && reading.value_aggregates == 0 &&
        reading.counts + reading.aggregates > 0) {
      return reading.aggregates == 0 ? Verb::count : Verb::aggregate;
    }
    if (plain && reading.value_aggregates == 0 && reading.counts + reading.aggregates > 0 && !keeps_values) {
      return Verb::aggregate;
    }
    if (plain && query.from.size() == 1) {
      if (const auto* name = sql::as<sql::RangeVar>(query.from.front())) {
        const auto* relation =
            context_.catalogue.find_relation(context_.search_path, name->schema, name->name);
        if (relation != nullptr &&
            rows_by_key(query.where, *relation, name->alias != nullptr ? name->alias->name : name->name)
                .is_known()) {
          return Verb::fetch;
        }
      }
    }
    if (!reading.searches.empty() && query.limit != nullptr && !query.order_by.empty()) return Verb::search;
    return Verb::scroll;
  }

  Reading read(const sql::Statement& body) {
    auto reading = read_names(body, context_);
    for (auto& use : reading.collections) {
      const auto at = std::ranges::find(operation_.collections, use.name, &CollectionUse::name);
      if (at == operation_.collections.end()) operation_.collections.push_back(use);
    }
    reads_ += reading.read.size();
    if (!reading.searches.empty()) operation_.searches = reading.searches;
    operation_.returns_vectors |= reading.returns_vectors;
    operation_.returns_scores |= reading.returns_scores;
    for (const auto& name : reading.functions) operation_.functions.push_back(name);
    if (!reading.missing_relation.empty()) {
      operation_.missing_relation = reading.missing_relation;
      set_unknown(fmt::format("relation {} is not known", reading.missing_relation));
    } else if (!reading.unvouched.empty()) {
      set_unknown(reading.unvouched.front());
    }
    return reading;
  }

  static constexpr std::uint64_t kManyRows =
      1'000'000'000;  // beyond it a product could wrap, and nothing is learnt
  const sql::ParsedStatement& statement_;
  const DescribeContext& context_;
  Operation operation_;
  std::uint64_t reads_ = 0;
};

}  // namespace

Operation describe(const sql::ParsedStatement& statement, const DescribeContext& context) {
  return Describer{statement, context}.run();
}

Operation describe_unparsed(std::string_view text, const sql::ParseError& error) {
  Operation operation;
  operation.system = "postgres";
  operation.statement_class = "UNPARSED";
  operation.text = recorded_text(text);
  operation.unknown_reason = error.message;
  return operation;
}

}  // namespace sluice::postgres
