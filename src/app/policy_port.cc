#include "app/policy_port.h"

#include <map>
#include <set>
#include <tuple>

#include "core/encoding.h"
#include "policy/explain.h"
#include "policy/schema.h"
#include "policy/scope.h"
#include "proxy/pg/planning/planner.h"

namespace sluice::app {
namespace {

admin::PolicyProblem to_port(const policy::Problem& problem) {
  return {problem.file,    problem.line, problem.column, std::string{policy::to_string(problem.severity)},
          problem.message, problem.hint};
}

std::string effect_name(Ruling::Effect effect) {
  switch (effect) {
    case Ruling::Effect::permit: return "permit";
    case Ruling::Effect::deny: return "deny";
    case Ruling::Effect::review: return "review";
  }
  return "deny";
}

admin::ExplainStep to_port(const policy::TraceStep& step) {
  admin::ExplainStep out;
  out.rule = step.rule;
  out.matched = step.matched || step.granted;
  out.reason = out.matched ? step.effects : fmt::format("{} does not match", policy::to_string(step.failed));
  if (!step.verbs.empty()) out.reason += fmt::format(" ({})", step.verbs);
  if (step.shadow) out.reason += " (shadow)";
  return out;
}

}  // namespace

admin::PolicyState PolicyPort::current() {
  const auto now = watch_.current();
  admin::PolicyState state;
  state.version = now.policy->version();
  state.digest = to_hex(now.policy->digest());
  state.loaded = now.loaded;
  for (const auto& rule : now.policy->summaries()) {
    state.rules.push_back({rule.name, rule.file, rule.line, rule.effects, rule.shadow, rule.hits});
    if (std::ranges::find(state.files, rule.file) == state.files.end()) state.files.push_back(rule.file);
  }
  for (const auto& problem : now.problems) state.problems.push_back(to_port(problem));
  const auto connections = connections_.current();
  for (const auto& [name, connection] : connections->all()) add_vouch_problems(*connection, state.problems);
  return state;
}

Result<admin::PolicyState> PolicyPort::reload() {
  CHECK_OK(watch_.reload());
  return current();
}

std::vector<admin::PolicyProblem> PolicyPort::validate(const std::string& text) {
  std::vector<admin::PolicyProblem> problems;
  for (const auto& problem : policy::load_texts({{"policy.yaml", text}}, 0).problems) {
    problems.push_back(to_port(problem));
  }
  return problems;
}

std::string PolicyPort::schema() {
  return std::string{policy::policy_schema()};
}

Result<admin::Explanation> PolicyPort::explain(const admin::ExplainRequest& request) {
  SessionFacts facts;
  facts.principal = directory_.current()->find(request.principal);
  if (!facts.principal) return fail(Errc::not_found, "there is no principal \"{}\"", request.principal);
  const auto connection = connections_.current()->find(request.connection);
  if (!connection) return fail(Errc::not_found, "there is no connection \"{}\"", request.connection);
  facts.connection = connection->name;
  facts.system = connection->system;
  facts.database = connection->database;
  facts.role = request.role;
  facts.client_address = request.client_address.empty() ? "127.0.0.1" : request.client_address;
  for (const auto& role : connection->roles) {
    if (request.role.empty() || role.alias == request.role) {
      facts.role = role.alias;
      facts.upstream_user = role.upstream_user;
      break;
    }
  }
  const auto scope = policy::Scope::compile(watch_.current().policy, facts);
  Operation operation;
  if (request.operation) {
    operation = *request.operation;
  } else {
    TRY(operation,
        map_statement(request, facts, scope->masks(), scope->vouched_functions(), connection->version));
  }
  policy::Trace trace;
  const auto ruling = scope->evaluate(operation, clock_.now(), &trace);
  admin::Explanation out;
  out.effect = effect_name(ruling.effect);
  out.rule = ruling.effect == Ruling::Effect::review ? ruling.review.rule : ruling.denial.rule;
  if (out.rule.empty() && !ruling.rules.empty()) out.rule = ruling.rules.front();
  out.message = ruling.effect == Ruling::Effect::deny ? ruling.denial.message : policy::summarise(ruling);
  if (ruling.obligations.max_records) {
    out.obligations.push_back(fmt::format("at most {} records ({})", *ruling.obligations.max_records,
                                          ruling.obligations.bound_rule));
  }
  for (const auto& use : operation.collections) {
    for (const auto& field : use.output_fields) {
      if (const auto mask = scope->masks()->field_mask(use.name, field)) {
        out.obligations.push_back(
            fmt::format("{} {}.{} ({})", to_string(mask->mask), use.name, field, mask->rule));
      }
    }
  }
  for (const auto& step : trace.steps) out.steps.push_back(to_port(step));
  out.policy_version = ruling.policy_version;
  return out;
}

// What was vouched for and is not there, or is something else by now. Nobody has used the connection: nothing
// is known yet.
void PolicyPort::add_vouch_problems(const Connection& connection,
                                    std::vector<admin::PolicyProblem>& problems) {
  const auto vouched = watch_.current().policy->vouched_functions(connection.name);
  if (!postgres::vouches_for_definitions(vouched)) return;
  const auto listed = functions(connection);
  if (!listed) return;
  for (const auto& function : *listed) {
    if (function.state != "changed" && function.state != "missing") continue;
    problems.push_back(
        {.severity = "warning",
         .message =
             function.state == "changed"
                 ? fmt::format("vouch: {} on {} has another definition by now, and is refused",
                               function.signature, connection.name)
                 : fmt::format("vouch: there is no function {} on {}", function.signature, connection.name),
         .hint = fmt::format("`sluice connection functions {}` lists what is there", connection.name)});
  }
}

std::shared_ptr<const postgres::Catalogue> PolicyPort::known_catalogue(const Connection& connection) {
  for (const auto& role : connection.roles) {
    auto known = catalogues_.find_or_make(connection.name, connection.version, role.upstream_user)->current();
    if (known) return known;
  }
  return nullptr;
}

Result<std::vector<admin::ListedFunction>> PolicyPort::functions(const Connection& connection) {
  const auto catalogue = known_catalogue(connection);  // functions look the same to every role
  if (!catalogue) {
    return fail(
        Errc::conflict,
        "the catalogue of \"{}\" is not known yet: it is read when the first client uses the connection",
        connection.name);
  }
  std::map<std::string, std::set<std::string>> vouched;  // definitions by signature
  for (const auto& text : watch_.current().policy->vouched_functions(connection.name)) {
    if (auto vouch = postgres::parse_vouch(text)) vouched[vouch->signature].insert(vouch->definition);
  }
  std::map<std::string, admin::ListedFunction> found;
  for (const auto& entry : catalogue->contents().functions) {
    admin::ListedFunction listed{.signature = catalogue->signature(entry),
                                 .sha256 = entry.definition,
                                 .language = entry.language,
                                 .is_volatile = entry.is_volatile,
                                 .extension = entry.extension,
                                 .state = "not vouched"};
    const auto vouch = vouched.find(listed.signature);
    if (vouch != vouched.end()) {
      listed.state = vouch->second.contains(entry.definition) ? "vouched" : "changed";
    } else if (catalogue->function_facts(entry.oid).is_harmless()) {
      listed.state = "known";
    }
    found.insert_or_assign(listed.signature, std::move(listed));
  }
  for (const auto& [signature, definitions] : vouched) {
    found.try_emplace(signature, admin::ListedFunction{.signature = signature, .state = "missing"});
  }
  std::vector<admin::ListedFunction> all;
  all.reserve(found.size());
  for (auto& [signature, listed] : found) all.push_back(std::move(listed));
  return all;
}

std::vector<admin::FormerName> PolicyPort::former_names(const Connection& connection) {
  std::vector<admin::FormerName> all;
  for (auto& each : catalogues_.names(connection.name)->former())
    all.push_back({each.name.database, std::move(each.now), std::move(each.name.name)});
  std::ranges::sort(all, {}, [](const auto& each) { return std::tie(each.now, each.former, each.database); });
  return all;
}

Result<void> PolicyPort::forget_names(const Connection& connection, std::string_view now) {
  const auto names = catalogues_.names(connection.name);
  bool found = false;
  for (const auto& each : names->former()) {
    if (each.now == now) found |= names->forget(each.name);
  }
  if (!found) return fail(Errc::not_found, "\"{}\" was not called otherwise before", now);
  catalogues_.read_again(connection.name);
  return {};
}

Result<Operation> PolicyPort::map_statement(const admin::ExplainRequest& request, const SessionFacts& facts,
                                            const std::shared_ptr<const MaskSet>& masks,
                                            const std::vector<std::string>& vouched,
                                            std::uint64_t connection_version) {
  const auto catalogue =
      catalogues_.find_or_make(facts.connection, connection_version, facts.upstream_user)->current();
  if (!catalogue) {
    return fail(
        Errc::conflict,
        "the catalogue of \"{}\" is not known yet: it is read when the first client uses the connection",
        facts.connection);
  }
  proxy::pg::Planner planner;
  planner.set_catalogue(catalogue);
  proxy::pg::Names names;
  const auto plans =
      planner.plan(request.statement, {names, masks, vouched, facts.principal->name, "explain"});
  if (!plans) return fail(Errc::invalid_argument, "{}", plans.error().message);
  if (plans->size() != 1) return fail(Errc::invalid_argument, "one statement at a time");
  return *plans->front()->operation;
}

}  // namespace sluice::app
