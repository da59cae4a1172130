// Any SQL text through the rewriter, with masks on some relations of the sample catalogue. A rewritten
// statement must have passed the rewriter's own last look (verify.h): one statement, understood in full, in
// which every masked relation stands inside of a generated derived table. It must also survive being
// rewritten again, whose result must too.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/crypto.h"
#include "systems/postgres/catalogue/testing.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace {

using namespace sluice;
using namespace sluice::postgres;

struct Fixture {
  std::shared_ptr<const Catalogue> catalogue = testing::sample_catalogue();
  std::shared_ptr<const rewrite::MaskPlan> masked;
  std::vector<std::string> path{"public"};

  Fixture() {
    initialise_crypto();
    MaskSet set;
    set.id = 1;
    for (const char* field : {"email", "ssn", "salary", "note.k"}) {
      FieldMask mask;
      mask.collection = "public.docs";
      mask.field = field;
      mask.write_allowed = mask.field == "salary";
      set.fields.push_back(mask);
    }
    FieldMask everywhere;
    everywhere.collection = "public.pgbench_accounts";
    everywhere.field = "filler";
    set.fields.push_back(everywhere);
    set.vectors.push_back({.collection = "public.docs", .scores = Scores::keep, .rule = "r"});
    masked = rewrite::MaskPlan::compile(*catalogue, set);
  }
};

std::string rewritten(const Fixture& fixture, std::string_view text, std::optional<std::uint64_t> clamp) {
  auto parsed = sql::parse(text);
  if (!parsed) return "";
  std::string last;
  for (const sql::ParsedStatement& statement : parsed->statements()) {
    auto result =
        rewrite::rewrite({statement, *fixture.catalogue, fixture.path, *fixture.masked, true, clamp, {}});
    if (auto* denial = std::get_if<Denial>(&result)) {
      // The last look failed: what the deparser wrote was not what it meant to write. Only a text that grew
      // beyond the parser's limits may end so.
      bool unsafe = denial->message.find("rewritten safely") != std::string::npos;
      bool limits = denial->hint.find("deeper than") != std::string::npos ||
                    denial->hint.find("more than") != std::string::npos ||
                    denial->hint.find("at most") != std::string::npos;
      if (unsafe && !limits) std::abort();
    }
    if (auto* done = std::get_if<rewrite::Rewritten>(&result)) last = done->sql;
  }
  return last;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Fixture fixture;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string once = rewritten(fixture, text, std::nullopt);
  if (!once.empty()) rewritten(fixture, once, 100);
  rewritten(fixture, text, 7);
  return 0;
}
