#include "systems/postgres/rewrite/mask_json.h"

#include <fmt/format.h>

#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

bool is_written_out(std::string_view pattern) {
  return pattern.find_first_of("*?\\") == std::string_view::npos;
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

}  // namespace

std::string json_key_path(const std::vector<std::string>& keys) {
  std::string any;
  for (const std::string& key : keys) {
    if (!any.empty()) any += '|';
    any += as_regex(key);
  }
  return fmt::format(
      R"(lax $.** ? (@.type() == "object").keyvalue() ? (@.key like_regex "^({})$" flag "is"))", any);
}

std::vector<std::string> json_without_keys(const std::vector<std::string>& keys, bool binary) {
  std::string list;
  for (const std::string& key : keys) {
    if (!is_written_out(key)) continue;
    if (!list.empty()) list += ", ";
    list += sql::quote_literal(key);
  }
  // Text JSON is read as jsonb: both because keys cannot be removed from text, and so that a key that stands
  // twice cannot hide behind itself.
  std::string read = binary ? "" : "::pg_catalog.jsonb";
  std::string path = sql::quote_literal(json_key_path(keys));
  std::string empty = binary ? "'{}'::pg_catalog.jsonb" : "'{}'::pg_catalog.json";
  std::string write = binary ? "" : "::pg_catalog.json";

  // stripped = CASE jsonb_typeof(c) = 'object' THEN c - keys ELSE c END, written twice because it is tested
  // and yielded.
  std::vector<std::string> pieces{"CASE WHEN pg_catalog.jsonb_path_exists("};
  auto append = [&](std::string text) { pieces.back() += text; };
  auto column = [&] { pieces.emplace_back(); };
  auto stripped = [&] {
    if (list.empty()) {
      column();
      append(read);
      return;
    }
    append("(CASE WHEN (pg_catalog.jsonb_typeof(");
    column();
    append(read + ") OPERATOR(pg_catalog.=) 'object') THEN (");
    column();
    append(read + " OPERATOR(pg_catalog.-) ARRAY[" + list + "]::pg_catalog.text[]) ELSE ");
    column();
    append(read + " END)");
  };
  stripped();
  // Silent, so that no value raises an error; anything but a clear no counts as yes.
  append(", " + path + "::pg_catalog.jsonpath, '{}'::pg_catalog.jsonb, true) IS NOT FALSE THEN " + empty +
         " ELSE ");
  stripped();
  append(write + " END");
  return pieces;
}

}  // namespace sluice::postgres::rewrite
