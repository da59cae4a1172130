#include "gate/measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::gate {
namespace {

using ::testing::HasSubstr;

TEST(Measures, CountsByVerbDecisionAndReason) {
  Measures measures{"test"};
  measures.permitted(Verb::search);
  measures.permitted(Verb::search);
  measures.refused(Verb::export_, Reason::denied_by_rule);
  measures.refused(Verb::unknown, Reason::protocol);  // the last of each list
  measures.refused(Verb::session, Reason::no_rule);
  measures.finished(std::chrono::milliseconds{2}, 10, 20);
  const auto text = metrics::render();
  for (const char* line : {
           R"(sluice_operations_total{verb="search",decision="permit",worker="test"} 2)",
           R"(sluice_operations_total{verb="export",decision="refuse",worker="test"} 1)",
           R"(sluice_operations_total{verb="session",decision="refuse",worker="test"} 1)",
           R"(sluice_refusals_total{reason="denied_by_rule",worker="test"} 1)",
           R"(sluice_refusals_total{reason="protocol",worker="test"} 1)",
           R"(sluice_refusals_total{reason="over_limit",worker="test"} 0)",
           R"(sluice_records_total{worker="test"} 10)",
           R"(sluice_masked_values_total{worker="test"} 20)",
           R"(sluice_operation_seconds_count{worker="test"} 1)",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace sluice::gate
