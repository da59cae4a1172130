#include "systems/postgres/rewrite/masks/maskable_cells.h"

#include <fmt/format.h>

#include "systems/postgres/rewrite/masks/mask_value.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

// As many characters as 64 bits take in hexadecimal digits: below, different values would often look alike.
constexpr std::uint32_t kMinHashCharacters = 16;

bool is_text(const Type& type) {
  if (type.schema == "pg_catalog")
    return type.name == "text" || type.name == "varchar" || type.name == "bpchar";
  return type.extension == "citext" && type.name == "citext";
}

}  // namespace

Result<HashedCell> hash_of_cell(const Catalogue& catalogue, const Column& column, bool write_allowed) {
  if (write_allowed) {
    return fail(Errc::unsupported, "a hash of what may be written would let values be tried out");
  }
  const BareType bare = bare_type(catalogue, column);
  if (bare.type == nullptr) return fail(Errc::unsupported, "its type is not known");
  const bool builtin = bare.type->schema == "pg_catalog";
  HashedCell made;
  made.mask.mask = Mask::hash;
  std::string_view null;
  if (is_text(*bare.type)) {
    made.mask.kind = CellKind::text;
    made.mask.max_characters = max_characters(bare);
    if (made.mask.max_characters != 0 && made.mask.max_characters < kMinHashCharacters) {
      return fail(Errc::unsupported, "a hash needs {} characters at least", kMinHashCharacters);
    }
  } else if (builtin && bare.type->name == "uuid") {
    made.mask.kind = CellKind::uuid;
    null = "00000000-0000-0000-0000-000000000000";
  } else if (builtin && bare.type->name == "int8") {
    made.mask.kind = CellKind::bigint;
    null = "-9223372036854775808";
  } else {
    return fail(Errc::unsupported, "a {} cannot hold a hash", catalogue.type_name(column.type));
  }
  made.null = fmt::format("CAST({} AS {})", sql::quote_literal(null),
                          type_sql(catalogue, column.type, column.typmod));
  return made;
}

std::optional<CellMask> detectable_cell(const Catalogue& catalogue, const Column& column) {
  const BareType bare = bare_type(catalogue, column);
  if (bare.type == nullptr) return std::nullopt;
  CellMask made;
  if (is_text(*bare.type)) {
    made.kind = CellKind::text;
    made.max_characters = max_characters(bare);
    return made;
  }
  // Not `json`: its text is as the client wrote it, where escapes hide what they spell.
  if (bare.type->schema == "pg_catalog" && bare.type->name == "jsonb") {
    made.kind = CellKind::json;
    return made;
  }
  if (bare.type->category == 'A' && bare.type->element != 0) {
    const Type* element = catalogue.type(bare.type->element);
    if (element != nullptr && element->schema == "pg_catalog" &&
        (element->name == "text" || element->name == "varchar")) {
      made.kind = CellKind::text_array;
      return made;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::postgres::rewrite
