// From the text of one policy file to rules. All problems of the file are reported; a file with an error
// gives no rules that anybody may use. What needs more than one file (unique names, rules that can never act)
// is in policy/check.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/problem.h"
#include "policy/rule.h"
#include "policy/yaml_tree.h"

namespace sluice::policy {

struct VouchEntry {
  std::vector<ValuePattern> connections;
  // "schema.name", whatever it is; or one definition of one function: "schema.name(types)#<SHA-256 in hex>".
  std::vector<std::string> functions;
};

struct ParsedFile {
  std::vector<Rule> rules;
  std::vector<VouchEntry> vouches;
  std::vector<Problem> problems;
};
ParsedFile parse_policy(std::string_view file, std::string_view text);

// The databases that Sluice speaks to, as `system:` names them.
std::span<const std::string_view> known_systems();
std::span<const std::string_view> verb_names();  // without "unknown"

// The parts of parse_policy, each in a file of its own.
Criteria read_criteria(const YamlNode& node, std::string_view what, bool is_match, Problems& problems);
std::vector<Criteria> read_excepts(const YamlNode& match, Problems& problems);
void read_effects(const YamlNode& node, Rule& rule, Problems& problems);

}  // namespace sluice::policy
