// CatalogueRead: where a session stands in asking its server about the catalogue (gateway_queries.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "systems/postgres/catalogue/loader.h"

namespace sluice::proxy::pg {

struct CatalogueRead {
  enum class Stage { path, staleness, load };
  Stage stage = Stage::path;
  bool poll = false;  // ask whether anything has changed, and load only then
  bool load = false;
  int closed = 0;  // CloseComplete of the query that runs: the portal's and the statement's
  std::optional<postgres::Loader> loader;
  std::vector<std::string> path;
  std::string fingerprint;
  std::optional<Error> error;
};

}  // namespace sluice::proxy::pg
