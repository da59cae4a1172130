#include "systems/postgres/rewrite/masks/mask_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

constexpr std::int32_t kVarlenaHeader = 4;  // VARHDRSZ: lengths of strings and numerics include it in typmod

struct Resolved {
  const Type* type = nullptr;  // never a domain
  std::int32_t typmod = -1;
};

// Through domains; the outermost domain that states a length decides.
Resolved resolve(const Catalogue& catalogue, Oid oid, std::int32_t typmod) {
  Resolved at{catalogue.type(oid), typmod};
  for (std::size_t steps = catalogue.contents().types.size();
       at.type != nullptr && at.type->kind == TypeKind::domain;) {
    if (steps-- == 0) return {};
    if (at.typmod < 0) at.typmod = at.type->base_typmod;
    at.type = catalogue.type(at.type->base);
  }
  return at;
}

std::string modifier(const Type& type, std::int32_t typmod) {
  if (typmod < 0) return "";
  std::string_view name = type.name;
  if (type.schema == "pg_catalog") {
    if (name == "varchar" || name == "bpchar") return fmt::format("({})", typmod - kVarlenaHeader);
    if (name == "numeric") {
      // numeric.c: precision in the upper half, scale in 11 bits with sign (negative since 15).
      std::int32_t packed = typmod - kVarlenaHeader;
      std::int32_t scale = ((packed & 0x7ff) ^ 1024) - 1024;
      return fmt::format("({}, {})", (packed >> 16) & 0xffff, scale);
    }
    if (name == "bit" || name == "varbit" || name.starts_with("time")) return fmt::format("({})", typmod);
    return "";
  }
  if (type.extension == "vector" || name == "vector" || name == "halfvec" || name == "sparsevec") {
    return fmt::format("({})", typmod);
  }
  return "";
}

// How the redacted value of a built-in type is written; null for those that have none.
struct Redaction {
  std::string_view type;
  std::string_view text;
};
constexpr Redaction kRedactions[] = {
    {"bool", "false"},
    {"bytea", ""},
    {"char", "*"},
    {"cidr", "0.0.0.0/32"},
    {"date", "1970-01-01"},
    {"inet", "0.0.0.0"},
    {"interval", "0"},
    {"json", "{}"},
    {"jsonb", "{}"},
    {"macaddr", "00:00:00:00:00:00"},
    {"macaddr8", "00:00:00:00:00:00:00:00"},
    {"point", "(0,0)"},
    {"time", "00:00:00"},
    {"timestamp", "1970-01-01 00:00:00"},
    {"timestamptz", "1970-01-01 00:00:00+00"},
    {"timetz", "00:00:00+00"},
    {"tsvector", ""},
    {"uuid", "00000000-0000-0000-0000-000000000000"},
    {"xml", "***"},
};

std::string cast(std::string_view literal, const std::string& type) {
  return fmt::format("CAST({} AS {})", literal, type);
}

std::string null_of(const std::string& type) {
  return type.empty() ? "NULL" : cast("NULL", type);
}

bool holds_element(const Catalogue& catalogue, Oid oid, bool (*test)(const Type&)) {
  Resolved at = resolve(catalogue, oid, -1);
  if (at.type == nullptr) return false;
  if (at.type->category == 'A' && at.type->element != 0) {
    at = resolve(catalogue, at.type->element, -1);
    if (at.type == nullptr) return false;
  }
  return test(*at.type);
}

template <class T>
bool reads_as(std::string_view text) {
  T value{};
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && at == text.data() + text.size();
}

bool reads_as_uuid(std::string_view text) {
  auto hex = std::ranges::count_if(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  auto dash = std::ranges::count(text, '-');
  return hex == 32 && dash == 4 && text.size() == 36;
}

bool reads_as_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords = {"0",   "1",  "f", "false", "no",
                                                       "off", "on", "t", "true",  "yes"};
  return std::ranges::find(kWords, text) != kWords.end();
}

}  // namespace

std::string type_sql(const Catalogue& catalogue, Oid oid, std::int32_t typmod) {
  Resolved at = resolve(catalogue, oid, typmod);
  if (at.type == nullptr) return "";
  std::string_view suffix;
  if (at.type->category == 'A' && at.type->element != 0) {
    suffix = "[]";
    at = resolve(catalogue, at.type->element, at.typmod);
    if (at.type == nullptr) return "";
  }
  if (at.type->kind == TypeKind::pseudo) return "";
  return fmt::format("{}{}{}", sql::quote_qualified(at.type->schema, at.type->name),
                     modifier(*at.type, at.typmod), suffix);
}

std::string redacted_value(const Catalogue& catalogue, const Column& column) {
  std::string type = type_sql(catalogue, column.type, column.typmod);
  Resolved at = resolve(catalogue, column.type, column.typmod);
  if (type.empty() || at.type == nullptr) return "NULL";
  const Type& base = *at.type;
  if (base.category == 'A' && base.element != 0) return cast("'{}'", type);
  if (base.kind == TypeKind::enumeration && !base.first_label.empty()) {
    return cast(sql::quote_literal(base.first_label), type);
  }
  if (base.kind == TypeKind::range) return cast("'empty'", type);
  if (base.kind == TypeKind::multirange) return cast("'{}'", type);
  if (base.schema == "pg_catalog") {
    auto found = std::ranges::find(kRedactions, base.name, &Redaction::type);
    if (found != std::end(kRedactions)) return cast(sql::quote_literal(found->text), type);
    if (base.name == "bit" || base.name == "varbit") return cast("B'0'", type);
    if (base.category == 'N') return cast(base.name.starts_with("reg") ? "'-'" : "0", type);
    if (base.category == 'S') return cast("'***'", type);
    return null_of(type);
  }
  if (base.extension == "citext") return cast("'***'", type);
  if (base.extension == "hstore" && base.name == "hstore") return cast("''", type);
  return null_of(type);
}

std::string removed_value(const Catalogue& catalogue, const Column& column) {
  if (column.not_null && !is_vector(catalogue, column.type)) return redacted_value(catalogue, column);
  return null_of(type_sql(catalogue, column.type, column.typmod));
}

Result<std::string> constant_value(const Catalogue& catalogue, const Column& column, std::string_view text) {
  std::string type = type_sql(catalogue, column.type, column.typmod);
  Resolved at = resolve(catalogue, column.type, column.typmod);
  if (type.empty() || at.type == nullptr) return fail(Errc::unsupported, "its type is not known");
  const Type& base = *at.type;
  bool builtin = base.schema == "pg_catalog";
  bool fits = false;
  if (base.category == 'S') {
    fits = builtin || base.extension == "citext";
  } else if (builtin && base.name == "int2") {
    fits = reads_as<std::int16_t>(text);
  } else if (builtin && base.name == "int4") {
    fits = reads_as<std::int32_t>(text);
  } else if (builtin && base.name == "int8") {
    fits = reads_as<std::int64_t>(text);
  } else if (builtin && (base.name == "float4" || base.name == "float8" || base.name == "numeric")) {
    fits = reads_as<double>(text);
  } else if (builtin && base.name == "bool") {
    fits = reads_as_boolean(text);
  } else if (builtin && base.name == "uuid") {
    fits = reads_as_uuid(text);
  }
  if (!fits) return fail(Errc::invalid_argument, "a {} column cannot hold this constant", base.name);
  return cast(sql::quote_literal(text), type);
}

BareType bare_type(const Catalogue& catalogue, const Column& column) {
  Resolved at = resolve(catalogue, column.type, column.typmod);
  return {at.type, at.typmod};
}

std::uint32_t max_characters(const BareType& type) {
  if (type.type == nullptr || type.typmod <= kVarlenaHeader) return 0;
  if (type.type->name != "varchar" && type.type->name != "bpchar") return 0;
  return static_cast<std::uint32_t>(type.typmod - kVarlenaHeader);
}

bool is_vector(const Catalogue& catalogue, Oid type) {
  return holds_element(catalogue, type, [](const Type& base) {
    return base.extension == "vector" &&
           (base.name == "vector" || base.name == "halfvec" || base.name == "sparsevec");
  });
}

bool is_json(const Catalogue& catalogue, Oid type) {
  Resolved at = resolve(catalogue, type, -1);
  return at.type != nullptr && at.type->schema == "pg_catalog" &&
         (at.type->name == "json" || at.type->name == "jsonb");
}

namespace {

bool holds_within(const Catalogue& catalogue, Oid oid, const std::function<bool(const Type&)>& test,
                  int depth) {
  constexpr int kDeepest = 16;  // types within types; nobody nests them so
  const Type* type = resolve(catalogue, oid, -1).type;
  if (type == nullptr || depth > kDeepest) return true;
  if (test(*type)) return true;
  if (type->category == 'A' && type->element != 0)
    return holds_within(catalogue, type->element, test, depth + 1);
  if (type->kind == TypeKind::range || type->kind == TypeKind::multirange)
    return type->schema != "pg_catalog";
  if (type->kind != TypeKind::composite) return false;
  const Relation* row = catalogue.relation(type->relation);
  return row == nullptr || std::ranges::any_of(row->columns, [&](const Column& attribute) {
           return holds_within(catalogue, attribute.type, test, depth + 1);
         });
}

}  // namespace

bool holds_within(const Catalogue& catalogue, Oid type, const std::function<bool(const Type&)>& test) {
  return holds_within(catalogue, type, test, 0);
}

bool is_text_like(const Catalogue& catalogue, Oid type) {
  return holds_within(catalogue, type, [](const Type& base) {
    if (base.extension == "vector" || base.kind == TypeKind::enumeration) return false;
    if (base.schema != "pg_catalog") return base.kind == TypeKind::base;
    constexpr std::string_view kWithoutText[] = {
        "cid", "macaddr", "macaddr8", "pg_lsn", "tid", "txid_snapshot", "uuid", "xid", "xid8", "pg_snapshot"};
    // Arrays and composites by what they hold; booleans, dates, geometry, addresses, numbers, ranges, spans,
    // bits.
    return !std::string_view("ABCDGINRTV").contains(base.category) &&
           std::ranges::find(kWithoutText, base.name) == std::end(kWithoutText);
  });
}

}  // namespace sluice::postgres::rewrite
