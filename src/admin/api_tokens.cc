// /api/v1/tokens: issued once, shown once, revoked at once.
#include <set>

#include "admin/handlers.h"
#include "admin/names.h"
#include "admin/page.h"
#include "identity/token.h"

namespace sluice::admin::handlers {
namespace {

constexpr std::chrono::seconds kDefaultLife = std::chrono::days{30};
constexpr std::chrono::seconds kLongestLife =
    std::chrono::days{3660};  // ten years: a typing mistake beyond it

json::object render(const identity::TokenEntry& token, WallTime now) {
  const bool expired = token.expires && *token.expires <= now;
  return {{"id", token.id.value},
          {"principal", token.principal},
          {"label", token.label},
          {"created", format_time(token.created)},
          {"created_by", token.created_by},
          {"expires", to_json(token.expires)},
          {"revoked", to_json(token.revoked)},
          {"state", token.revoked ? "revoked"
                    : expired     ? "expired"
                                  : "active"}};
}

Result<identity::TokenEntry> find(Control& control, const Call& call) {
  const auto& id = call.path.at("id");
  const auto directory = control.parts().directory.current();
  const auto* token = directory->find_token(TokenId{id});
  if (token == nullptr) return fail(Errc::not_found, "there is no token \"{}\"", id);
  return *token;
}

TokenFacts facts_of(const identity::TokenEntry& token) {
  return {.revoked = token.revoked.has_value(),
          .id = token.id.value,
          .principal = token.principal,
          .label = token.label,
          .expires = token.expires};
}

// Absent: the default. null: until revoked.
Result<std::optional<WallTime>> read_expiry(Fields& fields, WallTime now) {
  if (fields.is_null("ttl_seconds")) {
    fields.value("ttl_seconds");
    return std::optional<WallTime>{};
  }
  const auto seconds = fields.number("ttl_seconds");
  if (!seconds) return std::optional{now + kDefaultLife};
  if (*seconds == 0 || *seconds > static_cast<std::uint64_t>(kLongestLife.count())) {
    return fail(Errc::invalid_argument, "ttl_seconds: between 1 and {}, or null for no end",
                kLongestLife.count());
  }
  return std::optional{now + std::chrono::seconds{*seconds}};
}

}  // namespace

Answer list_tokens(Control& control, const Call& call) {
  TRY(const auto page, page_query(call.request));
  const auto principal = query_value(call.request, "principal");
  const auto directory = control.parts().directory.current();
  std::map<std::string_view, const identity::TokenEntry*> sorted;
  for (const auto& [id, token] : directory->tokens()) {
    if (id.value > page.after && (principal.empty() || token.principal == principal))
      sorted.emplace(id.value, &token);
  }
  json::array items;
  std::string last;
  for (const auto& [id, token] : sorted) {
    if (items.size() == page.limit) break;
    items.push_back(render(*token, control.now()));
    last = id;
  }
  const bool more = items.size() < sorted.size();
  return page_response(std::move(items), last, more);
}

Answer create_token(Control& control, const Call& call) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  identity::TokenEntry token;
  token.principal = fields.required_text("principal");
  token.label = fields.text("label").value_or("");
  token.created = control.now();
  token.created_by = call.actor().name;
  TRY(token.expires, read_expiry(fields, token.created));
  CHECK_OK(fields.finish());
  if (!token.label.empty()) CHECK_OK(check_label("label", token.label));
  const auto principal = control.parts().directory.current()->find(token.principal);
  if (!principal) return fail(Errc::not_found, "there is no principal \"{}\"", token.principal);
  if (principal->disabled) return fail(Errc::conflict, "principal \"{}\" is disabled", token.principal);

  auto minted = identity::make_token();
  token.id = minted.id;
  token.hash = minted.hash;
  auto rendered = render(token, token.created);
  CHECK_OK(control.report(call, "token.create", "token:" + token.id.value, "", json::serialize(rendered),
                          facts_of(token)));
  CHECK_OK(control.parts().tokens.add_token(token));
  CHECK_OK(control.publish_directory());
  rendered["token"] = minted.text.reveal();  // the only time that it is seen
  auto response = json_response(rendered, 201);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Answer show_token(Control& control, const Call& call) {
  TRY(const auto token, find(control, call));
  return json_response(render(token, control.now()));
}

Answer revoke_token(Control& control, const Call& call) {
  TRY(auto token, find(control, call));
  const auto before = json::serialize(render(token, control.now()));
  if (!token.revoked) token.revoked = control.now();
  const auto after = render(token, control.now());
  CHECK_OK(control.report(call, "token.revoke", "token:" + token.id.value, before, json::serialize(after),
                          facts_of(token)));
  CHECK_OK(control.parts().tokens.revoke_token(token.id, *token.revoked));
  CHECK_OK(control.publish_directory());
  return json_response(after);
}

}  // namespace sluice::admin::handlers
