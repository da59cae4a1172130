#include "systems/postgres/sql/names.h"

namespace sluice::postgres::sql {
namespace {

// A literal may be megabytes of text with nothing to double in it: it is copied run by run.
void append_doubling(std::string& out, std::string_view text, char doubled) {
  for (;;) {
    const auto at = text.find(doubled);
    if (at == std::string_view::npos) break;
    out.append(text.substr(0, at + 1)).push_back(doubled);
    text.remove_prefix(at + 1);
  }
  out.append(text);
}

// Both of the characters that mean something in E'...'.
void append_escaped(std::string& out, std::string_view text) {
  for (;;) {
    const auto at = text.find_first_of("'\\");
    if (at == std::string_view::npos) break;
    out.append(text.substr(0, at + 1)).push_back(text[at]);
    text.remove_prefix(at + 1);
  }
  out.append(text);
}

}  // namespace

void append_identifier(std::string& out, std::string_view name) {
  out.push_back('"');
  append_doubling(out, name, '"');
  out.push_back('"');
}

void append_qualified(std::string& out, std::string_view schema, std::string_view name) {
  if (!schema.empty()) {
    append_identifier(out, schema);
    out.push_back('.');
  }
  append_identifier(out, name);
}

void append_literal(std::string& out, std::string_view text) {
  if (text.contains('\\')) {
    out.append("E'");
    append_escaped(out, text);
  } else {
    out.push_back('\'');
    append_doubling(out, text, '\'');
  }
  out.push_back('\'');
}

std::string quote_identifier(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 2);
  append_identifier(out, name);
  return out;
}

std::string quote_qualified(std::string_view schema, std::string_view name) {
  std::string out;
  out.reserve(schema.size() + name.size() + 5);
  append_qualified(out, schema, name);
  return out;
}

std::string quote_literal(std::string_view text) {
  std::string out;
  append_literal(out, text);
  return out;
}

std::string qualified_operator(std::string_view schema, std::string_view symbol) {
  std::string out = "OPERATOR(";
  append_identifier(out, schema);
  out.push_back('.');
  out.append(symbol).push_back(')');
  return out;
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
