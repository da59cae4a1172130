#include "systems/postgres/rewrite/masks/mask_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "model/pattern.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

// Where LlamaIndex's vector stores keep a serialised node (llama_index.core.vector_stores.utils).
constexpr std::string_view kSerialisedNode = "_node_content";
// Arrays within arrays that a path is followed through; deeper ones are not looked into, so that the value
// becomes {}. (Strict, because a lax filter looks into an array instead of at it.)
constexpr std::string_view kThroughArrays = "[*][*][*]";
constexpr std::string_view kDeeperArrays =
    R"(strict $.**{0 to 64} ? (@.type() == "array")[*] ? (@.type() == "array")[*] ? (@.type() == "array")[*] ? (@.type() == "array"))";

// Levels that are looked into. A path that goes on and on needs the server's stack, and copies what is below
// at each level; documents have some ten.
constexpr std::string_view kDepths = "{0 to 64}";
constexpr std::string_view kTooDeep = "{65}";

// What is json need not be jsonb, and converting it would be an error, which everybody who comes upon the row
// gets and which tells about masked keys. What is not certain counts as such.
//
// Escapes of NUL and of halves of characters (also of both halves: which belong together is more than a
// regular expression can say), and numbers beyond `numeric`, of 131,072 digits before the point and 16,383
// behind it: below, both the exponent (up to 9,999) and the digits (up to 254) leave them far away.
constexpr std::string_view kNotJsonb = R"(\\u0000|\\u[dD][89a-fA-F]|[eE][+-]?0*[1-9][0-9]{4}|[0-9]{255})";
// Bytes. Beyond, memory for the values (up to 72 bytes for two to five characters) and for regular
// expressions (four for each) could come to what the server allocates at once, 1 GiB.
constexpr int kMaxTextBytes = 16 << 20;
// Opening brackets of a text: the server's stack (2 MiB unless it is set otherwise) takes some 14,000 arrays
// within each other. A document of more is tried again without texts, and without what is innermost.
constexpr int kMaxBrackets = 5000;
constexpr std::string_view kString = R"("([^"\\]|\\.)*")";
constexpr std::string_view kInnermost = R"([[{][^][{}]*[]}])";
constexpr int kInnermostLevels = 3;

bool is_written_out(std::string_view pattern) {
  return pattern.find_first_of("*?\\") == std::string_view::npos;
}

bool is_path(std::string_view pattern) {
  return pattern.find('.') != std::string_view::npos;
}

// A glob as a regular expression, inside of a JSON path string: each backslash is doubled there.
std::string as_regex(std::string_view glob) {
  std::string regex;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    char c = glob[i];
    if (c == '*') {
      regex += ".*";
      continue;
    }
    if (c == '?') {
      regex += '.';
      continue;
    }
    if (c == '\\' && i + 1 < glob.size()) c = glob[++i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                 static_cast<unsigned char>(c) >= 0x80;
    if (c == '"') {
      regex += "\\\"";
    } else if (plain || c == ' ' || c == '-') {
      regex += c;
    } else {
      regex += "\\\\";
      if (c == '\\') regex += '\\';
      regex += c;
    }
  }
  return regex;
}

using Keys = std::vector<std::string>;

Keys split(std::string_view path) {
  Keys steps;
  for (std::size_t dot = 0; dot != std::string_view::npos;) {
    dot = path.find('.');
    steps.emplace_back(path.substr(0, dot));
    if (dot != std::string_view::npos) path.remove_prefix(dot + 1);
  }
  return steps;
}

// All ways in which keys can spell a path: {a, b.c}, {a.b, c}, {a.b.c}, {a, b, c}.
std::vector<Keys> spellings(std::string_view path) {
  const Keys steps = split(path);
  std::vector<Keys> all;
  for (std::size_t joined = 0; joined < (std::size_t{1} << (steps.size() - 1)); ++joined) {
    Keys keys{steps[0]};
    for (std::size_t i = 1; i < steps.size(); ++i) {
      if ((joined >> (i - 1) & 1) != 0) {
        keys.back() += "." + steps[i];
      } else {
        keys.push_back(steps[i]);
      }
    }
    all.push_back(std::move(keys));
  }
  return all;
}

std::string alternatives(const std::vector<std::string>& globs) {
  std::vector<std::string> regexes;
  for (const std::string& glob : globs) regexes.push_back(as_regex(glob));
  return fmt::format("{}", fmt::join(regexes, "|"));
}

// At these depths; a key with dots is a path of its own.
std::string any_depth(const std::vector<std::string>& keys, std::string_view depths) {
  return fmt::format(
      R"path(lax $.**{} ? (@.type() == "object").keyvalue() ? (@.key like_regex "(^|\\.)({})(\\.|$)" flag "is"))path",
      depths, alternatives(keys));
}

std::string along(const Keys& keys) {
  std::string path = "lax $";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) path += ".value";
    path += fmt::format(R"({} ? (@.type() == "object").keyvalue() ? (@.key like_regex "^({})$" flag "is"))",
                        kThroughArrays, as_regex(keys[i]));
  }
  return path;
}

// Texts that are JSON, also within other texts, where each quote has backslashes in front; keys that are
// spelled with \u escapes, as Python writes what is not ASCII, may be any; and what is too deep to be looked
// into.
std::string as_text(const std::vector<std::string>& last_keys) {
  return fmt::format(
      R"(lax $ ? (exists(@.**{}) || exists(@.**{} ? (@.type() == "string") ? (@ like_regex "\"(({})\\\\*|[^\"]*\\\\u[0-9a-f]{{4}}[^\"]*)\"\\s*:" flag "is"))))",
      kTooDeep, kDepths, alternatives(last_keys));
}

struct Patterns {
  std::vector<std::string> keys;   // without a dot
  std::vector<std::string> paths;  // with one
  std::vector<std::string> last;   // keys, and the last steps of paths

  explicit Patterns(const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) {
      (is_path(pattern) ? paths : keys).push_back(pattern);
      last.push_back(is_path(pattern) ? split(pattern).back() : pattern);
    }
  }
};

// Writes the expression around the column, which stands in it many times.
class Remover {
 public:
  Remover(const Patterns& patterns, bool binary)
      : patterns_(patterns), read_(binary ? "" : "::pg_catalog.jsonb") {
    const std::string type = binary ? "jsonb" : "json";
    // Text JSON is read as jsonb: both because keys cannot be removed from text, and so that a key that
    // stands twice cannot hide behind itself.
    add("CASE WHEN ");
    if (!binary) what_is_not_jsonb();
    // To remove a path, the server goes through all that stands beside it.
    if (!patterns_.paths.empty()) {
      add("(");
      exists(fmt::format("lax $.**{}", kTooDeep), [&] { column(); });
      add(fmt::format(") THEN '{{}}'::pg_catalog.{} WHEN ", type));
    }
    bool first = true;
    for (const std::string& path : what_may_not_remain()) {
      if (!std::exchange(first, false)) add(" OR ");
      add("(");
      exists(path, [&] { stripped(); });
      add(")");
    }
    add(fmt::format(" THEN '{{}}'::pg_catalog.{} ELSE ", type));
    stripped();
    add(binary ? " END" : "::pg_catalog.json END");
  }

  std::vector<std::string> pieces = {""};

 private:
  void add(std::string_view text) { pieces.back() += text; }
  void column() {
    pieces.emplace_back();
    add(read_);
  }

  // Silent, so that no value raises an error; anything but a clear no counts as yes.
  void exists(std::string_view path, auto&& value) {
    add("pg_catalog.jsonb_path_exists(");
    value();
    add(fmt::format(", {}::pg_catalog.jsonpath, '{{}}'::pg_catalog.jsonb, true) IS NOT FALSE",
                    sql::quote_literal(path)));
  }

  void text() {
    pieces.emplace_back();
    add("::pg_catalog.text");
  }

  // The opening brackets in a text.
  void count_brackets(auto&& value) {
    add("(pg_catalog.octet_length(");
    value();
    add(") OPERATOR(pg_catalog.-) pg_catalog.octet_length(pg_catalog.replace(pg_catalog.replace(");
    value();
    add(fmt::format(", '[', ''), '{{', ''))) OPERATOR(pg_catalog.>) {}", kMaxBrackets));
  }

  // Conditions in a CASE, each before the ones that it makes safe; the last is to follow.
  void what_is_not_jsonb() {
    const auto next = [&] { add(" THEN '{}'::pg_catalog.json WHEN "); };
    add("pg_catalog.octet_length(");
    text();
    add(fmt::format(") OPERATOR(pg_catalog.>) {}", kMaxTextBytes));
    next();
    text();
    add(" OPERATOR(pg_catalog.~) " + sql::quote_literal(kNotJsonb));
    next();
    // In other encodings there are characters that cannot be written.
    add("(pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8') AND (pg_catalog.strpos(");
    text();
    add(", '\\u') OPERATOR(pg_catalog.>) 0)");
    next();
    // Each bracket is closed again, so a shorter text has no more of them.
    add("(pg_catalog.octet_length(");
    text();
    add(fmt::format(") OPERATOR(pg_catalog.>) {}) AND (", 2 * kMaxBrackets));
    count_brackets([&] { text(); });
    add(") AND (");
    count_brackets([&] {
      for (int i = 0; i <= kInnermostLevels; ++i) add("pg_catalog.regexp_replace(");
      text();
      add(fmt::format(", {}, '', 'g')", sql::quote_literal(kString)));
      for (int i = 0; i < kInnermostLevels; ++i)
        add(fmt::format(", {}, '', 'g')", sql::quote_literal(kInnermost)));
    });
    add(")");
    next();
  }

  std::vector<std::string> what_may_not_remain() const {
    std::vector<std::string> all;
    if (!patterns_.keys.empty()) all.push_back(any_depth(patterns_.keys, kDepths));
    for (const std::string& path : patterns_.paths) {
      for (const Keys& keys : spellings(path)) all.push_back(along(keys));
    }
    if (!patterns_.paths.empty()) all.emplace_back(kDeeperArrays);
    all.push_back(as_text(patterns_.last));
    return all;
  }

  // CASE jsonb_typeof(c) = 'object' THEN c - keys #- path ELSE c END
  void stripped() {
    add("(CASE WHEN (pg_catalog.jsonb_typeof(");
    column();
    add(") OPERATOR(pg_catalog.=) 'object')");
    no_arrays_on_the_way();
    add(" THEN (");
    column();
    add(" OPERATOR(pg_catalog.-) ARRAY[");
    for (const std::string& key : patterns_.keys) {
      if (is_written_out(key)) add(sql::quote_literal(key) + ", ");
    }
    add(sql::quote_literal(kSerialisedNode) + "]::pg_catalog.text[]");
    for (const std::string& path : patterns_.paths) {
      for (const Keys& keys : spellings(path)) add(" OPERATOR(pg_catalog.#-) " + array(keys));
    }
    add(") ELSE ");
    column();
    add(" END)");
  }

  // Where an array stands, its places are numbers, and any other key is an error.
  void no_arrays_on_the_way() {
    std::vector<Keys> ways;
    for (const std::string& path : patterns_.paths) {
      for (Keys keys : spellings(path)) {
        for (keys.pop_back(); !keys.empty(); keys.pop_back()) {
          if (std::ranges::find(ways, keys) == ways.end()) ways.push_back(keys);
        }
      }
    }
    for (const Keys& way : ways) {
      add(" AND (COALESCE(pg_catalog.jsonb_typeof(");
      column();
      add(" OPERATOR(pg_catalog.#>) " + array(way) + "), '') OPERATOR(pg_catalog.<>) 'array')");
    }
  }

  static std::string array(const Keys& keys) {
    std::string list;
    for (const std::string& key : keys) list += (list.empty() ? "" : ", ") + sql::quote_literal(key);
    return "ARRAY[" + list + "]::pg_catalog.text[]";
  }

  const Patterns& patterns_;
  std::string_view read_;
};

}  // namespace

bool can_remove_path(std::string_view path) {
  if (!is_written_out(path)) return false;
  const Keys steps = split(path);
  return steps.size() <= kMaxJsonSteps && std::ranges::none_of(steps, &std::string::empty);
}

std::string json_key_path(const std::vector<std::string>& patterns) {
  std::vector<std::string> keys{std::string(kSerialisedNode)};
  for (const std::string& pattern : patterns) keys.push_back(is_path(pattern) ? split(pattern)[0] : pattern);
  return any_depth(keys, "");
}

bool is_open_key(const std::vector<std::string>& patterns, std::string_view key) {
  return !key.empty() && key != kSerialisedNode &&
         std::ranges::none_of(patterns, [&](const std::string& pattern) {
           return covers_path(is_path(pattern) ? split(pattern)[0] : pattern, key);
         });
}

bool may_hold_key(const std::vector<std::string>& patterns, std::string_view document) {
  const auto folded = [](std::string_view text) {
    std::string made{text};
    for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return made;
  };
  const std::string text = folded(document);
  if (text.find("\\u") != std::string::npos) return true;  // any letter may be spelled so
  return std::ranges::any_of(Patterns{patterns}.last, [&](const std::string& key) {
    return !is_written_out(key) || text.find(folded(key)) != std::string::npos;
  });
}

std::vector<std::string> json_without_keys(const std::vector<std::string>& patterns, bool binary) {
  return Remover{Patterns{patterns}, binary}.pieces;
}

}  // namespace sluice::postgres::rewrite
