#include "admin/openapi.h"

#include <boost/json/parse.hpp>

#include "admin/json.h"
#include "admin/pretty_json.h"
#include "admin/routes.h"

namespace sluice::admin {
namespace {

json::object schema_reference(std::string_view name) {
  return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

json::object content(std::string_view type, std::string_view schema) {
  return {{"content", json::object{{type, json::object{{"schema", schema_reference(schema)}}}}}};
}

std::string_view words_of(Who who) {
  switch (who) {
    case Who::open: return "No token.";
    case Who::metrics:
      return "Role admin or auditor; without a token from loopback where the settings allow it.";
    case Who::member: return "Every principal.";
    case Who::reader: return "Role admin or auditor.";
    case Who::admin: return "Role admin.";
  }
  return "";
}

json::array parameters(const Route& route) {
  json::array out;
  for (std::string_view rest = route.path; !rest.empty();) {
    const auto open = rest.find('{');
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    out.push_back(json::object{{"name", rest.substr(open + 1, close - open - 1)},
                               {"in", "path"},
                               {"required", true},
                               {"schema", json::object{{"type", "string"}}}});
    rest.remove_prefix(close + 1);
  }
  for (std::string_view rest = route.query; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto name = rest.substr(0, comma);
    json::object schema{{"type", "string"}};
    if (name == "limit") schema = {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}, {"default", 100}};
    out.push_back(json::object{{"name", name}, {"in", "query"}, {"schema", std::move(schema)}});
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return out;
}

json::object operation(const Route& route) {
  json::object responses;
  json::object good{{"description", "Done"}};
  if (!route.answer.empty()) {
    good = content("application/json", route.answer);
    good["description"] = "Done";
  }
  responses["2XX"] = std::move(good);
  auto refused = content("application/problem+json", "Problem");
  refused["description"] = "Refused or failed";
  responses["default"] = std::move(refused);

  json::object out{{"summary", route.summary}, {"description", words_of(route.who)}};
  if (auto list = parameters(route); !list.empty()) out["parameters"] = std::move(list);
  if (!route.body.empty()) out["requestBody"] = content("application/json", route.body);
  if (route.who == Who::open) out["security"] = json::array{};
  out["responses"] = std::move(responses);
  return out;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string openapi_document() {
  json::object paths;
  for (const auto& route : routes()) {
    auto& path = paths[route.path];
    if (path.is_null()) path = json::object{};
    path.get_object()[lower(to_string(route.method))] = operation(route);
  }
  boost::system::error_code code;
  auto all_schemas =
      json::parse(schemas(), code);  // constant text; the test of this document proves that it parses
  json::object document{
      {"openapi", "3.1.0"},
      {"info", json::object{{"title", "Sluice admin API"},
                            {"version", "1"},
                            {"license", json::object{{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"security", json::array{json::object{{"token", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components",
       json::object{{"securitySchemes", json::object{{"token", json::object{{"type", "http"},
                                                                            {"scheme", "bearer"},
                                                                            {"bearerFormat", "slc_..."}}}}},
                    {"schemas", code ? json::value(nullptr) : std::move(all_schemas)}}}};
  return pretty_json(document);
}

}  // namespace sluice::admin
