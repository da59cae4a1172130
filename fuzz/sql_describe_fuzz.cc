// Any SQL text through describe(), on a small fixed database. Beside not crashing it must keep its promises:
// a statement is unknown with a reason or understood without one; the same text is described the same way; a
// bound that did not wait for a parameter holds for every value; nothing that EXPLAIN only plans returns
// records.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "systems/postgres/catalogue/testing.h"
#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/describe/settings.h"

namespace {

using namespace sluice;
using namespace sluice::postgres;

struct Fixture {
  std::shared_ptr<const Catalogue> catalogue = testing::catalogue(R"(
    public.docs(id int4 pk, slug text unique, tenant text, title text, email text, salary int4, note jsonb, tags text[], place point, embedding vector(4), half halfvec(4), bits bit(8))
    public.tenants(name text pk, plan text)
    public.tags(doc_id int8 pk, tag text pk, weight float8)
    public.sink(id int4, data text)
    public.events(id int8 pk, body text)
    child public.events_2026 of public.events
    view public.docs_v(id int4, contact text) reads public.docs
    function public.f_email
    function public.whole row
    operator evil.<->
    evil.docs(id int4 pk, title text)
  )");
  std::vector<std::string> path{"public"};
  std::vector<Parameter> bound;

  Fixture() {
    initialise_crypto();
    for (int i = 0; i < 8; ++i) {
      Parameter parameter;
      parameter.state = Parameter::State::text;
      parameter.bytes = "3";
      bound.push_back(parameter);
    }
  }
};

// Names stand for the first statement of the text, whatever they are.
class OneName final : public StatementNames {
 public:
  explicit OneName(const sql::ParsedStatement& statement) : statement_(statement) {}
  std::optional<NamedStatement> prepared(std::string_view) const override { return named(); }
  std::optional<NamedStatement> cursor(std::string_view) const override { return named(); }

 private:
  std::optional<NamedStatement> named() const {
    return NamedStatement{statement_.body, statement_.unknowns, {}};
  }
  const sql::ParsedStatement& statement_;
};

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const Fixture& fixture, const sql::ParsedStatement& statement, const StatementNames& names) {
  DescribeContext context{.catalogue = *fixture.catalogue, .search_path = fixture.path, .names = &names};
  const auto operation = describe(statement, context);
  const bool unknown = operation.verb == Verb::unknown;
  must(unknown == !operation.unknown_reason.empty());
  must(statement.unknowns.empty() || unknown);
  must(operation.text.size() <= kMaxRecordedText);
  must(!operation.records.from_parameter || !operation.records.max);
  for (const auto verb : operation.also) must(verb != operation.verb && verb != Verb::unknown);
  if (statement.body->kind == sql::StatementKind::explain) must(operation.records.max == 0);

  const auto again = describe(statement, context);
  must(again.verb == operation.verb && again.also == operation.also &&
       again.records.max == operation.records.max && again.fingerprint == operation.fingerprint &&
       again.collections.size() == operation.collections.size());

  context.parameters = fixture.bound;
  const auto bound = describe(statement, context);
  must(unknown == (bound.verb == Verb::unknown));
  if (operation.records.max) must(bound.records.max && *bound.records.max <= *operation.records.max);
  if (!operation.records.max && !operation.records.from_parameter) must(!bound.records.max);

  setting_changes(*statement.body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Fixture fixture;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = sql::parse(text);
  if (!parsed) {
    must(!parsed.error().message.empty());
    must(recorded_text(text).size() <= kMaxRecordedText);
    return 0;
  }
  if (parsed->statements().empty()) return 0;
  const OneName names{parsed->statements().front()};
  for (const auto& statement : parsed->statements()) check(fixture, statement, names);
  return 0;
}
