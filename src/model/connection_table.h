// ConnectionTable: all registered connections at one moment, by name. Immutable once shared.
//
// The control plane builds a new table after each edit and publishes it; workers read it through a
// PublishedReader<ConnectionTable> (core/published.h). A session keeps the `shared_ptr<const Connection>`
// that it started with and compares after the table has changed: gone, disabled, or with `sessions_from`
// above the version that it started with, means that the session ends. Disabled connections stay in the
// table, so that a client hears "disabled" instead of "unknown".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/published.h"
#include "model/connection.h"

namespace sluice {

class ConnectionTable {
 public:
  ConnectionTable() = default;
  explicit ConnectionTable(std::vector<Connection> connections) {
    for (auto& connection : connections) {
      auto name = connection.name;
      by_name_.insert_or_assign(std::move(name), std::make_shared<const Connection>(std::move(connection)));
    }
  }

  // Null when there is none of that name.
  std::shared_ptr<const Connection> find(std::string_view name) const {
    auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }
  const auto& all() const { return by_name_; }  // by name, ascending
  std::size_t size() const { return by_name_.size(); }

 private:
  std::map<std::string, std::shared_ptr<const Connection>, std::less<>> by_name_;
};

using Connections = Published<ConnectionTable>;

}  // namespace sluice
