#include "systems/postgres/rewrite/testing.h"

#include <fmt/format.h>

#include <cstdlib>
#include <regex>
#include <sstream>

namespace sluice::postgres::rewrite::testing {

MaskSet masks(std::string_view lines) {
  MaskSet set;
  set.id = 1;
  std::istringstream in{std::string(lines)};
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string collection;
    std::string field;
    std::string mask;
    std::string constant;
    std::string write;
    words >> collection >> field >> mask >> constant >> write;
    if (constant == "write") std::swap(constant, write);
    const bool write_allowed = write == "write";
    if (collection.empty()) continue;
    std::string rule = fmt::format("r{}", ++number);
    if (field == "vectors") {
      Scores scores = mask == "keep" ? Scores::keep : mask == "remove" ? Scores::remove : Scores::rank;
      set.vectors.push_back(
          {.collection = collection, .scores = scores, .rule = rule, .write_allowed = write_allowed});
    } else if (field == "detect") {
      set.detects.push_back({collection, {"email"}, Mask::partial, {}, rule});
    } else {
      FieldMask made;
      made.collection = collection;
      made.field = field;
      made.mask = mask_from(mask).value();
      made.keep_order = constant == "keep_order";
      made.constant = constant;
      made.write_allowed = write_allowed;
      made.rule = rule;
      set.fields.push_back(made);
    }
  }
  return set;
}

MaskSet corpus_masks(std::string_view scores) {
  return masks(
      fmt::format("public.docs email redact\npublic.docs ssn redact\npublic.docs salary redact\n"
                  "public.docs note redact\npublic.docs vectors {}",
                  scores));
}

Session::Session(std::shared_ptr<const Catalogue> with, const MaskSet& set)
    : catalogue(std::move(with)), plan(MaskPlan::compile(*catalogue, set)) {}

RewriteResult Session::run(std::string_view sql) const {
  auto parsed = sql::parse(sql);
  if (!parsed || parsed->statements().size() != 1) {
    return Denial{Reason::not_understood, "", parsed ? "not one statement" : parsed.error().message, ""};
  }
  const auto& statement = parsed->statements()[0];
  const auto* select = carry ? answering_select(*statement.body) : nullptr;
  auto keys =
      select == nullptr ? std::vector<CarriedKey>{} : missing_keys(*select, *catalogue, path, plan.get());
  return rewrite({statement, *catalogue, path, *plan, fresh, clamp, std::move(keys), vouch});
}

std::string Session::text(std::string_view sql) const {
  RewriteResult result = run(sql);
  if (std::holds_alternative<Unchanged>(result)) return "unchanged";
  if (auto* denial = std::get_if<Denial>(&result)) return "denied: " + denial->message;
  if (auto* stale = std::get_if<NeedsCatalogue>(&result)) return "stale: " + stale->relation;
  return std::regex_replace(std::get<Rewritten>(result).sql, std::regex("slc_[a-z0-9]{10}"), "slc");
}

bool Session::denies(std::string_view sql) const {
  return std::holds_alternative<Denial>(run(sql));
}

Session corpus_session(std::string_view scores) {
  auto contents = postgres::testing::sample_catalogue()->contents();
  for (auto& relation : contents.relations) relation.row_estimate = 5000;
  return Session(Catalogue::make(std::move(contents)), corpus_masks(scores));
}

}  // namespace sluice::postgres::rewrite::testing
