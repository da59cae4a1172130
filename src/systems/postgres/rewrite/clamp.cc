#include "systems/postgres/rewrite/clamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

class GatheringVisitor : public Visitor {
 public:
  GatheringVisitor(const Catalogue& catalogue, SearchPath path) : catalogue_(catalogue), path_(path) {}

  void on_expr(const Expr& expr) override {
    const auto* call = as<FunctionCall>(&expr);
    if (call == nullptr || call->name.empty() || call->name.size() > 2) return;
    std::string_view schema = call->name.size() == 2 ? call->name.front() : std::string_view{};
    FunctionClass cls = catalogue_.find_function(path_, schema, call->name.back()).facts.cls;
    bool gathers = cls == FunctionClass::unvouched || cls == FunctionClass::dangerous ||
                   (cls == FunctionClass::value_aggregate && !keeps_one_value(call->name.back()));
    if (gathers && !found) found = display_name(call->name);
  }

  std::optional<std::string> found;

 private:
  const Catalogue& catalogue_;
  SearchPath path_;
};

}  // namespace

RewriteResult clamp(const ParsedStatement& statement, const Catalogue& catalogue, SearchPath path,
                    std::uint64_t rows, std::vector<CarriedKey> keys) {
  static const auto kNoMasks = std::make_shared<const MaskPlan>();
  return rewrite({statement, catalogue, path, *kNoMasks, true, rows, std::move(keys), {}});
}

std::string clamped_limit(const Expr& limit, std::string_view text, std::uint64_t rows) {
  if (const auto* constant = as<Constant>(&limit)) {
    if (constant->value_kind == ConstantKind::null) return fmt::format("{}", rows);
    if (constant->value_kind == ConstantKind::integer) {
      bool lower = constant->integer < 0 || static_cast<std::uint64_t>(constant->integer) <= rows;
      return lower ? std::string(text) : fmt::format("{}", rows);
    }
  }
  return fmt::format("LEAST(CAST({} AS pg_catalog.int8), {})", text, rows);
}

std::optional<std::string> gathering_aggregate(const Statement& statement, const Catalogue& catalogue,
                                               SearchPath path) {
  GatheringVisitor visitor(catalogue, path);
  visit(statement, visitor);
  return visitor.found;
}

}  // namespace sluice::postgres::rewrite
