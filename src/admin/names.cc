#include "admin/names.h"

#include <algorithm>

#include "core/encoding.h"

namespace sluice::admin {

Result<void> check_name(std::string_view what, std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto fits = [&](char c) { return alphanumeric(c) || std::string_view("._-@+").contains(c); };
  if (name.empty() || name.size() > kMaxNameLength || !alphanumeric(name.front()) ||
      !std::ranges::all_of(name, fits)) {
    return fail(Errc::invalid_argument,
                "{}: 1 to {} letters, digits and . _ - @ +, beginning with a letter or digit", what,
                kMaxNameLength);
  }
  return {};
}

Result<void> check_label(std::string_view what, std::string_view label) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (label.empty() || label.size() > kMaxLabelLength || !is_valid_utf8(label) ||
      std::ranges::any_of(label, control)) {
    return fail(Errc::invalid_argument, "{}: 1 to {} bytes of text without control characters", what,
                kMaxLabelLength);
  }
  return {};
}

Result<void> check_labels(std::string_view what, const std::vector<std::string>& labels) {
  if (labels.size() > kMaxListLength)
    return fail(Errc::invalid_argument, "{}: at most {}", what, kMaxListLength);
  for (const auto& label : labels) CHECK_OK(check_label(what, label));
  return {};
}

}  // namespace sluice::admin
