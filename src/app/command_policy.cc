// `sluice policy check|test|schema`: offline, on files. The same loader as the gateway's, so what passes here
// loads there.
#include <cstdio>

#include "app/command_local.h"
#include "app/exit_codes.h"
#include "app/files.h"
#include "core/crypto.h"
#include "policy/cases.h"
#include "policy/policy_set.h"
#include "policy/rule.h"
#include "policy/schema.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sluice::app::commands {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxCasesBytes = 4u << 20;  // thousands of cases

void print_problems(const std::vector<policy::Problem>& problems) {
  for (const auto& problem : problems) std::fprintf(stderr, "%s\n", policy::to_string(problem).c_str());
}

}  // namespace

int policy_check(const std::string& folder, Output output) {
  initialise_crypto();
  const auto loaded = policy::load_folder(folder, 1);
  if (output == Output::json) {
    json::array problems;
    for (const auto& problem : loaded.problems) {
      problems.push_back(json::object{{"severity", policy::to_string(problem.severity)},
                                      {"file", problem.file},
                                      {"line", problem.line},
                                      {"column", problem.column},
                                      {"message", problem.message},
                                      {"hint", problem.hint}});
    }
    const json::object answer{{"valid", loaded.policy != nullptr}, {"problems", std::move(problems)}};
    std::fputs(render_json(answer).c_str(), stdout);
  } else {
    print_problems(loaded.problems);
    if (loaded.policy)
      std::printf("%s: %zu rules, fine\n", folder.c_str(), loaded.policy->summaries().size());
  }
  return static_cast<int>(loaded.policy ? Exit::done : Exit::failed);
}

int policy_test(const std::string& folder, const std::vector<std::string>& files, const std::string& format) {
  initialise_crypto();
  const auto loaded = policy::load_folder(folder, 1);
  print_problems(loaded.problems);
  if (!loaded.policy) return static_cast<int>(Exit::failed);
  std::vector<policy::CaseResult> results;
  for (const auto& file : files) {
    auto text = read_file(file, kMaxCasesBytes);
    if (!text) return report(text.error());
    const auto read = policy::read_cases(file, *text);
    print_problems(read.problems);
    if (policy::has_errors(read.problems)) return static_cast<int>(Exit::failed);
    for (auto& result : policy::run_cases(loaded.policy, read.cases)) results.push_back(std::move(result));
  }
  const auto rendered = format == "tap"     ? policy::render_tap(results)
                        : format == "junit" ? policy::render_junit(results)
                                            : policy::render_text(results);
  std::fputs(rendered.c_str(), stdout);
  const bool passed = std::ranges::all_of(results, [](const auto& result) { return result.passed; });
  return static_cast<int>(passed ? Exit::done : Exit::failed);
}

int policy_schema() {
  std::fputs(std::string(policy::policy_schema()).c_str(), stdout);
  return static_cast<int>(Exit::done);
}

}  // namespace sluice::app::commands
