#include "store/name_rows.h"

namespace sluice::store {

Result<std::vector<NameRow>> NameRows::load() {
  TRY(auto tx, database_.begin(Access::read));
  std::vector<NameRow> out;
  CHECK_OK(tx.query("SELECT connection, database, relation, attnum, name FROM upstream_names ORDER BY place",
                    [&](const Row& row) {
                      out.push_back({row.text(0), row.text(1), static_cast<std::uint32_t>(row.number(2)),
                                     static_cast<std::int16_t>(row.integer(3)), row.text(4)});
                    }));
  return out;
}

Result<void> NameRows::change(const std::vector<NameRow>& removed, const std::vector<NameRow>& added) {
  TRY(auto tx, database_.begin(Access::write, Durable::process));
  for (const auto& row : removed) {
    CHECK_OK(
        tx.run("DELETE FROM upstream_names WHERE connection = ?1 AND database = ?2 AND relation = ?3"
               " AND attnum = ?4 AND name = ?5",
               row.connection, row.database, std::int64_t{row.relation}, std::int64_t{row.attnum}, row.name));
  }
  for (const auto& row : added) {
    CHECK_OK(
        tx.run("INSERT OR IGNORE INTO upstream_names(connection, database, relation, attnum, name)"
               " VALUES (?1, ?2, ?3, ?4, ?5)",
               row.connection, row.database, std::int64_t{row.relation}, std::int64_t{row.attnum}, row.name));
  }
  return tx.commit();
}

}  // namespace sluice::store
