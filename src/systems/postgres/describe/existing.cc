#include "systems/postgres/describe/existing.h"

#include <algorithm>

namespace sluice::postgres {
namespace {

// Where an unqualified name is created: the first schema of the path that exists. Empty: cannot be told.
std::string_view creation_schema(std::string_view written, const DescribeContext& context) {
  if (!written.empty()) return written;
  const auto& schemas = context.catalogue.contents().schemas;
  for (const auto& schema : context.search_path) {
    if (Catalogue::is_temporary_schema(schema)) return {};
    if (std::ranges::find(schemas, schema) != schemas.end()) return schema;
  }
  return {};
}

bool relation_exists(const sql::RangeVar* name, const DescribeContext& context) {
  if (name == nullptr || name->persistence == sql::Persistence::temporary) return false;
  const auto schema = creation_schema(name->schema, context);
  return !schema.empty() && context.catalogue.find_relation({}, schema, name->name) != nullptr;
}

bool index_exists(const sql::CreateIndexStatement& create, const DescribeContext& context) {
  const auto* table =
      context.catalogue.find_relation(context.search_path, create.relation->schema, create.relation->name);
  if (table == nullptr || create.name.empty()) return false;
  // An index lives in the schema of its table, whatever that is called.
  return std::ranges::any_of(context.catalogue.contents().relations, [&](const Relation& each) {
    return each.schema == table->schema &&
           std::ranges::find(each.indexes, create.name, &Index::name) != each.indexes.end();
  });
}

bool extension_exists(std::string_view name, const Catalogue& catalogue) {
  if (name == "vector") return !catalogue.vector_schema().empty();
  return std::ranges::find(catalogue.contents().functions, name, &RoutineEntry::extension) !=
         catalogue.contents().functions.end();
}

}  // namespace

bool creates_nothing(const sql::Statement& statement, const DescribeContext& context) {
  if (const auto* create = sql::as<sql::CreateTableStatement>(&statement))
    return create->if_not_exists && relation_exists(create->relation, context);
  if (const auto* create = sql::as<sql::CreateTableAsStatement>(&statement))
    return create->if_not_exists && create->into != nullptr &&
           relation_exists(create->into->relation, context);
  if (const auto* create = sql::as<sql::CreateIndexStatement>(&statement))
    return create->if_not_exists && index_exists(*create, context);
  if (const auto* create = sql::as<sql::CreateExtensionStatement>(&statement))
    return create->if_not_exists && extension_exists(create->name, context.catalogue);
  if (const auto* create = sql::as<sql::CreateSchemaStatement>(&statement)) {
    const auto& schemas = context.catalogue.contents().schemas;
    return create->if_not_exists && !create->name.empty() && create->elements.empty() &&
           std::ranges::find(schemas, create->name) != schemas.end();
  }
  return false;
}

}  // namespace sluice::postgres
