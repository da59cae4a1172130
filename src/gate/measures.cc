#include "gate/measures.h"

namespace sluice::gate {

Measures::Measures(const std::string& worker)
    : durations_(&metrics::histogram("sluice_operation_seconds",
                                     "From the record of the intent to that of the outcome",
                                     {{"worker", worker}})),
      records_(&metrics::counter("sluice_records_total",
                                 "Records sent to clients, or affected by their writes",
                                 {{"worker", worker}})),
      masked_(
          &metrics::counter("sluice_masked_values_total", "Values that left masked", {{"worker", worker}})) {
  for (std::size_t i = 0; i < permitted_.size(); ++i) {
    const std::string verb{to_string(static_cast<Verb>(i))};
    const auto series = [&](const char* decision) {
      return &metrics::counter("sluice_operations_total", "Operations by verb and decision",
                               {{"verb", verb}, {"decision", decision}, {"worker", worker}});
    };
    permitted_[i] = series("permit");
    refused_[i] = series("refuse");
  }
  for (std::size_t i = 1; i < reasons_.size(); ++i) {
    reasons_[i] =
        &metrics::counter("sluice_refusals_total", "Operations refused, by reason",
                          {{"reason", std::string{to_string(static_cast<Reason>(i))}}, {"worker", worker}});
  }
}

}  // namespace sluice::gate
