#include "proxy/pg/exchange/written_back.h"

#include "systems/postgres/rewrite/masks/mask_json.h"

namespace sluice::proxy::pg {
namespace {

namespace rewrite = postgres::rewrite;
using rewrite::WrittenParameter;

// For a column that may not be written. The binary form of jsonb is its text behind one byte.
bool is_too_much(const WrittenParameter& parameter, std::string_view value) {
  return parameter.hidden_keys.empty() || rewrite::may_hold_key(parameter.hidden_keys, value);
}

bool is_refused(const WrittenParameter& parameter, const BoundValue& value) {
  if (parameter.must_be_null) return value.value && is_too_much(parameter, as_text(*value.value));
  if (!value.value) return !parameter.own.text && parameter.null_is_own;
  return value.format == wire::pg::Format::binary
             ? rewrite::is_own_output_in_binary(parameter.own, *value.value)
             : rewrite::is_own_output(parameter.own, as_text(*value.value));
}

bool is_refused(const WrittenParameter& parameter, const postgres::sql::Expr* argument) {
  const auto value = rewrite::written_literal(argument);
  if (parameter.must_be_null) return !value || (*value && is_too_much(parameter, **value));
  if (!value) return false;  // computed
  return *value ? rewrite::is_own_output(parameter.own, **value)
                : !parameter.own.text && parameter.null_is_own;
}

template <class Values>
std::optional<Denial> refuse(std::span<const WrittenParameter> written, const Values& values) {
  for (const WrittenParameter& parameter : written) {
    const auto at = static_cast<std::size_t>(parameter.number) - 1;
    if (at >= values.size() || !is_refused(parameter, values[at])) continue;
    return parameter.must_be_null ? rewrite::unwritable_denial(parameter.column, parameter.rule)
                                  : rewrite::own_output_denial(parameter.column, parameter.rule);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Denial> refuse_written_back(std::span<const WrittenParameter> written,
                                          std::span<const BoundValue> values) {
  return refuse(written, values);
}

std::optional<Denial> refuse_written_back(std::span<const WrittenParameter> written,
                                          postgres::sql::Exprs arguments) {
  return refuse(written, arguments);
}

}  // namespace sluice::proxy::pg
