#include "policy/syntax.h"

#include <algorithm>
#include <array>

#include "policy/policy_set.h"
#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

bool is_rule_name(std::string_view name) {
  auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxNameBytes && alphanumeric(name.front()) &&
         std::ranges::all_of(name,
                             [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

// "schema.name(types)", as a refusal and `sluice connection functions` write it.
bool is_signature(std::string_view text) {
  const auto open = text.find('(');
  const auto dot = text.find('.');
  return dot > 0 && open != text.npos && dot < open && dot + 1 < open && text.ends_with(')') &&
         text.find_first_of("*?\\\t") == text.npos;
}

bool is_sha256(std::string_view text) {
  constexpr std::size_t kHexDigits = 64;
  return text.size() == kHexDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// "schema.name", both parts there and plain.
bool is_function_name(std::string_view name) {
  std::size_t dot = name.find('.');
  return dot != name.npos && dot > 0 && dot + 1 < name.size() &&
         name.find_first_of("*?\\() \t,") == name.npos;
}

std::uint32_t last_line_of(const YamlNode& node) {
  std::uint32_t last = node.place.line;
  for (const YamlNode& item : node.items) last = std::max(last, last_line_of(item));
  for (const YamlNode& key : node.keys) last = std::max(last, key.place.line);
  return last;
}

Rule read_rule(const YamlNode& node, Problems& problems) {
  Rule rule;
  rule.file = problems.file();
  rule.place = node.place;
  rule.last_line = last_line_of(node);
  Mapping keys{node,
               "a rule",
               {"name", "description", "match", "when", "allow", "deny", "limit", "budget", "review", "mask",
                "shadow"},
               problems};
  if (!keys.usable()) return rule;
  if (const YamlNode* name = keys.need("name")) {
    if (auto text = read_text(*name, "name", problems)) {
      if (is_rule_name(*text)) {
        rule.name = std::move(*text);
      } else {
        problems.error(name->place, fmt::format("'{}' is not a rule name", *text),
                       "letters, digits, '-', '_' and '.', at most 64, a letter or digit first");
      }
    }
  }
  if (const YamlNode* description = keys.find("description")) {
    rule.description = read_text(*description, "description", problems).value_or("");
  }
  if (const YamlNode* shadow = keys.find("shadow"))
    rule.shadow = read_bool(*shadow, "shadow", problems).value_or(false);
  if (const YamlNode* when = keys.find("when")) {
    problems.error(when->place, "'when' (conditions in CEL) comes later",
                   "say it with 'match' and 'except', or leave the rule out");
  }
  if (const YamlNode* match = keys.need("match", "'match: {}' applies the rule to everything")) {
    rule.match_place = match->place;
    rule.match = read_criteria(*match, "match", true, problems);
    rule.except = read_excepts(*match, problems);
  }
  read_effects(node, rule, problems);
  return rule;
}

VouchEntry read_vouch(const YamlNode& node, Problems& problems) {
  VouchEntry vouch;
  Mapping keys{node, "a vouch entry", {"connection", "function", "functions", "sha256"}, problems};
  if (const YamlNode* connections =
          keys.need("connection", "the connections on which the functions are known")) {
    for (auto& item : read_list(*connections, "connection", problems))
      vouch.connections.emplace_back(item.text);
  }
  if (const YamlNode* function = keys.find("function")) {
    if (const YamlNode* names = keys.find("functions"))
      problems.error(names->place, "'function' and 'functions' are two entries");
    const auto signature = read_text(*function, "function", problems);
    if (signature && !is_signature(*signature))
      problems.error(function->place, fmt::format("'{}' is not the signature of a function", *signature),
                     "schema.name(types), as `sluice connection functions` lists it");
    const YamlNode* hash =
        keys.need("sha256", "of its definition, as `sluice connection functions` lists it");
    const auto sha256 = hash == nullptr ? std::nullopt : read_text(*hash, "sha256", problems);
    if (sha256 && !is_sha256(*sha256))
      problems.error(hash->place, "'sha256' is not 64 hexadecimal digits in lower case");
    if (signature && sha256) vouch.functions.push_back(fmt::format("{}#{}", *signature, *sha256));
  } else if (const YamlNode* names = keys.need("functions")) {
    if (const YamlNode* hash = keys.find("sha256"))
      problems.error(hash->place, "'sha256' goes with 'function'");
    for (auto& item : read_list(*names, "functions", problems)) {
      if (is_function_name(item.text)) {
        vouch.functions.push_back(std::move(item.text));
      } else {
        problems.error(item.place, fmt::format("'{}' does not name one function", item.text),
                       "schema.name, without arguments or '*'");
      }
    }
  }
  return vouch;
}

}  // namespace

std::span<const std::string_view> known_systems() {
  static constexpr std::array<std::string_view, 7> kSystems = {"postgres", "qdrant",   "milvus", "weaviate",
                                                               "chroma",   "pinecone", "elastic"};
  return kSystems;
}

std::span<const std::string_view> verb_names() {
  static const auto names = [] {
    std::array<std::string_view, kVerbCount - 1> all;
    for (int i = 1; i < kVerbCount; ++i)
      all[static_cast<std::size_t>(i - 1)] = to_string(static_cast<Verb>(i));
    return all;
  }();
  return names;
}

ParsedFile parse_policy(std::string_view file, std::string_view text) {
  ParsedFile parsed;
  Problems problems{file};
  if (auto root = read_yaml(text, kMaxFileBytes, problems)) {
    Mapping keys{*root, "a policy file", {"rules", "vouch"}, problems};
    const YamlNode* rules = keys.find("rules");
    const YamlNode* vouch = keys.find("vouch");
    if (keys.usable() && !rules && !vouch)
      problems.error(root->place, "the file has neither 'rules' nor 'vouch'");
    if (rules && rules->kind != YamlNode::Kind::sequence) {
      problems.error(rules->place, "'rules' must be a list of rules");
    } else if (rules && rules->items.size() > kMaxRules) {
      problems.error(rules->place, fmt::format("more than {} rules", kMaxRules));
    } else if (rules) {
      for (const YamlNode& rule : rules->items) parsed.rules.push_back(read_rule(rule, problems));
    }
    if (vouch && vouch->kind != YamlNode::Kind::sequence) {
      problems.error(vouch->place, "'vouch' must be a list");
    } else if (vouch) {
      for (const YamlNode& entry : vouch->items) parsed.vouches.push_back(read_vouch(entry, problems));
    }
  }
  parsed.problems = problems.take();
  return parsed;
}

}  // namespace sluice::policy
