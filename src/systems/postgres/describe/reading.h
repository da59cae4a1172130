// What a statement names and calls: relations and how each is touched, fields that leave and fields that are
// tested, functions and operators that nobody vouches for, vector distances. The first pass of describe(); it
// decides no verb.
//
// Takes in too much rather than too little: where it cannot be told which relation a column belongs to, all
// that have one of that name are meant; a name that is no column of the relation before the dot stands for
// the whole row (PostgreSQL calls a function of that name on it).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/describe/bounds.h"
#include "systems/postgres/describe/describe.h"

namespace sluice::postgres {

// Mentions of relations in one statement; resolving columns looks at all of them.
inline constexpr std::size_t kMaxRelationMentions = 1000;
// Different columns times mentions that are looked up; beyond it every relation counts as read whole.
inline constexpr std::size_t kMaxColumnLookups = 1'000'000;

struct Reading {
  std::vector<CollectionUse> collections;  // of users' relations, and of the system's that hold values
  std::vector<const Relation*> read;       // users' relations that are read, once per mention
  bool reads_system = false;               // pg_catalog or information_schema
  bool reads_secrets = false;    // of these, relations that hold values, other people's statements, secrets
  std::string missing_relation;  // the first name that resolves to nothing
  bool writes = false;           // INSERT, UPDATE, MERGE anywhere, also in WITH
  bool removes = false;          // DELETE anywhere
  bool creates = false;          // SELECT INTO
  bool locks = false;            // FOR UPDATE and its like
  std::vector<VectorSearch> searches;
  Distances distances;
  bool returns_vectors = false;
  bool returns_scores = false;
  std::vector<std::string> not_understood;  // why, for the client
  std::vector<std::string> functions;       // that nobody vouches for: "public.f_email"
};

Reading read_names(const sql::Statement& statement, const DescribeContext& context);

}  // namespace sluice::postgres
