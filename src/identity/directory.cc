#include "identity/directory.h"

#include <algorithm>

#include "identity/authenticator.h"
#include "identity/token.h"

namespace sluice::identity {

std::string_view to_string(AuthenticationCause cause) {
  switch (cause) {
    case AuthenticationCause::malformed: return "malformed";
    case AuthenticationCause::unknown_token: return "unknown_token";
    case AuthenticationCause::wrong_secret: return "wrong_secret";
    case AuthenticationCause::revoked_token: return "revoked_token";
    case AuthenticationCause::expired_token: return "expired_token";
    case AuthenticationCause::unknown_principal: return "unknown_principal";
    case AuthenticationCause::disabled_principal: return "disabled_principal";
  }
  return "malformed";
}

Error AuthenticationFailure::error() const {
  return {Errc::unauthenticated, "the token is not valid here: unknown, expired or revoked"};
}

DirectorySnapshot::DirectorySnapshot(std::vector<Principal> principals, std::vector<TokenEntry> tokens) {
  for (auto& principal : principals) {
    auto name = principal.name;
    principals_.insert_or_assign(std::move(name), std::make_shared<const Principal>(std::move(principal)));
  }
  tokens_.reserve(tokens.size());
  for (auto& token : tokens) {
    auto id = token.id;
    tokens_.insert_or_assign(std::move(id), std::move(token));
  }
}

AuthenticationResult DirectorySnapshot::authenticate(std::string_view text, WallTime now) const {
  auto id = parse_token(text);
  if (!id) return std::unexpected(AuthenticationFailure{AuthenticationCause::malformed, {}, {}});
  // The hash is computed whether or not the id exists, so that time does not tell existing ids apart.
  const auto hash = hash_token(text);
  const auto* token = find_token(*id);
  if (token == nullptr) {
    return std::unexpected(AuthenticationFailure{AuthenticationCause::unknown_token, *id, {}});
  }
  if (!equal_constant_time(hash, token->hash)) {
    return std::unexpected(AuthenticationFailure{AuthenticationCause::wrong_secret, *id, {}});
  }
  return check(*token, now);
}

AuthenticationResult DirectorySnapshot::still_valid(const TokenId& id, WallTime now) const {
  const auto* token = find_token(id);
  if (token == nullptr) {
    return std::unexpected(AuthenticationFailure{AuthenticationCause::unknown_token, id, {}});
  }
  return check(*token, now);
}

AuthenticationResult DirectorySnapshot::check(const TokenEntry& token, WallTime now) const {
  const auto refuse = [&](AuthenticationCause cause) {
    return std::unexpected(AuthenticationFailure{cause, token.id, token.principal});
  };
  if (token.revoked) return refuse(AuthenticationCause::revoked_token);
  if (token.expires && *token.expires <= now) return refuse(AuthenticationCause::expired_token);
  auto principal = find(token.principal);
  if (!principal) return refuse(AuthenticationCause::unknown_principal);
  if (principal->disabled) return refuse(AuthenticationCause::disabled_principal);
  return Authenticated{std::move(principal), token.id, token.expires};
}

std::shared_ptr<const Principal> DirectorySnapshot::find(std::string_view name) const {
  auto at = principals_.find(name);
  return at == principals_.end() ? nullptr : at->second;
}

const TokenEntry* DirectorySnapshot::find_token(const TokenId& id) const {
  auto at = tokens_.find(id);
  return at == tokens_.end() ? nullptr : &at->second;
}

Result<const ConnectionRole*> may_use_role(const Principal& principal, const Connection& connection,
                                           std::string_view alias) {
  for (const auto& role : connection.roles) {
    if (role.alias != alias) continue;
    if (std::ranges::any_of(role.groups, [&](const auto& group) { return is_member_of(principal, group); })) {
      return &role;
    }
    break;
  }
  return fail(Errc::forbidden, "principal \"{}\" may not use role \"{}\" on connection \"{}\"",
              principal.name, alias, connection.name);
}

bool has_role(const Principal& principal, std::string_view role) {
  if (principal.disabled) return false;
  return role == kRoleMember || std::ranges::find(principal.roles, role) != principal.roles.end();
}

bool is_known_role(std::string_view role) {
  return role == kRoleAdmin || role == kRoleAuditor || role == kRoleApprover || role == kRoleMember;
}

bool is_member_of(const Principal& principal, std::string_view group) {
  return !principal.disabled && std::ranges::find(principal.groups, group) != principal.groups.end();
}

AuthenticationResult TokenAuthenticator::authenticate(const Credentials& credentials, WallTime now) const {
  return directory_.current()->authenticate(credentials.token, now);
}

}  // namespace sluice::identity
