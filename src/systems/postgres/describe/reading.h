// What a statement names: relations and how each is touched, fields that leave and fields that are tested,
// functions, vector searches. The first pass of describe(); it decides no verb.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/describe/describe.h"

namespace sluice::postgres {

struct Reading {
  std::vector<CollectionUse> collections;  // of users' relations
  std::vector<const Relation*> read;       // users' relations that are read, once per mention
  bool reads_system = false;               // pg_catalog or information_schema
  std::string missing_relation;            // the first name that resolves to nothing
  bool writes = false;                     // INSERT, UPDATE, MERGE anywhere, also in WITH
  bool removes = false;                    // DELETE anywhere
  std::vector<VectorSearch> searches;
  bool returns_vectors = false;
  bool returns_scores = false;
  std::uint32_t counts = 0;      // calls of count()
  std::uint32_t aggregates = 0;  // calls of other aggregates that keep no value
  std::uint32_t value_aggregates = 0;
  std::vector<std::string> unvouched;  // "schema.name: why"
  std::vector<std::string> functions;  // their names
};

Reading read_names(const sql::Statement& statement, const DescribeContext& context);

}  // namespace sluice::postgres
