// What is changed over the admin API, into the control plane's shard of the record: an `admin_action` with
// who, whence and what, and beside it the entry of the change's own kind where the record has one (tokens,
// reviews).
#pragma once

#include "admin/ports.h"
#include "app/record_set.h"
#include "review/notifier.h"

namespace sluice::app {

class AuditPort final : public admin::AuditSink {
 public:
  explicit AuditPort(RecordSet& record) : record_(record) {}
  Result<void> report(const admin::AuditEntry& entry) override;

 private:
  RecordSet& record_;
};

// Records what happens to reviews without anybody's doing: that nobody decided in time, or nobody used what
// was approved. Hands everything on to `next`, which may be null.
class ReviewNews final : public review::Notifier {
 public:
  ReviewNews(RecordSet& record, review::Notifier* next) : record_(record), next_(next) {}
  void review_changed(const review::Review& review) override;

 private:
  RecordSet& record_;
  review::Notifier* next_;
};

}  // namespace sluice::app
