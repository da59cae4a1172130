// The record, as the admin API asks for it: search over the index, replay and export from the segments,
// verification.
#pragma once

#include <filesystem>

#include "admin/ports.h"
#include "app/record_set.h"
#include "record/note.h"
#include "record/search.h"

namespace sluice::app {

class RecordPort final : public admin::RecordQuery {
 public:
  // `catch_up` brings the index to the end of the segments, so that an answer holds what happened before the
  // question.
  RecordPort(std::filesystem::path folder, record::Index& index, std::function<Result<void>()> catch_up,
             RecordSet& record, record::VerifierKey key, std::string durability)
      : folder_(std::move(folder)),
        index_(index),
        catch_up_(std::move(catch_up)),
        record_(record),
        key_(std::move(key)),
        durability_(std::move(durability)) {}

  Result<admin::RecordPage> search(const admin::RecordFilter& filter) override;
  Result<admin::RecordPage> sessions(const admin::RecordFilter& filter) override;
  Result<std::string> session(SessionId id) override;
  Result<admin::RecordPage> replay(SessionId id, const std::string& cursor, std::size_t limit) override;
  Result<admin::RecordPage> events(const std::string& kind, const std::string& cursor,
                                   std::size_t limit) override;
  Result<std::string> export_session(SessionId id) override;
  Result<admin::VerifyReport> verify() override;
  admin::RecordStatus status() override;

 private:
  std::filesystem::path folder_;
  record::Index& index_;
  std::function<Result<void>()> catch_up_;
  RecordSet& record_;
  record::VerifierKey key_;
  std::string durability_;
};

}  // namespace sluice::app
