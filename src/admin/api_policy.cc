// /api/v1/policy: what is in force, and what would be.
#include "admin/handlers.h"
#include "admin/page.h"

namespace sluice::admin::handlers {
namespace {

json::array render(const std::vector<PolicyProblem>& problems) {
  json::array out;
  for (const auto& problem : problems) {
    out.push_back(json::object{{"file", problem.file},
                               {"line", problem.line},
                               {"column", problem.column},
                               {"severity", problem.severity},
                               {"message", problem.message},
                               {"hint", problem.hint}});
  }
  return out;
}

json::object render(const PolicyState& state) {
  json::array rules;
  for (const auto& rule : state.rules) {
    rules.push_back(json::object{{"name", rule.name},
                                 {"file", rule.file},
                                 {"line", rule.line},
                                 {"effect", rule.effect},
                                 {"shadow", rule.shadow},
                                 {"hits", rule.hits}});
  }
  return {{"version", state.version},      {"digest", state.digest},    {"loaded", format_time(state.loaded)},
          {"files", to_json(state.files)}, {"rules", std::move(rules)}, {"problems", render(state.problems)}};
}

}  // namespace

Answer show_policy(Control& control, const Call&) {
  return json_response(render(control.parts().policy.current()));
}

Answer validate_policy(Control& control, const Call& call) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  const auto text = fields.required_text("text");
  CHECK_OK(fields.finish());
  const auto problems = control.parts().policy.validate(text);
  const bool valid = std::ranges::none_of(problems, [](const auto& p) { return p.severity == "error"; });
  return json_response(json::object{{"valid", valid}, {"problems", render(problems)}});
}

Answer reload_policy(Control& control, const Call& call) {
  const auto before = control.parts().policy.current();
  CHECK_OK(control.report(
      call, "policy.reload", "policy",
      json::serialize(json::object{{"version", before.version}, {"digest", before.digest}}), ""));
  TRY(const auto after, control.parts().policy.reload());
  return json_response(render(after));
}

Answer explain_policy(Control& control, const Call& call) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  ExplainRequest request;
  request.principal = fields.required_text("principal");
  request.connection = fields.required_text("connection");
  request.role = fields.text("role").value_or("");
  request.client_address = fields.text("client_address").value_or("");
  request.statement = fields.required_text("statement");
  CHECK_OK(fields.finish());
  TRY(const auto explanation, control.parts().policy.explain(request));
  json::array steps;
  for (const auto& step : explanation.steps) {
    steps.push_back(json::object{{"rule", step.rule}, {"matched", step.matched}, {"reason", step.reason}});
  }
  return json_response(json::object{{"effect", explanation.effect},
                                    {"rule", explanation.rule},
                                    {"message", explanation.message},
                                    {"obligations", to_json(explanation.obligations)},
                                    {"steps", std::move(steps)},
                                    {"policy_version", explanation.policy_version}});
}

Answer policy_schema(Control& control, const Call&) {
  Response response;
  response.content_type = "application/schema+json";
  response.body = control.parts().policy.schema();
  return response;
}

}  // namespace sluice::admin::handlers
