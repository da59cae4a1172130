// Problem: one thing that is wrong, or doubtful, in a policy text, at the place where it is.
//
// A load reports all of them, in order of file and place. An error keeps the whole new policy from taking
// effect; a warning does not. `to_string` gives the form that editors and terminals can jump to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::policy {

enum class Severity : std::uint8_t { error, warning };
std::string_view to_string(Severity severity);

struct Problem {
  Severity severity = Severity::error;
  std::string file;          // as it was named to the loader
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // from 1, in characters
  std::string message;       // one sentence, no full stop
  std::string hint;          // what to write instead; may be empty
};

// "10-team.yaml:12:7: error: unknown key 'verbs' (did you mean 'verb'?)"
std::string to_string(const Problem& problem);

bool has_errors(std::span<const Problem> problems);

}  // namespace sluice::policy
