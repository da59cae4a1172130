#include "policy/problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::policy {

std::string_view to_string(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

std::string to_string(const Problem& problem) {
  std::string text = problem.file.empty() ? "policy" : problem.file;
  if (problem.line != 0) text += fmt::format(":{}:{}", problem.line, problem.column);
  text += fmt::format(": {}: {}", to_string(problem.severity), problem.message);
  if (!problem.hint.empty()) text += fmt::format(" ({})", problem.hint);
  return text;
}

bool has_errors(std::span<const Problem> problems) {
  return std::ranges::any_of(problems, [](const Problem& p) { return p.severity == Severity::error; });
}

}  // namespace sluice::policy
