// What an approval is bound to. An approver says yes to one thing: this principal, on this connection and
// role, with this statement, these parameters, over these objects, under these rules of this policy. All of
// it goes into one SHA-256; the same operation sent again has the same digest and passes, anything else is
// another review.
//
// Vectors: an embedding of the same text may differ in its last bits from one run to the next, so a rule
// chooses (ReviewTerms::bind_vectors) whether a query vector counts by value or by column and dimension.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"

namespace sluice::review {

// A query vector, as a parameter or as a literal in the statement.
struct VectorShape {
  std::string collection;
  std::string field;
  std::uint32_t dimension = 0;
};

// One bound parameter. The bytes are only hashed, never kept.
struct BoundParameter {
  std::uint32_t type = 0;             // the system's type number (PostgreSQL: OID)
  std::uint16_t format = 0;           // the wire's format code
  std::optional<Bytes> value;         // nullopt: NULL
  std::optional<VectorShape> vector;  // set: this is a query vector
};

// SHA-256 over all parameters in order; with `bind_vectors` false vectors count by shape.
Digest digest_parameters(const std::vector<BoundParameter>& parameters, bool bind_vectors);

// The explicit inputs of the digest.
struct ReviewedOperation {
  std::string principal;
  std::string connection;
  std::string role;      // the alias asked for
  std::string database;  // and whatever else names the space that unqualified names are resolved in:
  std::string search_path;
  std::uint64_t fingerprint = 0;  // Operation::fingerprint
  // SHA-256 of the whole statement text. With bind_vectors false, of the text with its vector literals
  // elided; their shapes are then in `literal_vectors`.
  Digest statement{};
  std::vector<VectorShape> literal_vectors;
  Digest parameters{};                       // digest_parameters(); of nothing: digest_parameters({}, false)
  std::vector<std::string> objects;          // resolved: "public.docs#16391" (name and OID), in any order
  std::vector<std::string> rules;            // deciding rules, in policy order
  Digest policy{};                           // of the policy in force
  std::optional<std::uint64_t> max_records;  // the ceiling that the approval carries
};

// Length-prefixed and versioned: no two different operations share an encoding.
Digest digest_operation(const ReviewedOperation& operation);

}  // namespace sluice::review
