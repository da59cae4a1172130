#include "proxy/pg/planning/plan_templates.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "systems/postgres/sql/tokens.h"

namespace sluice::proxy::pg {
namespace {

namespace sql = postgres::sql;

constexpr std::size_t kMaxText = 4096;  // bytes; the longer a text, the less likely it comes again
constexpr std::size_t kMaxDigits = 9;   // of an int4, whatever they are

bool is_word(std::string_view text, const sql::Token& token, std::string_view lower) {
  return token.kind == sql::TokenKind::word && token.end - token.begin == lower.size() &&
         std::ranges::equal(text.substr(token.begin, lower.size()), lower,
                            [](char a, char b) { return (a | 0x20) == b; });
}

bool is_exactly(std::string_view text, const sql::Token& token, std::string_view what) {
  return text.substr(token.begin, token.end - token.begin) == what;
}

// A condition is over: nothing that follows can be part of an expression with the number.
bool ends_condition(std::string_view text, const sql::Token& token) {
  if (token.kind == sql::TokenKind::end) return true;
  if (token.kind == sql::TokenKind::punctuation) return is_exactly(text, token, ";");
  return is_word(text, token, "and") || is_word(text, token, "order") || is_word(text, token, "limit");
}

bool is_plain_number(std::string_view text, const sql::Token& token) {
  const auto digits = text.substr(token.begin, token.end - token.begin);
  return token.kind == sql::TokenKind::number && digits.size() <= kMaxDigits &&
         std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

auto facts(const CollectionUse& use) {
  const auto& [name, access, output_fields, tested_fields, all_fields] = use;
  return std::tie(name, access, output_fields, tested_fields, all_fields);
}

// All but the text. By name, so that who adds a member is stopped here and asks whether a value can bear on
// it.
auto facts(const Operation& operation) {
  const auto& [system, verb, also, statement_class, collections, searches, records, records_per_row,
               rows_hold_many, returns_vectors, returns_scores, functions, text, fingerprint,
               missing_relation, unknown_reason] = operation;
  return std::tie(system, verb, also, statement_class, records.max, records.from_parameter, records_per_row,
                  rows_hold_many, returns_vectors, returns_scores, functions, fingerprint, missing_relation,
                  unknown_reason);
}

bool same_but_text(const Operation& a, const Operation& b) {
  return facts(a) == facts(b) && a.searches.empty() && b.searches.empty() &&
         std::ranges::equal(a.collections, b.collections,
                            [](const auto& x, const auto& y) { return facts(x) == facts(y); });
}

// All but what follows from the text, which differs (source, text, operation, digests, the tree), and what a
// template never has (may_be_template): a denial, values that it writes, and, as it touches nothing masked,
// tests of stored values.
auto facts(const Plan& plan) {
  const auto& [operation, kind, source, text, rewritten, touches_masked, masked_fields, writes, hold_cursor,
               object, upstream_object, setting, inner, warning, denial, clamped_to, outputs, search, tests,
               masking, carried, insertion, written, objects, large, digests, basis, parsed, statement,
               body] = plan;
  return std::tie(kind, rewritten, touches_masked, masked_fields, writes, hold_cursor, object,
                  upstream_object, setting, inner, warning, clamped_to, outputs, search, masking, carried,
                  insertion.at, insertion.length, objects, large, basis);
}

bool reads(Verb verb) {
  return verb == Verb::fetch || verb == Verb::search || verb == Verb::scroll || verb == Verb::count ||
         verb == Verb::aggregate;
}

bool may_be_template(const Plan& plan) {
  return plan.kind == PlanKind::statement && !plan.denial && !plan.touches_masked && plan.written.empty() &&
         !plan.writes && plan.clamped_to == 0 && reads(plan.operation->verb) &&
         plan.operation->functions.empty();
}

}  // namespace

std::optional<VaryingNumber> varying_number(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  std::optional<VaryingNumber> found;
  sql::Token before_last;
  sql::Token last;
  auto token = sql::next_token(text, 0);
  if (!is_word(text, token, "select")) return std::nullopt;
  while (token.kind != sql::TokenKind::end) {
    const auto next = sql::next_token(text, token.end);
    if (token.kind == sql::TokenKind::bad) return std::nullopt;
    // One statement: two would have two texts.
    if (is_exactly(text, token, ";") && next.kind != sql::TokenKind::end) return std::nullopt;
    const bool after_column =
        last.kind == sql::TokenKind::operator_ && is_exactly(text, last, "=") &&
        (before_last.kind == sql::TokenKind::word || before_last.kind == sql::TokenKind::quoted_identifier);
    if (after_column && token.kind == sql::TokenKind::number) {
      if (found || !is_plain_number(text, token) || !ends_condition(text, next)) return std::nullopt;
      found = {token.begin, token.end};
    }
    before_last = last;
    last = token;
    token = next;
  }
  return found;
}

std::string PlanTemplates::Pieces::with(std::string_view number) const {
  std::string out;
  out.reserve(before.size() + number.size() + after.size());
  return out.append(before).append(number).append(after);
}

bool PlanTemplates::seen_before(std::string_view sql, VaryingNumber number) {
  const std::hash<std::string_view> hash;
  const std::uint64_t form = hash(sql.substr(0, number.begin)) * 31 + hash(sql.substr(number.end));
  if (std::ranges::find(seen_, form) != seen_.end()) return true;
  seen_[next_seen_++ % seen_.size()] = form;
  return false;
}

std::string_view PlanTemplates::examples_number(std::string_view sql) {
  for (std::string_view number : {"918273645", "192837465", "564738291"}) {
    if (sql.find(number) == std::string_view::npos) return number;
  }
  return {};
}

// nullopt: the example is not there exactly once.
std::optional<PlanTemplates::Pieces> PlanTemplates::split(const std::string& text, std::string_view example) {
  const auto at = text.find(example);
  if (at == std::string::npos || text.find(example, at + 1) != std::string::npos) return std::nullopt;
  return Pieces{text.substr(0, at), text.substr(at + example.size())};
}

void PlanTemplates::add(std::string_view sql, VaryingNumber number, const Plan& plan,
                        const Plan& with_example, std::string_view example) {
  if (!may_be_template(plan) || !may_be_template(with_example) || facts(plan) != facts(with_example) ||
      !same_but_text(*plan.operation, *with_example.operation)) {
    return;
  }
  const auto source = split(with_example.source, example);
  const auto text = split(with_example.text, example);
  const auto recorded = split(with_example.operation->text, example);
  const auto value = sql.substr(number.begin, number.end - number.begin);
  if (!source || !text || !recorded || source->with(value) != plan.source || text->with(value) != plan.text ||
      recorded->with(value) != plan.operation->text) {
    return;
  }
  auto bare = std::make_shared<Plan>(plan);
  bare->parsed.reset();
  bare->statement = nullptr;
  bare->body = nullptr;
  if (templates_.size() >= kKept) templates_.erase(templates_.begin());
  templates_.push_back(
      {.sql = {std::string{sql.substr(0, number.begin)}, std::string{sql.substr(number.end)}},
       .source = *source,
       .text = *text,
       .recorded = *recorded,
       .plan = std::move(bare)});
}

std::shared_ptr<const Plan> PlanTemplates::made(const Template& known, std::string_view sql,
                                                VaryingNumber number) {
  const auto value = sql.substr(number.begin, number.end - number.begin);
  auto operation = std::make_shared<Operation>(*known.plan->operation);
  operation->text = known.recorded.with(value);
  auto plan = std::make_shared<Plan>(*known.plan);
  plan->source = known.source.with(value);
  plan->text = known.text.with(value);
  plan->operation = std::move(operation);
  return plan;
}

}  // namespace sluice::proxy::pg
