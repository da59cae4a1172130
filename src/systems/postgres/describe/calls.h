// Who vouches for what a statement calls: functions, operators, casts with a function of somebody's own, and
// functions called in the form of a column (`row.function`).
//
// Unlike for statements on masked relations (checks/vouch.h), where everything that is not known is refused,
// operators written in C pass whatever extension they belong to: only a superuser can have made them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/describe/describe.h"

namespace sluice::postgres {

class Calls {
 public:
  explicit Calls(const DescribeContext& context) : context_(context) {}

  FunctionClass function(const sql::FunctionCall& call);
  void operator_of(const sql::OperatorExpr& operation);
  void operator_named(sql::Names name);
  void type(const sql::TypeName& name);
  // `name` stands where a column of a row would, and is none that is known.
  void field(std::string_view name);

  std::vector<std::string> take_reasons() { return std::move(reasons_); }
  std::vector<std::string> take_functions() { return std::move(functions_); }

 private:
  bool is_vouched(std::string_view schema, std::string_view name) const {
    return context_.vouched != nullptr && context_.vouched->contains(schema, name);
  }
  // The first of that name that nobody vouches for, as a policy names its definition.
  std::optional<std::string> definition_of(std::string_view schema, std::string_view name) const;
  bool has_scripted_operator(std::string_view schema, std::string_view symbol) const;
  void refuse(std::string full, std::string reason);

  const DescribeContext& context_;
  std::vector<std::string> reasons_;
  std::vector<std::string> functions_;
};

}  // namespace sluice::postgres
