// Directory: who exists, which tokens speak for them, and which roles of a connection they may ask for.
//
//   PublishedReader<DirectorySnapshot> directory{shared_directory};           // one per worker
//   auto who = directory.current().authenticate(password, clock.now());
//   if (!who) { audit(who.error().cause, who.error().principal); refuse(who.error().client_message()); }
//
// A DirectorySnapshot is immutable; every change makes a new one and publishes it (`Directory::replace`), so
// that live sessions see a revocation with one relaxed load (`Directory::version`). A session calls
// `still_valid` when the version has risen: the answer is the current Principal (whose epoch may have risen:
// decide anew) or why the session must end.
//
// Threads: both classes are thread-safe.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/published.h"
#include "core/result.h"
#include "model/connection.h"
#include "model/ids.h"
#include "model/principal.h"

namespace sluice::identity {

// What is kept of a token. Never the token.
struct TokenEntry {
  TokenId id;
  Digest hash{};
  std::string principal;
  std::string label;  // the operator's word for it: "ana's laptop"
  WallTime created;
  std::string created_by;
  std::optional<WallTime> expires;  // nullopt: until revoked
  std::optional<WallTime> revoked;
};

// Why a credential was not accepted. For the audit trail; the client always hears the same sentence.
enum class AuthenticationCause : std::uint8_t {
  malformed = 1,  // not a token at all, or mistyped: the CRC disagrees
  unknown_token = 2,
  wrong_secret = 3,  // the id exists, the secret does not match: somebody is guessing
  revoked_token = 4,
  expired_token = 5,
  unknown_principal = 6,
  disabled_principal = 7,
};
std::string_view to_string(AuthenticationCause cause);

struct AuthenticationFailure {
  AuthenticationCause cause = AuthenticationCause::malformed;
  TokenId token;          // empty when malformed
  std::string principal;  // set only when the secret was right

  // The same for every cause, so that a guesser learns nothing.
  Error error() const;
};

struct Authenticated {
  std::shared_ptr<const Principal> principal;
  TokenId token;
  std::optional<WallTime> expires;  // the session must end by then
};
using AuthenticationResult = std::expected<Authenticated, AuthenticationFailure>;

class DirectorySnapshot {
 public:
  DirectorySnapshot() = default;
  DirectorySnapshot(std::vector<Principal> principals, std::vector<TokenEntry> tokens);

  // Compares hashes in constant time. Costs one SHA-256 and two hash look-ups.
  AuthenticationResult authenticate(std::string_view token, WallTime now) const;

  // The same questions for a session that has authenticated before.
  AuthenticationResult still_valid(const TokenId& token, WallTime now) const;

  // Null when there is none; a disabled principal is found and says so itself.
  std::shared_ptr<const Principal> find(std::string_view name) const;
  const TokenEntry* find_token(const TokenId& id) const;

  const auto& principals() const { return principals_; }
  const auto& tokens() const { return tokens_; }

 private:
  AuthenticationResult check(const TokenEntry& token, WallTime now) const;

  std::map<std::string, std::shared_ptr<const Principal>, std::less<>> principals_;
  std::unordered_map<TokenId, TokenEntry> tokens_;
};

using Directory = Published<DirectorySnapshot>;

// The role that `alias` names on this connection, when the principal belongs to one of its groups.
// Errc::forbidden otherwise, with one message for "no such role" and "not yours". The pointer lives as long
// as the connection.
Result<const ConnectionRole*> may_use_role(const Principal& principal, const Connection& connection,
                                           std::string_view alias);

// Sluice's own roles (Principal::roles): what a principal may do to the gateway itself.
inline constexpr std::string_view kRoleAdmin = "admin";        // everything but approving its own requests
inline constexpr std::string_view kRoleAuditor = "auditor";    // reads everything, changes nothing
inline constexpr std::string_view kRoleApprover = "approver";  // what rules name as role:approver
inline constexpr std::string_view kRoleMember = "member";      // every principal that is not disabled
bool has_role(const Principal& principal, std::string_view role);
bool is_known_role(std::string_view role);
bool is_member_of(const Principal& principal, std::string_view group);

}  // namespace sluice::identity
