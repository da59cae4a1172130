#include "model/ids.h"

#include <fmt/format.h>

namespace sluice {

std::string to_string(SessionId id) {
  return fmt::format("{:016x}", id.value);
}

std::string format_operation(SessionId session, OperationId operation) {
  return fmt::format("{:016x}-{}", session.value, operation.value);
}

}  // namespace sluice
