// OVER and WINDOW.
#include <fmt/format.h>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/expressions.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// Bits of Window::frame_options (nodes/parsenodes.h, FRAMEOPTION_*; the same since PostgreSQL 11).
namespace frame {
constexpr int kNonDefault = 0x00001;
constexpr int kRange = 0x00002;
constexpr int kRows = 0x00004;
constexpr int kGroups = 0x00008;
constexpr int kBetween = 0x00010;
constexpr int kStartUnboundedPreceding = 0x00020;
constexpr int kEndUnboundedPreceding = 0x00040;
constexpr int kStartUnboundedFollowing = 0x00080;
constexpr int kEndUnboundedFollowing = 0x00100;
constexpr int kStartCurrentRow = 0x00200;
constexpr int kEndCurrentRow = 0x00400;
constexpr int kStartOffsetPreceding = 0x00800;
constexpr int kEndOffsetPreceding = 0x01000;
constexpr int kStartOffsetFollowing = 0x02000;
constexpr int kEndOffsetFollowing = 0x04000;
constexpr int kExcludeCurrentRow = 0x08000;
constexpr int kExcludeGroup = 0x10000;
constexpr int kExcludeTies = 0x20000;
}  // namespace frame

}  // namespace

void Deparser::window(const Window& window, Scope& scope, bool ranks_only) {
  bool by_name = !window.name.empty();
  if (by_name) {
    out_ += quote_identifier(window.name);
    return;
  }
  window_body(window, scope, ranks_only);
}

// A rank over the search's own distance says no more than the order of the result does.
void Deparser::window_body(const Window& window, Scope& scope, bool ranks_only) {
  out_ += '(';
  if (!window.references.empty()) out_ += quote_identifier(window.references) + " ";
  if (!window.partition_by.empty()) {
    out_ += "PARTITION BY ";
    exprs(window.partition_by, scope);
    out_ += ' ';
  }
  if (!window.order_by.empty()) {
    out_ += "ORDER BY ";
    bool first = true;
    for (const SortItem& item : window.order_by) {
      if (!std::exchange(first, false)) out_ += ", ";
      bool same = ranks_only && scope.knn && same_expression(item.expr, scope.knn->distance.expr);
      Place place = std::exchange(place_, same ? Place::knn_order : Place::elsewhere);
      sort_item(item, scope);
      place_ = place;
    }
    out_ += ' ';
  }
  int options = window.frame_options;
  if ((options & frame::kNonDefault) != 0) {
    if ((options & frame::kRange) != 0) out_ += "RANGE ";
    if ((options & frame::kRows) != 0) out_ += "ROWS ";
    if ((options & frame::kGroups) != 0) out_ += "GROUPS ";
    bool between = (options & frame::kBetween) != 0;
    if (between) out_ += "BETWEEN ";
    auto bound = [&](int preceding, int following, int current, int before, int after, const Expr* offset) {
      if ((options & preceding) != 0) out_ += "UNBOUNDED PRECEDING ";
      if ((options & following) != 0) out_ += "UNBOUNDED FOLLOWING ";
      if ((options & current) != 0) out_ += "CURRENT ROW ";
      if ((options & (before | after)) == 0) return;
      expr(offset, scope);
      out_ += (options & before) != 0 ? " PRECEDING " : " FOLLOWING ";
    };
    bound(frame::kStartUnboundedPreceding, frame::kStartUnboundedFollowing, frame::kStartCurrentRow,
          frame::kStartOffsetPreceding, frame::kStartOffsetFollowing, window.start_offset);
    if (between) {
      out_ += "AND ";
      bound(frame::kEndUnboundedPreceding, frame::kEndUnboundedFollowing, frame::kEndCurrentRow,
            frame::kEndOffsetPreceding, frame::kEndOffsetFollowing, window.end_offset);
    }
    if ((options & frame::kExcludeCurrentRow) != 0) out_ += "EXCLUDE CURRENT ROW ";
    if ((options & frame::kExcludeGroup) != 0) out_ += "EXCLUDE GROUP ";
    if ((options & frame::kExcludeTies) != 0) out_ += "EXCLUDE TIES ";
  }
  out_ += ')';
}

}  // namespace sluice::postgres::rewrite
