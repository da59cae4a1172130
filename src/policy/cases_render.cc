// Results of cases as text, TAP 14 (testanything.org) and JUnit XML.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "policy/cases.h"

namespace sluice::policy {
namespace {

std::size_t count_failed(const std::vector<CaseResult>& results) {
  return static_cast<std::size_t>(std::ranges::count(results, false, &CaseResult::passed));
}

// TAP: '#' starts a directive, and a line is a line.
std::string tap_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '#' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

}  // namespace

std::string render_text(const std::vector<CaseResult>& results) {
  std::string out;
  for (const CaseResult& result : results) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", result.passed ? "ok    " : "FAILED", result.name);
    if (result.passed) continue;
    for (const std::string& failure : result.failures)
      fmt::format_to(std::back_inserter(out), "         {}\n", failure);
    if (!result.got.empty()) fmt::format_to(std::back_inserter(out), "         got: {}\n", result.got);
    fmt::format_to(std::back_inserter(out), "         at {}:{}\n", result.file, result.line);
  }
  fmt::format_to(std::back_inserter(out), "{} cases, {} failed\n", results.size(), count_failed(results));
  return out;
}

std::string render_tap(const std::vector<CaseResult>& results) {
  std::string out = fmt::format("TAP version 14\n1..{}\n", results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const CaseResult& result = results[i];
    fmt::format_to(std::back_inserter(out), "{} {} - {}\n", result.passed ? "ok" : "not ok", i + 1,
                   tap_text(result.name));
    for (const std::string& failure : result.failures) {
      fmt::format_to(std::back_inserter(out), "# {}:{}: {}\n", result.file, result.line, tap_text(failure));
    }
  }
  return out;
}

std::string render_junit(const std::vector<CaseResult>& results) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sluice policy\" tests=\"{}\" "
      "failures=\"{}\">\n",
      results.size(), count_failed(results));
  for (const CaseResult& result : results) {
    fmt::format_to(std::back_inserter(out),
                   "  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"", xml_text(result.file),
                   xml_text(result.name), xml_text(result.file), result.line);
    if (result.passed) {
      out += "/>\n";
      continue;
    }
    fmt::format_to(std::back_inserter(out), ">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                   xml_text(fmt::format("{}", fmt::join(result.failures, "; "))), xml_text(result.got));
  }
  return out + "</testsuite>\n";
}

}  // namespace sluice::policy
