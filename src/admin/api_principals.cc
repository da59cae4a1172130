// /api/v1/principals: who exists, what they belong to, what they may do to the gateway.
#include "admin/handlers.h"
#include "admin/names.h"
#include "admin/page.h"

namespace sluice::admin::handlers {
namespace {

json::object render(const Principal& principal) {
  json::object claims;
  for (const auto& [name, value] : principal.claims) claims[name] = value;
  return {{"name", principal.name},
          {"kind", principal.kind == PrincipalKind::machine ? "machine" : "human"},
          {"groups", to_json(principal.groups)},
          {"roles", to_json(principal.roles)},
          {"claims", std::move(claims)},
          {"owner", principal.owner},
          {"disabled", principal.disabled},
          {"epoch", principal.epoch}};
}

Result<std::shared_ptr<const Principal>> find(Control& control, const Call& call) {
  const auto& name = call.path.at("name");
  auto principal = control.parts().directory.current()->find(name);
  if (!principal) return fail(Errc::not_found, "there is no principal \"{}\"", name);
  return principal;
}

// The part of the body that creating and updating share.
void read_common(Fields& fields, Principal& principal) {
  if (auto kind = fields.text("kind")) {
    if (*kind != "human" && *kind != "machine") fields.add_problem("kind", "must be human or machine");
    principal.kind = *kind == "machine" ? PrincipalKind::machine : PrincipalKind::human;
  }
  if (auto groups = fields.texts("groups")) principal.groups = std::move(*groups);
  if (auto roles = fields.texts("roles")) principal.roles = std::move(*roles);
  if (auto owner = fields.text("owner")) principal.owner = std::move(*owner);
  if (const auto* claims = fields.value("claims")) {
    principal.claims.clear();
    if (!claims->is_object() || claims->get_object().size() > kMaxListLength) {
      fields.add_problem("claims", "must be an object of texts");
      return;
    }
    for (const auto& item : claims->get_object()) {
      if (!item.value().is_string()) {
        fields.add_problem("claims", "must be an object of texts");
        return;
      }
      principal.claims[std::string(item.key())] = std::string(item.value().get_string());
    }
  }
}

Result<void> check(const Principal& principal) {
  CHECK_OK(check_name("name", principal.name));
  CHECK_OK(check_labels("groups", principal.groups));
  for (const auto& role : principal.roles) {
    if (!identity::is_known_role(role)) {
      return fail(Errc::invalid_argument, "roles: \"{}\" is none of admin, auditor, approver, member", role);
    }
  }
  if (!principal.owner.empty()) CHECK_OK(check_label("owner", principal.owner));
  for (const auto& [name, value] : principal.claims) {
    CHECK_OK(check_label("claims", name));
    if (!value.empty()) CHECK_OK(check_label("claims", value));
  }
  return {};
}

// A gateway without an administrator could only be mended on its host.
Result<void> check_admin_remains(Control& control, const Principal& before, const Principal* after) {
  const auto is_admin = [](const Principal& p) { return identity::has_role(p, identity::kRoleAdmin); };
  if (!is_admin(before) || (after != nullptr && is_admin(*after))) return {};
  for (const auto& [name, other] : control.parts().directory.current()->principals()) {
    if (name != before.name && is_admin(*other)) return {};
  }
  return fail(Errc::conflict, "\"{}\" is the last administrator", before.name);
}

Answer change(Control& control, const Call& call, std::string action, const Principal& before,
              const Principal& after) {
  CHECK_OK(check(after));
  CHECK_OK(check_admin_remains(control, before, &after));
  CHECK_OK(control.report(call, std::move(action), "principal:" + before.name,
                          json::serialize(render(before)), json::serialize(render(after))));
  CHECK_OK(control.parts().principals.update_principal(after));
  CHECK_OK(control.publish_directory());
  auto now = control.parts().directory.current()->find(after.name);
  if (!now) return fail(Errc::internal, "the principal has gone while it was changed");
  return json_response(render(*now));
}

Answer set_disabled(Control& control, const Call& call, bool disabled) {
  TRY(auto before, find(control, call));
  Principal after = *before;
  after.disabled = disabled;
  return change(control, call, disabled ? "principal.disable" : "principal.enable", *before, after);
}

}  // namespace

Answer list_principals(Control& control, const Call& call) {
  TRY(const auto page, page_query(call.request));
  const auto group = query_value(call.request, "group");
  const auto directory = control.parts().directory.current();
  json::array items;
  std::string last;
  bool more = false;
  for (auto at = directory->principals().upper_bound(page.after); at != directory->principals().end(); ++at) {
    if (!group.empty() && std::ranges::find(at->second->groups, group) == at->second->groups.end()) continue;
    if (items.size() == page.limit) {
      more = true;
      break;
    }
    items.push_back(render(*at->second));
    last = at->first;
  }
  return page_response(std::move(items), last, more);
}

Answer create_principal(Control& control, const Call& call) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  Principal principal;
  principal.name = fields.required_text("name");
  read_common(fields, principal);
  CHECK_OK(fields.finish());
  CHECK_OK(check(principal));
  // Somebody answers for every machine: without a word, the one who made it.
  if (principal.kind == PrincipalKind::machine && principal.owner.empty())
    principal.owner = call.actor().name;
  if (control.parts().directory.current()->find(principal.name)) {
    return fail(Errc::conflict, "principal \"{}\" exists already", principal.name);
  }
  CHECK_OK(control.report(call, "principal.create", "principal:" + principal.name, "",
                          json::serialize(render(principal))));
  CHECK_OK(control.parts().principals.add_principal(principal));
  CHECK_OK(control.publish_directory());
  principal.epoch = 1;
  return json_response(render(principal), 201);
}

Answer show_principal(Control& control, const Call& call) {
  TRY(auto principal, find(control, call));
  return json_response(render(*principal));
}

Answer update_principal(Control& control, const Call& call) {
  TRY(auto before, find(control, call));
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  Principal after = *before;
  read_common(fields, after);
  CHECK_OK(fields.finish());
  return change(control, call, "principal.update", *before, after);
}

Answer disable_principal(Control& control, const Call& call) {
  return set_disabled(control, call, true);
}
Answer enable_principal(Control& control, const Call& call) {
  return set_disabled(control, call, false);
}

Answer delete_principal(Control& control, const Call& call) {
  TRY(auto before, find(control, call));
  CHECK_OK(check_admin_remains(control, *before, nullptr));
  CHECK_OK(control.report(call, "principal.delete", "principal:" + before->name,
                          json::serialize(render(*before)), ""));
  CHECK_OK(control.parts().principals.remove_principal(before->name));
  CHECK_OK(control.publish_directory());
  return Response{.status = 204, .content_type = ""};
}

}  // namespace sluice::admin::handlers
