// Which writes would tell about masked columns by the error that they cause, or do not.
//
// A CHECK over a threshold and a masked salary, a unique index over a name and a masked number, a foreign key
// to a masked column, an index on what is computed from both: whoever may write the one side learns about the
// other, one try at a time. What holds for a write of a column is kept by relation, also for relations that
// have nothing masked themselves; what may be written by the policy (`write: allow`) is taken as known to who
// writes it.
//
// Also which writes of masked relations run code of somebody's (triggers, rules) that could read the row.
//
// Made once a mask plan; immutable afterwards. Partitions and inheritance relatives share guards, by column
// names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

class MaskPlan;

struct WriteGuard {
  std::vector<std::string> columns;  // a write of one of these tells
  bool on_insert = false;
  bool on_update = false;
  bool any_insert = false;  // whichever columns an INSERT names
  bool on_delete = false;
  std::string why;  // "docs_check compares it with public.docs.salary, which is masked (rule r3)"
};

struct CodeGuard {
  std::int16_t events = 0;  // kTrigger...
  std::string why;          // "trigger stamp runs a function that is not vouched for"
};

struct WriteGuards {
  std::vector<WriteGuard> ties;
  std::vector<CodeGuard> code;

  // Why a write of these columns is refused; nullptr: it is not. `event` is one of kTrigger...
  const std::string* find(std::int16_t event, std::string_view column) const;  // of a column that is written
  const std::string* find(std::int16_t event) const;  // of a row that is written or removed
};

using WriteGuardsByRelation = std::unordered_map<Oid, std::shared_ptr<const WriteGuards>>;
WriteGuardsByRelation write_guards(const Catalogue& catalogue, const MaskPlan& plan);

}  // namespace sluice::postgres::rewrite
