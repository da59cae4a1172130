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
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"
#include "gate/permit.h"
#include "proxy/pg/plan.h"
#include "proxy/pg/result_shape.h"

namespace sluice::proxy::pg {

inline constexpr std::size_t kMaxStatements =
    10'000;  // per session; a client that leaks names must not take our memory
inline constexpr std::size_t kMaxPortals = 10'000;
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
};

class Names {
 public:
  std::shared_ptr<Prepared> statement(std::string_view name) const { return find(statements_, name); }
  std::shared_ptr<Portal> portal(std::string_view name) const { return find(portals_, name); }
  std::size_t statement_count() const { return statements_.size(); }
  std::size_t portal_count() const { return portals_.size(); }

  // What stood there before, so that a failure can put it back.
  template <class T>
  struct Replaced {
    std::string name;
    std::shared_ptr<T> before;
    std::shared_ptr<T> after;
  };
  using Change = std::variant<Replaced<Prepared>, Replaced<Portal>>;

  Replaced<Prepared> set_statement(std::string_view name, std::shared_ptr<Prepared> next) {
    return replace(statements_, name, std::move(next));
  }
  Replaced<Portal> set_portal(std::string_view name, std::shared_ptr<Portal> next) {
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
    std::erase_if(portals_, [](const auto& entry) { return !entry.second->hold; });
  }

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
  template <class T>
  static Replaced<T> replace(Map<T>& map, std::string_view name, std::shared_ptr<T> next) {
    Replaced<T> change{std::string{name}, find(map, name), next};
    if (next) {
      map.insert_or_assign(change.name, std::move(next));
    } else {
      map.erase(change.name);
    }
    return change;
  }
  template <class T, class Changes>
  static void drop_named(Map<T>& map, Changes& changes) {
    for (auto at = map.begin(); at != map.end();) {
      if (at->first.empty()) {
        ++at;
        continue;
      }
      changes.emplace_back(Replaced<T>{at->first, std::move(at->second), nullptr});
      at = map.erase(at);
    }
  }
  template <class T>
  static void restore(Map<T>& map, const Replaced<T>& change) {
    if (find(map, change.name) != change.after) return;  // something later stands there by now
    if (change.before) {
      map.insert_or_assign(change.name, change.before);
    } else {
      map.erase(change.name);
    }
  }

  Map<Prepared> statements_;
  Map<Portal> portals_;
  std::uint64_t count_ = 0;
};

using NameChange = Names::Change;

}  // namespace sluice::proxy::pg
