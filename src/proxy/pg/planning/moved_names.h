// MovedNames: whether an earlier statement of a query text changes what names mean: the search_path, or the
// schema, or the end of a transaction that has changed them. All statements of a text are planned before the
// first of them runs; what a name means after one that moves names about nobody knows yet, so what may name
// something is refused behind it.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/pg/planning/plan.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

class MovedNames {
 public:
  // `in_transaction`: the open transaction has moved names before this text.
  explicit MovedNames(bool in_transaction) : in_transaction_(in_transaction) {}

  // This statement of the text has been planned, and comes before the next.
  void pass(const Plan& plan);

  // Nullopt where the plan means the same as when it was made.
  std::optional<wire::pg::ErrorFields> refuse(const Plan& plan) const;
  // A relation that is not there: which one it will be is not known. Nullopt: it does not exist.
  std::optional<wire::pg::ErrorFields> refuse(std::string_view missing_relation) const;

 private:
  bool in_transaction_;
  std::string_view how_;  // an earlier statement has moved them, in words; empty: none has
};

}  // namespace sluice::proxy::pg
