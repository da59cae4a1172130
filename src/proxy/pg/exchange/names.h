// Names: the prepared statements and portals of one session, by the client's names, whichever way they were
// made: by the wire (Parse, Bind) or by SQL (PREPARE, DECLARE). One namespace for both, because the server
// has one. Towards the server they carry gateway-owned names that are never used twice, so that no sequence
// of DEALLOCATE and PREPARE can make a name mean something that was not decided.
//
// What a client sets up becomes part of the namespace at once, because later messages of the same pipeline
// refer to it, and is taken back when the server does not confirm it (`undo`).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"
#include "gate/permit.h"
#include "proxy/pg/exchange/result_shape.h"
#include "proxy/pg/planning/plan.h"

namespace sluice::proxy::pg {

inline constexpr std::size_t kMaxStatements =
    10'000;  // per session; a client that leaks names must not take our memory
inline constexpr std::size_t kMaxPortals = 10'000;
// Bytes per session of what the named ones were made from; planned it takes some 30 times as much.
inline constexpr std::size_t kMaxKeptText = 8 << 20;
inline constexpr std::size_t kMaxKeptParameters =
    64 * 1024;  // bytes of a binding; a longer one is digested only

struct Prepared {
  std::string upstream_name;  // "" for the unnamed one
  std::shared_ptr<const Plan> plan;
  std::vector<std::uint32_t> parameter_types;  // as given in Parse
  std::shared_ptr<const ResultShape> shape;    // once the server has described it
  std::string shape_formats;                   // the result formats (as in Bind) that `shape` is for
  std::optional<gate::PreparePermit> permit;   // of the last decision; good while the policy is the same
  std::uint64_t policy_version = 0;
  bool outdated = false;      // the server has another text than the plan's
  std::size_t kept_text = 0;  // as counted by Names
};

struct Portal {
  std::string upstream_name;
  std::shared_ptr<Prepared> statement;         // null for a cursor made by DECLARE
  std::shared_ptr<const Plan> plan;            // of what it runs
  std::shared_ptr<const Operation> operation;  // with the bound of this binding
  std::shared_ptr<const ResultShape> shape;
  std::string result_formats;  // of its Bind, as on the wire
  std::uint64_t records = 0;   // sent so far, over all executions
  Digest parameters_digest{};  // every bound value
  std::string parameters;      // Bind's parameter section, while it is short enough to keep
  bool hold = false;           // survives the end of its transaction
  std::size_t kept_text = 0;   // as counted by Names
};

class Names {
 public:
  std::shared_ptr<Prepared> statement(std::string_view name) const { return find(statements_, name); }
  std::shared_ptr<Portal> portal(std::string_view name) const { return find(portals_, name); }
  // Whether a session may have one more of that name. The unnamed ones replace each other.
  bool has_room_for_statement(std::string_view name) const { return has_room(statements_, name); }
  bool has_room_for_portal(std::string_view name) const { return has_room(portals_, name); }

  // What stood there before, so that a failure can put it back.
  template <class T>
  struct Replaced {
    std::string name;
    std::shared_ptr<T> before;
    std::shared_ptr<T> after;
  };
  using Change = std::variant<Replaced<Prepared>, Replaced<Portal>>;

  Replaced<Prepared> set_statement(std::string_view name, std::shared_ptr<Prepared> next) {
    if (next) next->kept_text = text_behind(next->plan.get());
    return replace(statements_, name, std::move(next));
  }
  Replaced<Portal> set_portal(std::string_view name, std::shared_ptr<Portal> next) {
    if (next) next->kept_text = text_behind(next->plan.get()) + next->parameters.size();
    return replace(portals_, name, std::move(next));
  }
  // Takes changes back, the last one first.
  void undo(std::vector<Change>& changes) {
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
      std::visit([this](const auto& one) { undo(one); }, *change);
    }
    changes.clear();
  }

  // DEALLOCATE ALL: all that have a name. The unnamed one is the wire's alone.
  void drop_all_statements(std::vector<Change>& changes) { drop_named(statements_, changes); }
  // CLOSE ALL.
  void drop_all_portals(std::vector<Change>& changes) { drop_named(portals_, changes); }
  // At the end of a transaction the server drops every portal that is not WITH HOLD.
  void end_transaction() {
    if (portals_.empty()) return;
    ++version_;
    std::erase_if(portals_, [this](const auto& entry) {
      if (!entry.second->hold) kept_text_ -= entry.second->kept_text;
      return !entry.second->hold;
    });
  }

  // Counts what becomes of the names: while it stays, they stand for the same.
  std::uint64_t version() const { return version_; }
  // A copy has given out names for what is sent now: none of them is given out again.
  void go_on_from(const Names& copy) { count_ = std::max(count_, copy.count_); }

  std::string next_statement_name() { return "slc_s" + std::to_string(++count_); }
  std::string next_portal_name() { return "slc_p" + std::to_string(++count_); }

 private:
  template <class T>
  using Map = std::map<std::string, std::shared_ptr<T>, std::less<>>;

  void undo(const Replaced<Prepared>& change) { restore(statements_, change); }
  void undo(const Replaced<Portal>& change) { restore(portals_, change); }
  template <class T>
  static std::shared_ptr<T> find(const Map<T>& map, std::string_view name) {
    const auto at = map.find(name);
    return at == map.end() ? nullptr : at->second;
  }
  // One statement of a text keeps the trees of all of them.
  static std::size_t text_behind(const Plan* plan) {
    if (plan == nullptr) return 0;
    if (plan->parsed == nullptr) return plan->source.size();
    std::size_t bytes = 0;
    for (const auto& statement : plan->parsed->statements()) bytes += statement.text.size();
    return bytes;
  }
  template <class T>
  bool has_room(const Map<T>& map, std::string_view name) const {
    constexpr auto kMost = std::is_same_v<T, Prepared> ? kMaxStatements : kMaxPortals;
    return name.empty() || (map.size() < kMost && kept_text_ < kMaxKeptText);
  }
  template <class T>
  void put(Map<T>& map, const std::string& name, std::shared_ptr<T> next) {
    ++version_;
    if (const auto before = find(map, name)) kept_text_ -= before->kept_text;
    if (next) {
      kept_text_ += next->kept_text;
      map.insert_or_assign(name, std::move(next));
    } else {
      map.erase(name);
    }
  }
  template <class T>
  Replaced<T> replace(Map<T>& map, std::string_view name, std::shared_ptr<T> next) {
    Replaced<T> change{std::string{name}, find(map, name), next};
    put(map, change.name, std::move(next));
    return change;
  }
  template <class T, class Changes>
  void drop_named(Map<T>& map, Changes& changes) {
    ++version_;
    for (auto at = map.begin(); at != map.end();) {
      if (at->first.empty()) {
        ++at;
        continue;
      }
      kept_text_ -= at->second->kept_text;
      changes.emplace_back(Replaced<T>{at->first, std::move(at->second), nullptr});
      at = map.erase(at);
    }
  }
  template <class T>
  void restore(Map<T>& map, const Replaced<T>& change) {
    if (find(map, change.name) != change.after) return;  // something later stands there by now
    put(map, change.name, change.before);
  }

  Map<Prepared> statements_;
  Map<Portal> portals_;
  std::size_t kept_text_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t version_ = 0;
};

using NameChange = Names::Change;

}  // namespace sluice::proxy::pg
