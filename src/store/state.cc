#include "store/state.h"

#include "store/migrations.h"

namespace sluice::store {

State::State(std::unique_ptr<Database> database, Durable durable_reviews)
    : database_(std::move(database)),
      principals(*database_),
      tokens(*database_),
      connections(*database_),
      reviews(*database_, durable_reviews),
      budgets(*database_),
      facts(*database_),
      names(*database_) {}

Result<std::unique_ptr<State>> State::open(const std::filesystem::path& path, Durable reviews) {
  TRY(auto database, Database::open(path, {.exclusive = !path.empty()}));
  CHECK_OK(migrate(*database));
  return std::unique_ptr<State>(new State(std::move(database), reviews));
}

}  // namespace sluice::store
