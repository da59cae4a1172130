#include "admin/openapi.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "admin/testing.h"

namespace sluice::admin {
namespace {

using testing::kDocs;
using testing::Plane;

json::object document() {
  boost::system::error_code code;
  auto value = json::parse(openapi_document(), code);
  EXPECT_FALSE(code) << code.message();
  return value.as_object();
}

TEST(OpenApi, TheCopyInTheRepositoryIsUpToDate) {
  std::ifstream in{std::string(SLUICE_SOURCE_DIR) + "/docs/openapi.json"};
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), openapi_document()) << "run: sluice openapi > docs/openapi.json";
}

TEST(OpenApi, EveryRouteAndSchemaIsThere) {
  auto doc = document();
  auto& named = doc["components"].as_object()["schemas"].as_object();
  ASSERT_FALSE(named.empty()) << "the schemas are not JSON";
  for (const auto& route : routes()) {
    EXPECT_TRUE(doc["paths"].as_object().contains(route.path)) << route.path;
    if (!route.body.empty()) EXPECT_TRUE(named.contains(route.body)) << route.body;
    if (!route.answer.empty()) EXPECT_TRUE(named.contains(route.answer)) << route.answer;
  }
  // Each reference leads somewhere.
  const auto text = openapi_document();
  constexpr std::string_view kReference = "#/components/schemas/";
  for (auto at = text.find(kReference); at != std::string::npos; at = text.find(kReference, at + 1)) {
    const auto begin = at + kReference.size();
    const auto name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_TRUE(named.contains(name)) << name;
  }
}

// The part of JSON Schema that ours use.
class Contract {
 public:
  explicit Contract(json::object schemas) : schemas_(std::move(schemas)) {}

  void check(const json::value& schema, const json::value& value, const std::string& place) {
    const auto& rules = schema.as_object();
    if (const auto* reference = rules.if_contains("$ref")) {
      const std::string name{reference->as_string()};
      return check(schemas_[name.substr(name.rfind('/') + 1)], value, place);
    }
    if (const auto* choices = rules.if_contains("enum")) {
      bool found = false;
      for (const auto& choice : choices->as_array()) found = found || choice == value;
      EXPECT_TRUE(found) << place << ": " << json::serialize(value);
    }
    if (const auto* type = rules.if_contains("type"))
      EXPECT_TRUE(fits(*type, value)) << place << ": " << json::serialize(value);
    if (const auto* items = rules.if_contains("items"); items != nullptr && value.is_array()) {
      for (const auto& item : value.as_array()) check(*items, item, place + "[]");
    }
    if (!value.is_object()) return;
    const auto* properties = rules.if_contains("properties");
    const auto* additional = rules.if_contains("additionalProperties");
    for (const auto& item : value.as_object()) {
      const auto* own = properties == nullptr ? nullptr : properties->as_object().if_contains(item.key());
      const auto where = place + "." + std::string(item.key());
      if (own != nullptr) {
        check(*own, item.value(), where);
      } else if (additional != nullptr && additional->is_object()) {
        check(*additional, item.value(), where);
      } else if (additional != nullptr) {
        EXPECT_TRUE(additional->as_bool()) << where << " is not described";
      }
    }
    if (properties == nullptr || (additional != nullptr && additional->is_object())) return;
    for (const auto& property : properties->as_object()) {
      if (property.key() == "token" && place.find("Issued") == std::string::npos &&
          place.find("Me") == std::string::npos && place.find("Live") == std::string::npos) {
        continue;
      }
      EXPECT_TRUE(value.as_object().contains(property.key()) || place.find("roles[]") != std::string::npos)
          << place << "." << std::string(property.key()) << " is described and not there";
    }
  }

 private:
  static bool fits(const json::value& type, const json::value& value) {
    if (type.is_array()) {
      for (const auto& one : type.as_array()) {
        if (fits(one, value)) return true;
      }
      return false;
    }
    const auto name = type.as_string();
    if (name == "object") return value.is_object();
    if (name == "array") return value.is_array();
    if (name == "string") return value.is_string();
    if (name == "boolean") return value.is_bool();
    if (name == "integer") return value.is_int64() || value.is_uint64();
    return name == "null" && value.is_null();
  }
  json::object schemas_;
};

// Answers carry what the description says, no more and no less.
TEST(OpenApi, AnswersKeepTheContract) {
  Plane plane;
  boost::system::error_code code;
  Contract contract{json::parse(schemas(), code).as_object()};
  ASSERT_FALSE(code);
  std::size_t checked = 0;
  const auto ask = [&](Method method, const std::string& path, std::string body = {}) {
    auto response = plane.call(method, path, "root", std::move(body));
    EXPECT_LT(response.status, 300) << path << response.body;
    const auto match = find_route(method, path);
    boost::system::error_code problem;
    const auto value = json::parse(response.body, problem);
    EXPECT_FALSE(problem) << path;
    contract.check(json::object{{"$ref", "#/" + std::string(match.route->answer)}}, value,
                   std::string(match.route->answer));
    ++checked;
    return value;
  };
  using enum Method;
  ask(post, "/api/v1/principals", R"({"name":"x","claims":{"a":"b"}})");
  ask(post, "/api/v1/tokens", R"({"principal":"x"})");
  ask(post, "/api/v1/connections", kDocs);
  review::ReviewRequest request;
  request.principal = "ana";
  request.terms.by = {"user:root"};
  const auto id = plane.reviews.open_or_find(request)->id.value;
  ask(post, "/api/v1/reviews/" + id + "/approve", "{}");
  for (const char* path :
       {"/healthz", "/readyz", "/api/v1/status", "/api/v1/me", "/api/v1/principals", "/api/v1/tokens",
        "/api/v1/connections", "/api/v1/connections/docs", "/api/v1/policy", "/api/v1/reviews",
        "/api/v1/sessions/live", "/api/v1/sessions", "/api/v1/record", "/api/v1/record/events"}) {
    ask(get, path);
  }
  ask(post, "/api/v1/connections/docs/test");
  ask(post, "/api/v1/policy/validate", R"({"text":"x"})");
  ask(post, "/api/v1/policy/explain", R"({"principal":"a","connection":"b","statement":"c"})");
  ask(post, "/api/v1/record/verify");
  EXPECT_EQ(checked, 22u);
}

}  // namespace
}  // namespace sluice::admin
