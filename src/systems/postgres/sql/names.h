// Writing names and literals into SQL text, so that PostgreSQL reads back exactly the given bytes under the
// pinned settings (UTF-8, standard_conforming_strings on) and under any other. The input is valid UTF-8
// without NUL.
#pragma once

#include <string>
#include <string_view>

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

// Always in double quotes: no keyword list can then be out of date.
std::string quote_identifier(std::string_view name);
// "schema"."name", or "name" when the schema is empty.
std::string quote_qualified(std::string_view schema, std::string_view name);
// 'text', or E'text' when it holds a backslash.
std::string quote_literal(std::string_view text);
// The same, behind what is there.
void append_identifier(std::string& out, std::string_view name);
void append_qualified(std::string& out, std::string_view schema, std::string_view name);
void append_literal(std::string& out, std::string_view text);
// OPERATOR("schema".<->): an operator found in that schema only. The symbol consists of operator characters.
std::string qualified_operator(std::string_view schema, std::string_view symbol);

// For people, not for SQL: the parts with dots between them.
std::string display_name(Names parts);

}  // namespace sluice::postgres::sql
