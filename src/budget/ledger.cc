#include "budget/ledger.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace sluice::budget {
namespace {

constexpr std::size_t kMaxQuotas = 16;      // per take; rules with budgets that match one operation
constexpr std::size_t kSlots = kSteps + 1;  // the window, and the step that is running

std::int64_t step_width(std::chrono::seconds window) {
  auto seconds = std::clamp<std::int64_t>(window.count(), 1, kMaxWindow.count());
  return (seconds + static_cast<std::int64_t>(kSteps) - 1) / static_cast<std::int64_t>(kSteps);
}

// Steps that a window of this width covers, apart from the running one.
std::int64_t steps_of(std::chrono::seconds window, std::int64_t width) {
  auto seconds = std::clamp<std::int64_t>(window.count(), 1, kMaxWindow.count());
  return (seconds + width - 1) / width;
}

std::int64_t seconds_since_epoch(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

struct Ledger::Account {
  std::string key;
  std::int64_t width = 0;   // seconds per step
  std::int64_t span = 0;    // steps that count, apart from the newest
  std::int64_t newest = 0;  // step number
  std::uint64_t total = 0;  // of all that counts
  std::array<std::uint64_t, kSlots> taken{};

  std::uint64_t& slot(std::int64_t step) {
    auto n = static_cast<std::int64_t>(kSlots);
    return taken[static_cast<std::size_t>((step % n + n) % n)];
  }
  std::int64_t oldest() const { return newest - span; }

  // Moves the window on to `step`, dropping what leaves it. Never back.
  void advance(std::int64_t step) {
    if (step <= newest) return;
    if (step - newest > span) {
      taken.fill(0);
      total = 0;
    } else {
      for (std::int64_t s = newest + 1; s <= step; ++s) {
        std::uint64_t& leaving = slot(s - span - 1);
        total -= leaving;
        leaving = 0;
        slot(s) = 0;
      }
    }
    newest = step;
  }

  void add(std::int64_t step, std::uint64_t n) {
    std::uint64_t& here = slot(std::clamp(step, oldest(), newest));
    n = std::min(n, UINT64_MAX - total);
    here += n;
    total += n;
  }

  // A rule's window was changed: what counts goes to the step in which its old step ended, so that it counts
  // longer rather than shorter.
  void adopt(std::chrono::seconds window, std::int64_t now) {
    std::int64_t new_width = step_width(window);
    std::int64_t new_span = steps_of(window, new_width);
    if (new_width == width && new_span == span) return;
    Account old = *this;
    width = new_width;
    span = new_span;
    newest = std::max(floor_div(now, width), floor_div((old.newest + 1) * old.width - 1, width));
    taken.fill(0);
    total = 0;
    for (std::int64_t s = old.oldest(); old.total > 0 && s <= old.newest; ++s) {
      std::int64_t target = floor_div((s + 1) * old.width - 1, width);
      if (target >= oldest()) add(target, old.slot(s));
    }
  }

  // When `n` fits under `limit` if nothing else is taken.
  std::optional<WallTime> frees_at(std::uint64_t n, std::uint64_t limit) {
    if (n > limit) return std::nullopt;
    std::uint64_t left = total;
    for (std::int64_t s = oldest(); s <= newest; ++s) {
      left -= slot(s);
      if (left <= limit - n) return WallTime{std::chrono::seconds{(s + span + 1) * width}};
    }
    return std::nullopt;
  }
};

struct alignas(64) Ledger::Shard {  // a cache line each, so that locks do not disturb each other
  mutable std::mutex mutex;
  std::unordered_map<std::uint64_t, Account> accounts;
  std::int64_t swept = 0;  // seconds since the epoch

  Account* find(std::uint64_t account) {
    auto found = accounts.find(account);
    return found == accounts.end() ? nullptr : &found->second;
  }

  // Drops accounts whose windows are empty; at most once a second, because it visits all.
  void sweep(std::int64_t now) {
    if (now == swept) return;
    swept = now;
    for (auto entry = accounts.begin(); entry != accounts.end();) {
      entry->second.advance(floor_div(now, entry->second.width));
      entry = entry->second.total == 0 ? accounts.erase(entry) : std::next(entry);
    }
  }

  // Before accounts are opened: makes room for that many where idle ones allow it. Not while accounts are
  // open, because an account that was just made is idle, too.
  void make_room(std::size_t count, std::int64_t now, std::size_t max_accounts) {
    if (accounts.size() + count > max_accounts) sweep(now);
  }

  // The account, made if there is room, with its window moved on to `now`.
  Account* open(const Budget& quota, std::int64_t now, std::size_t max_accounts) {
    Account* account = find(quota.account);
    if (!account) {
      if (accounts.size() >= max_accounts) return nullptr;
      account = &accounts[quota.account];
      account->key = quota.key;
      account->width = step_width(quota.window);
      account->span = steps_of(quota.window, account->width);
      account->newest = floor_div(now, account->width);
    }
    account->adopt(quota.window, now);
    account->advance(floor_div(now, account->width));
    return account;
  }
};

namespace {

inline std::size_t shard_of(std::uint64_t account, std::size_t shards) {
  return static_cast<std::size_t>(account >> 32) % shards;
}

}  // namespace

Ledger::Ledger(std::size_t max_accounts)
    : max_per_shard_(std::max<std::size_t>(1, max_accounts / kShards)),
      shards_(std::make_unique<std::array<Shard, kShards>>()) {}
Ledger::~Ledger() = default;

std::optional<Exhausted> Ledger::take(std::span<const Budget* const> quotas, std::uint64_t n, WallTime now) {
  if (quotas.empty()) return std::nullopt;
  if (quotas.size() > kMaxQuotas) return Exhausted{.rule = quotas[kMaxQuotas]->rule, .ledger_full = true};
  std::int64_t seconds = seconds_since_epoch(now);

  // All locks that are needed, in one order, so that two takes cannot wait for each other.
  std::uint64_t needed = 0;  // bit n: shard n
  static_assert(kShards <= 64);
  for (const Budget* quota : quotas) needed |= std::uint64_t{1} << shard_of(quota->account, kShards);
  std::array<std::unique_lock<std::mutex>, kMaxQuotas> locks;
  std::size_t held = 0;
  for (std::uint64_t rest = needed; rest != 0; rest &= rest - 1) {
    locks[held++] = std::unique_lock{(*shards_)[static_cast<std::size_t>(__builtin_ctzll(rest))].mutex};
  }

  for (std::uint64_t rest = needed; rest != 0; rest &= rest - 1) {
    (*shards_)[static_cast<std::size_t>(__builtin_ctzll(rest))].make_room(quotas.size(), seconds,
                                                                          max_per_shard_);
  }

  std::array<Account*, kMaxQuotas> accounts;
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    const Budget& quota = *quotas[i];
    Account* account = (*shards_)[shard_of(quota.account, kShards)].open(quota, seconds, max_per_shard_);
    if (!account) return Exhausted{.rule = quota.rule, .ledger_full = true};
    std::uint64_t remaining = quota.records - std::min(quota.records, account->total);
    if (n > remaining) {
      return Exhausted{
          .rule = quota.rule, .remaining = remaining, .frees_at = account->frees_at(n, quota.records)};
    }
    accounts[i] = account;
  }
  for (std::size_t i = 0; i < quotas.size(); ++i) accounts[i]->add(accounts[i]->newest, n);
  return std::nullopt;
}

std::optional<std::uint64_t> Ledger::remaining(std::span<const Budget* const> quotas, WallTime now) const {
  std::optional<std::uint64_t> smallest;
  std::int64_t seconds = seconds_since_epoch(now);
  for (const Budget* quota : quotas) {
    Shard& shard = (*shards_)[shard_of(quota->account, kShards)];
    std::lock_guard lock{shard.mutex};
    std::uint64_t taken = 0;
    if (Account* account = shard.find(quota->account)) {
      account->adopt(quota->window, seconds);
      account->advance(floor_div(seconds, account->width));
      taken = account->total;
    }
    std::uint64_t left = quota->records - std::min(quota->records, taken);
    smallest = smallest ? std::min(*smallest, left) : left;
  }
  return smallest;
}

std::vector<AccountState> Ledger::snapshot(WallTime now) const {
  std::vector<AccountState> states;
  std::int64_t seconds = seconds_since_epoch(now);
  for (Shard& shard : *shards_) {
    std::lock_guard lock{shard.mutex};
    for (auto& [id, account] : shard.accounts) {
      account.advance(floor_div(seconds, account.width));
      if (account.total == 0) continue;
      AccountState state{.key = account.key, .step = std::chrono::seconds{account.width}, .steps = {}};
      for (std::int64_t s = account.oldest(); s <= account.newest; ++s) {
        if (std::uint64_t n = account.slot(s); n > 0) state.steps.push_back({s, n});
      }
      states.push_back(std::move(state));
    }
  }
  std::ranges::sort(states, {}, &AccountState::key);
  return states;
}

std::size_t Ledger::restore(std::span<const AccountState> states, WallTime now) {
  std::size_t left_out = 0;
  std::int64_t seconds = seconds_since_epoch(now);
  for (const AccountState& state : states) {
    // The rule's window is not known here. Steps of the stored width make the longest window that they can
    // stand for; the first take adopts the rule's own.
    std::chrono::seconds window =
        std::clamp(state.step, std::chrono::seconds{1}, kMaxWindow / int{kSteps}) * int{kSteps};
    Budget quota{.key = state.key, .account = budget_account(state.key), .window = window};
    Shard& shard = (*shards_)[shard_of(quota.account, kShards)];
    std::lock_guard lock{shard.mutex};
    shard.make_room(1, seconds, max_per_shard_);
    Account* account = shard.open(quota, seconds, max_per_shard_);
    if (!account) {
      ++left_out;
      continue;
    }
    bool sane = window == state.step * int{kSteps};
    for (const AccountState::Step& step : state.steps) {
      if (sane && step.index >= 0 && step.index < account->oldest()) continue;  // no longer counts
      account->add(sane && step.index >= 0 ? step.index : account->newest, step.taken);
    }
  }
  return left_out;
}

std::size_t Ledger::accounts() const {
  std::size_t count = 0;
  for (Shard& shard : *shards_) {
    std::lock_guard lock{shard.mutex};
    count += shard.accounts.size();
  }
  return count;
}

}  // namespace sluice::budget
