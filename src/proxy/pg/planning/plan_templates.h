// PlanTemplates: plans of simple queries that differ from one planned before in one number only, as
// `SELECT … WHERE id = 4711;` does from `… id = 4712;`. Parsing and describing such a statement costs several
// times what else is done for it.
//
//   if (auto number = varying_number(sql)) {
//     if (auto plan = templates.find(sql, *number, is_current)) return plan;   // with this text and number
//     if (templates.seen_before(sql, *number)) ...   // plan it, and the same with examples_number(), and add
//   }
//
// Only a number of at most nine digits that is compared with a column by `=` and ends its condition: it is an
// int4 whatever its value. That nothing but the texts depends on the value is not taken for granted: a
// template is made from two plans, and only when they are equal in everything else.
//
// A plan made here has no tree (Plan::parsed): who needs one plans the text afresh. Belongs to one session.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/pg/planning/plan.h"

namespace sluice::proxy::pg {

struct VaryingNumber {
  std::size_t begin = 0;
  std::size_t end = 0;
};
// The one number of the text that may be another; nullopt: there is none, or more than one.
std::optional<VaryingNumber> varying_number(std::string_view sql);

class PlanTemplates {
 public:
  static constexpr std::size_t kKept = 8;  // per session; a few kilobytes each

  // `is_current(const Plan&)`: whether what the plan was made from still holds; the template goes if not.
  template <class IsCurrent>
  std::shared_ptr<const Plan> find(std::string_view sql, VaryingNumber number, IsCurrent is_current) {
    for (std::size_t i = 0; i < templates_.size(); ++i) {
      if (!fits(templates_[i], sql, number)) continue;
      if (is_current(*templates_[i].plan)) return made(templates_[i], sql, number);
      templates_.erase(templates_.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    return nullptr;
  }

  // True from the second time on that such a text is asked about: a template costs a plan more.
  bool seen_before(std::string_view sql, VaryingNumber number);
  // A number that is not in the text, for the second plan; empty: every one of those tried is.
  static std::string_view examples_number(std::string_view sql);
  // From the plan of `sql` and that of the same text with `example` for the number. Does nothing when more
  // than the texts depends on it.
  void add(std::string_view sql, VaryingNumber number, const Plan& plan, const Plan& with_example,
           std::string_view example);

 private:
  // A text around the number.
  struct Pieces {
    std::string before;
    std::string after;
    std::string with(std::string_view number) const;
  };
  struct Template {
    Pieces sql;
    Pieces source;
    Pieces text;
    Pieces recorded;
    std::shared_ptr<const Plan> plan;
  };
  static bool fits(const Template& known, std::string_view sql, VaryingNumber number) {
    return sql.substr(0, number.begin) == known.sql.before && sql.substr(number.end) == known.sql.after;
  }
  static std::shared_ptr<const Plan> made(const Template& known, std::string_view sql, VaryingNumber number);
  static std::optional<Pieces> split(const std::string& text, std::string_view example);

  std::vector<Template> templates_;
  std::array<std::uint64_t, kKept> seen_{};  // hashes of texts without their number
  std::size_t next_seen_ = 0;
};

}  // namespace sluice::proxy::pg
