#include "policy/policy_set.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "core/byte_writer.h"
#include "core/bytes.h"
#include "policy/check.h"
#include "policy/mask_sets.h"
#include "policy/rule_hits.h"
#include "policy/syntax.h"

namespace sluice::policy {

struct PolicySet::Vouch : VouchEntry {};

PolicySet::PolicySet() : masks_(std::make_unique<MaskInterner>()) {}
PolicySet::~PolicySet() = default;

// The only maker of PolicySets.
struct PolicyLoader {
  static std::shared_ptr<PolicySet> make() { return std::shared_ptr<PolicySet>{new PolicySet}; }

  static Loaded load(const std::map<std::string, std::string>& texts, std::uint64_t version) {
    Loaded loaded;
    std::shared_ptr<PolicySet> policy = make();
    policy->version_ = version;
    Sha256 digest;
    for (const auto& [file, text] : texts) {
      ParsedFile parsed = parse_policy(file, text);
      std::ranges::move(parsed.problems, std::back_inserter(loaded.problems));
      std::ranges::move(parsed.rules, std::back_inserter(policy->rules_));
      for (VouchEntry& vouch : parsed.vouches) policy->vouches_.push_back({std::move(vouch)});
      std::string sizes;
      ByteWriter{sizes}.u64(file.size()).u64(text.size());
      digest.update(sizes).update(file).update(text);
      policy->texts_.emplace(file, text);
    }
    policy->digest_ = digest.finish();
    policy->hits_ = std::make_unique<RuleHits>(policy->rules_.size());
    if (policy->rules_.size() > kMaxRules) {
      loaded.problems.push_back(
          {Severity::error, {}, 0, 0, fmt::format("more than {} rules", kMaxRules), {}});
    } else {
      std::ranges::move(check_rules(policy->rules_), std::back_inserter(loaded.problems));
    }
    std::ranges::sort(loaded.problems, {},
                      [](const Problem& p) { return std::tie(p.file, p.line, p.column, p.message); });
    if (!has_errors(loaded.problems)) loaded.policy = std::move(policy);
    return loaded;
  }
};

namespace {

Loaded refused(std::string file, std::string message, std::string hint = {}) {
  return {nullptr, {{Severity::error, std::move(file), 0, 0, std::move(message), std::move(hint)}}};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) return fail(Errc::unavailable, "cannot be opened");
  // One byte more than allowed is enough to know that it is too large, whatever the file grows to meanwhile.
  std::string text(kMaxFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(Errc::unavailable, "cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The rule's own lines, without the list's dash and the indentation that they share.
std::string excerpt(const std::vector<std::string_view>& lines, const Rule& rule) {
  std::string excerpt;
  std::size_t indent = rule.place.column - 1;
  for (std::size_t n = rule.place.line; n <= std::min<std::size_t>(rule.last_line, lines.size()); ++n) {
    std::string_view line = lines[n - 1];
    std::size_t blank = n == rule.place.line ? indent : std::min(indent, line.find_first_not_of(' '));
    excerpt += line.substr(std::min(blank, line.size()));
    excerpt += '\n';
  }
  return excerpt;
}

}  // namespace

std::vector<RuleSummary> PolicySet::summaries() const {
  std::vector<RuleSummary> all;
  all.reserve(rules_.size());
  std::map<std::string_view, std::vector<std::string_view>> lines;
  for (const auto& [file, text] : texts_) lines.emplace(file, lines_of(text));
  for (std::size_t number = 0; number < rules_.size(); ++number) {
    const Rule& rule = rules_[number];
    all.push_back({.name = rule.name,
                   .description = rule.description,
                   .file = rule.file,
                   .line = rule.place.line,
                   .effects = describe_effects(rule),
                   .text = excerpt(lines[rule.file], rule),
                   .shadow = rule.shadow,
                   .hits = hits_->count(number)});
  }
  return all;
}

const Rule* PolicySet::find(std::string_view name) const {
  auto found = std::ranges::find(rules_, name, &Rule::name);
  return found == rules_.end() ? nullptr : &*found;
}

std::vector<std::string> PolicySet::vouched_functions(std::string_view connection) const {
  std::vector<std::string> functions;
  for (const Vouch& vouch : vouches_) {
    if (std::ranges::none_of(vouch.connections, [&](const ValuePattern& p) { return p.matches(connection); }))
      continue;
    functions.insert(functions.end(), vouch.functions.begin(), vouch.functions.end());
  }
  std::ranges::sort(functions);
  auto repeated = std::ranges::unique(functions);
  functions.erase(repeated.begin(), repeated.end());
  return functions;
}

bool PolicySet::masks_on(std::string_view connection) const {
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    const auto& named = rule.match.connections;
    return !rule.shadow && !rule.mask.empty() &&
           (named.empty() ||
            std::ranges::any_of(named, [&](const ValuePattern& p) { return p.matches(connection); }));
  });
}

Loaded load_texts(const std::map<std::string, std::string>& texts, std::uint64_t version) {
  if (texts.empty()) return refused({}, "there are no policy files");
  return PolicyLoader::load(texts, version);
}

Loaded load_folder(const std::filesystem::path& folder, std::uint64_t version) {
  std::map<std::string, std::string> texts;
  std::vector<Problem> problems;
  auto unreadable = [&](std::string file, std::string message, std::string hint = {}) {
    problems.push_back({Severity::error, std::move(file), 0, 0, std::move(message), std::move(hint)});
  };
  std::error_code error;
  std::filesystem::directory_iterator entries{folder, error};
  if (error) return refused(folder.string(), fmt::format("the folder cannot be read: {}", error.message()));
  for (std::filesystem::directory_iterator end; !error && entries != end; entries.increment(error)) {
    std::string name = entries->path().filename().string();
    if (name.starts_with('.')) continue;
    if (name.ends_with(".yml"))
      unreadable(name, "policy files end in .yaml", "rename it, so that it is not overlooked");
    if (!name.ends_with(".yaml")) continue;
    std::error_code status;
    if (!entries->is_regular_file(status)) {
      unreadable(name, status ? status.message() : "is not a file");
      continue;
    }
    if (texts.size() == kMaxFiles) {
      unreadable(name, fmt::format("more than {} policy files", kMaxFiles));
      break;
    }
    if (auto text = read_file(entries->path())) {
      texts.emplace(name, std::move(*text));
    } else {
      unreadable(name, text.error().detail);
    }
  }
  if (error) return refused(folder.string(), fmt::format("the folder cannot be read: {}", error.message()));
  if (texts.empty() && problems.empty()) {
    return refused(folder.string(), "there are no policy files (*.yaml) in the folder");
  }
  Loaded loaded = texts.empty() ? Loaded{} : PolicyLoader::load(texts, version);
  std::ranges::move(problems, std::back_inserter(loaded.problems));
  if (!problems.empty()) loaded.policy = nullptr;
  return loaded;
}

}  // namespace sluice::policy
