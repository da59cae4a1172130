// The search index at a start. It is made from the record, so one that is damaged is made anew. It also
// remembers how far it had read: a record that has fewer entries now, or is another one, was set back, or a
// crash of the host took its end. That is an incident, because the record alone cannot show it; then too the
// index is made anew.
#pragma once

#include <filesystem>
#include <memory>

#include "app/record_set.h"
#include "store/record_index.h"

namespace sluice::app {

// Before anything else is recorded. An error is the record's, or a file that can be neither read nor
// replaced.
Result<std::unique_ptr<store::RecordIndex>> open_index(const std::filesystem::path& path,
                                                       const std::filesystem::path& record_folder,
                                                       RecordSet& record);

}  // namespace sluice::app
