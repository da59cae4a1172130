#include "store/review_rows.h"

namespace sluice::store {
namespace {

using review::Review;
using review::ReviewState;

enum class Item : std::uint8_t { collection = 1, mask = 2, approver = 3 };  // on-disk values

// The columns of a review in the order of read_review().
#define SLUICE_REVIEW_COLUMNS                                                                          \
  "id, digest, principal, connection, role, system, verb, statement, max_records, estimated_records, " \
  "client_address, session, operation, rule, approvals, uses, valid_for_seconds, hold_seconds, "       \
  "bind_vectors, state, "                                                                              \
  "opened, expires, uses_left"

Review read_review(const Row& row) {
  Review out;
  out.id = ReviewId{row.text(0)};
  auto& request = out.request;
  request.digest = row.digest(1);
  request.principal = row.text(2);
  request.connection = row.text(3);
  request.role = row.text(4);
  request.system = row.text(5);
  request.verb = static_cast<Verb>(row.integer(6));
  request.statement = row.text(7);
  request.max_records = row.optional_number(8);
  request.estimated_records = row.optional_number(9);
  request.client_address = row.text(10);
  request.session = row.text(11);
  request.operation = row.text(12);
  request.terms.rule = row.text(13);
  request.terms.approvals = static_cast<std::uint32_t>(row.integer(14));
  request.terms.uses = static_cast<std::uint32_t>(row.integer(15));
  request.terms.valid_for = std::chrono::seconds{row.integer(16)};
  request.terms.hold = std::chrono::seconds{row.integer(17)};
  request.terms.bind_vectors = row.flag(18);
  out.state = static_cast<ReviewState>(row.integer(19));
  out.opened = row.time(20);
  out.expires = row.time(21);
  out.uses_left = static_cast<std::uint32_t>(row.integer(22));
  return out;
}

Result<void> read_lists(Transaction& tx, Review& out) {
  CHECK_OK(tx.query(
      "SELECT kind, value FROM review_items WHERE review = ?1 ORDER BY kind, position",
      [&](const Row& row) {
        auto& request = out.request;
        switch (static_cast<Item>(row.integer(0))) {
          case Item::collection: request.collections.push_back(row.text(1)); break;
          case Item::mask: request.masks.push_back(row.text(1)); break;
          case Item::approver: request.terms.by.push_back(row.text(1)); break;
        }
      },
      out.id.value));
  return tx.query(
      "SELECT approver, approve, comment, at FROM review_votes WHERE review = ?1 ORDER BY position",
      [&](const Row& row) { out.votes.push_back({row.text(0), row.flag(1), row.text(2), row.time(3)}); },
      out.id.value);
}

Result<void> write_items(Transaction& tx, const Review& review, Item kind,
                         const std::vector<std::string>& values) {
  std::int64_t position = 0;
  for (const auto& value : values) {
    CHECK_OK(tx.run("INSERT INTO review_items(review, kind, position, value) VALUES (?1, ?2, ?3, ?4)",
                    review.id.value, kind, position++, value));
  }
  return {};
}

Result<void> insert(Transaction& tx, const Review& review) {
  const auto& request = review.request;
  CHECK_OK(tx.run("INSERT INTO reviews(" SLUICE_REVIEW_COLUMNS
                  ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                  "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
                  review.id.value, request.digest, request.principal, request.connection, request.role,
                  request.system, request.verb, request.statement, request.max_records,
                  request.estimated_records, request.client_address, request.session, request.operation,
                  request.terms.rule, request.terms.approvals, request.terms.uses,
                  std::int64_t{request.terms.valid_for.count()}, std::int64_t{request.terms.hold.count()},
                  request.terms.bind_vectors, review.state, review.opened, review.expires, review.uses_left));
  CHECK_OK(write_items(tx, review, Item::collection, request.collections));
  CHECK_OK(write_items(tx, review, Item::mask, request.masks));
  return write_items(tx, review, Item::approver, request.terms.by);
}

}  // namespace

Result<void> ReviewRows::save(const Review& review) {
  TRY(auto tx, database_.begin(Access::write, durable_));
  // What was asked never changes after it was asked; only the state, the clock and the votes do.
  TRY(const auto changed, tx.run("UPDATE reviews SET state = ?2, expires = ?3, uses_left = ?4 WHERE id = ?1",
                                 review.id.value, review.state, review.expires, review.uses_left));
  if (changed == 0) CHECK_OK(insert(tx, review));
  CHECK_OK(tx.run("DELETE FROM review_votes WHERE review = ?1", review.id.value));
  std::int64_t position = 0;
  for (const auto& vote : review.votes) {
    CHECK_OK(
        tx.run("INSERT INTO review_votes(review, position, approver, approve, comment, at) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
               review.id.value, position++, vote.approver, vote.approve, vote.comment, vote.at));
  }
  return tx.commit();
}

Result<std::vector<Review>> ReviewRows::unfinished(WallTime rejected_since) {
  TRY(auto tx, database_.begin(Access::read));
  std::vector<Review> out;
  CHECK_OK(tx.query(
      "SELECT " SLUICE_REVIEW_COLUMNS
      " FROM reviews WHERE state IN (?1, ?2) OR (state = ?3 AND expires > ?4) ORDER BY sequence",
      [&](const Row& row) { out.push_back(read_review(row)); }, ReviewState::pending, ReviewState::approved,
      ReviewState::rejected, rejected_since));
  for (auto& review : out) CHECK_OK(read_lists(tx, review));
  return out;
}

Result<Review> ReviewRows::review(const ReviewId& id) {
  TRY(auto tx, database_.begin(Access::read));
  std::optional<Review> found;
  CHECK_OK(tx.query(
      "SELECT " SLUICE_REVIEW_COLUMNS " FROM reviews WHERE id = ?1",
      [&](const Row& row) { found = read_review(row); }, id.value));
  if (!found) return fail(Errc::not_found, "there is no review \"{}\"", id.value);
  CHECK_OK(read_lists(tx, *found));
  return std::move(*found);
}

Result<std::vector<Review>> ReviewRows::reviews(const Filter& filter) {
  TRY(auto tx, database_.begin(Access::read));
  std::vector<Review> out;
  // An empty condition holds for every row.
  CHECK_OK(tx.query(
      "SELECT " SLUICE_REVIEW_COLUMNS
      " FROM reviews WHERE (?1 IS NULL OR state = ?1) AND (?2 = '' OR principal = ?2)"
      " AND (?3 = '' OR connection = ?3)"
      " AND (?4 = '' OR sequence < (SELECT sequence FROM reviews WHERE id = ?4))"
      " ORDER BY sequence DESC LIMIT ?5",
      [&](const Row& row) { out.push_back(read_review(row)); }, filter.state, filter.principal,
      filter.connection, filter.after, static_cast<std::uint64_t>(filter.limit)));
  for (auto& review : out) CHECK_OK(read_lists(tx, review));
  return out;
}

#undef SLUICE_REVIEW_COLUMNS

}  // namespace sluice::store
