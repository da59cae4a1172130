// TextNames: what names of prepared statements and cursors stand for within one query text: those of the
// session, and what an earlier statement of the same text makes of them. SQL-level PREPARE, EXECUTE,
// DEALLOCATE, DECLARE, FETCH and CLOSE are resolved against it, and get the gateway's names towards the
// server.
//
// All statements of a text are planned before the first of them runs, so this runs ahead of `Names`, which
// holds what has been sent. For one text; the session's names must outlive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/pg/exchange/names.h"
#include "proxy/pg/planning/plan.h"
#include "systems/postgres/describe/describe.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

class TextNames final : public postgres::StatementNames {
 public:
  // `large`: what a name stands for may be a large statement. Otherwise such a name is not known to
  // `describe`, and met_large() says so.
  explicit TextNames(Names& session, bool large = false) : session_(session), large_(large) {}

  // The statement that a name stands for, as `describe` asks for it.
  std::optional<postgres::NamedStatement> prepared(std::string_view name) const override;
  std::optional<postgres::NamedStatement> cursor(std::string_view name) const override;

  // Where `plan` names a statement or cursor: fills in what it stands for and the gateway's name in the text,
  // and remembers what it makes. The error is the client's: no such name, or one that exists already. Other
  // plans stay as they are.
  std::optional<wire::pg::ErrorFields> resolve(Plan& plan);

  bool met_large() const { return met_large_; }

 private:
  std::optional<postgres::NamedStatement> named(const std::shared_ptr<const Plan>& plan) const;
  struct Made {
    std::shared_ptr<const Plan> plan;  // null: dropped
    std::string upstream_name;
  };
  using Map = std::map<std::string, Made, std::less<>>;

  std::shared_ptr<const Plan> find_prepared(std::string_view name) const;
  std::shared_ptr<const Plan> find_cursor(std::string_view name) const;
  std::string upstream_prepared(std::string_view name) const;
  std::string upstream_cursor(std::string_view name) const;

  std::optional<wire::pg::ErrorFields> prepare(Plan& plan);
  std::optional<wire::pg::ErrorFields> declare(Plan& plan);
  std::optional<wire::pg::ErrorFields> execute(Plan& plan) const;
  std::optional<wire::pg::ErrorFields> execute_within(Plan& plan) const;
  std::optional<wire::pg::ErrorFields> fetch(Plan& plan) const;
  std::optional<wire::pg::ErrorFields> deallocate(Plan& plan);
  std::optional<wire::pg::ErrorFields> close(Plan& plan);

  Names& session_;
  bool large_;
  mutable bool met_large_ = false;
  Map prepared_;  // of this text
  Map cursors_;
  bool deallocated_all_ = false;  // of the session's own nothing is left
  bool closed_all_ = false;
};

}  // namespace sluice::proxy::pg
