#include "proxy/pg/exchange/result_shape.h"

#include <array>

#include "core/byte_reader.h"
#include "core/encoding.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

// Type OIDs of pg_type.dat: fixed for all versions.
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt2 = 21;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kOid = 26;
constexpr std::uint32_t kBpchar = 1042;
constexpr std::uint32_t kVarchar = 1043;
constexpr std::uint32_t kUuid = 2950;

std::string uuid_text(Bytes value) {
  const auto hex = to_hex(value);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
         hex.substr(20);
}

bool reads_values(const CollectionUse& use) {
  return has(use.access, Access::read) && (use.all_fields || !use.output_fields.empty());
}

KeyColumns key_columns(const RowDescription& description, const postgres::Relation& relation) {
  KeyColumns key{relation.qualified_name(), {}};
  for (const auto attnum : relation.primary_key) {
    std::uint16_t at = 0;
    bool found = false;
    for (const auto& field : description.fields) {
      if (field.table_oid == relation.oid && field.column_number == attnum) {
        key.columns.push_back(at);
        found = true;
        break;
      }
      ++at;
    }
    if (!found) return {};
  }
  return key.columns.empty() ? KeyColumns{} : key;
}

}  // namespace

std::shared_ptr<const ResultShape> ResultShape::make(Bytes described, const RowDescription& description,
                                                     const Operation& operation, std::uint16_t carried,
                                                     const postgres::Catalogue* catalogue) {
  auto shape = std::make_shared<ResultShape>();
  shape->carried = carried;
  shape->described = as_text(described);
  if (catalogue != nullptr) shape->catalogue_version = catalogue->version();
  std::vector<std::uint32_t> tables;
  for (const auto& field : description.fields) {
    shape->columns.push_back({std::string{field.name}, field.type_oid, field.format});
    if (field.table_oid != 0 && std::ranges::find(tables, field.table_oid) == tables.end()) {
      tables.push_back(field.table_oid);
    }
  }
  for (const auto oid : tables) {
    const auto* relation = catalogue == nullptr ? nullptr : catalogue->relation(oid);
    if (relation == nullptr || relation->system) continue;
    if (auto key = key_columns(description, *relation); !key.columns.empty())
      shape->keys.push_back(std::move(key));
  }
  shape->all_known = true;
  for (const auto& use : operation.collections) {
    if (!reads_values(use)) continue;
    const bool known =
        std::ranges::any_of(shape->keys, [&](const auto& key) { return key.collection == use.name; });
    if (!known) shape->all_known = false;
  }
  return shape;
}

std::string value_text(const ResultColumn& column, Bytes value) {
  if (column.format == Format::text) return std::string{as_text(value)};
  ByteReader in{value};
  switch (column.type) {
    case kInt2:
      if (value.size() == 2) return std::to_string(in.i16());
      break;
    case kInt4:
      if (value.size() == 4) return std::to_string(in.i32());
      break;
    case kOid:
      if (value.size() == 4) return std::to_string(in.u32());
      break;
    case kInt8:
      if (value.size() == 8) return std::to_string(in.i64());
      break;
    case kUuid:
      if (value.size() == 16) return uuid_text(value);
      break;
    case kText:
    case kVarchar:
    case kBpchar: return std::string{as_text(value)};
    default: break;
  }
  return "\\x" + to_hex(value);
}

}  // namespace sluice::proxy::pg
