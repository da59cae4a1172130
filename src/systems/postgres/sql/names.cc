#include "systems/postgres/sql/names.h"

#include <fmt/format.h>

namespace sluice::postgres::sql {
namespace {

void append_doubling(std::string& out, std::string_view text, std::string_view doubled) {
  for (char c : text) {
    if (doubled.contains(c)) out.push_back(c);
    out.push_back(c);
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  append_doubling(out, name, "\"");
  out.push_back('"');
  return out;
}

std::string quote_qualified(std::string_view schema, std::string_view name) {
  return schema.empty() ? quote_identifier(name) : quote_identifier(schema) + "." + quote_identifier(name);
}

std::string quote_literal(std::string_view text) {
  bool backslash = text.contains('\\');
  std::string out = backslash ? "E'" : "'";
  append_doubling(out, text, backslash ? "'\\" : "'");
  out.push_back('\'');
  return out;
}

std::string qualified_operator(std::string_view schema, std::string_view symbol) {
  return fmt::format("OPERATOR({}.{})", quote_identifier(schema), symbol);
}

std::string display_name(Names parts) {
  std::string out;
  for (auto part : parts) {
    if (!out.empty()) out.push_back('.');
    out.append(part);
  }
  return out;
}

}  // namespace sluice::postgres::sql
