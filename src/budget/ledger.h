// Ledger: how many records each account (rule, principal and connection) has drawn within its window, over
// all sessions of this gateway.
//
//   if (auto refused = ledger.take(ruling.quotas, rows, clock.now())) deny(refused->rule, refused->frees_at);
//
// The window slides in steps of a 32nd: what was taken counts for at least the window and at most a 32nd
// longer. So a budget of 20,000 per hour is never exceeded in any hour. A take that does not fit into every
// quota takes from none. Draw before records leave; what was drawn and not sent stays drawn.
//
// Time is wall time, because windows outlive the process. A clock that goes back frees nothing: the newest
// time that an account has seen holds.
//
// Thread-safe: accounts are spread over locks. Memory is bounded by kMaxAccounts (about 400 bytes each); when
// all are in use within their windows, a take for a new account is refused rather than let through uncounted.
//
// Pure: `snapshot` and `restore` carry the state over a restart; the store does the writing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "model/decision.h"

namespace sluice::budget {

inline constexpr std::size_t kMaxAccounts =
    65'536;                                // principals × connections × budget rules in use at one time
inline constexpr std::size_t kSteps = 32;  // steps of a window
inline constexpr std::chrono::seconds kMaxWindow = std::chrono::days{31};

struct Exhausted {
  std::string rule;
  std::uint64_t remaining = 0;  // of that rule's quota, now
  std::optional<WallTime>
      frees_at;  // when `n` would fit if nothing else is taken; nullopt: more than the whole quota
  bool ledger_full = false;  // not the quota: no room for another account
};

// One account's state, for storage and display.
struct AccountState {
  struct Step {
    std::int64_t index = 0;  // step number since the epoch, in units of `step`
    std::uint64_t taken = 0;
  };
  std::string key;               // as Budget::key
  std::chrono::seconds step{0};  // width of one
  std::vector<Step> steps;       // oldest first; only those with something taken
};

class Ledger {
 public:
  explicit Ledger(std::size_t max_accounts = kMaxAccounts);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // All or nothing. nullopt: granted. At most 16 quotas at once; more are refused.
  std::optional<Exhausted> take(std::span<const Budget* const> quotas, std::uint64_t n, WallTime now);
  // The smallest that is left of these quotas; nullopt: there are none.
  std::optional<std::uint64_t> remaining(std::span<const Budget* const> quotas, WallTime now) const;

  // Everything that still counts at `now`, by key.
  std::vector<AccountState> snapshot(WallTime now) const;
  // Adds to what is there. States that make no sense (unsorted, a step below one second, from the future) are
  // read so that they count longer, not shorter. Returns how many accounts did not fit.
  std::size_t restore(std::span<const AccountState> states, WallTime now);

  std::size_t accounts() const;

 private:
  struct Shard;
  struct Account;
  static constexpr std::size_t kShards = 64;
  std::size_t max_per_shard_;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

}  // namespace sluice::budget
