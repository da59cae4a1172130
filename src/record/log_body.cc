#include "record/log_body.h"

#include <unistd.h>

#include <utility>

namespace sluice::record {

namespace fs = std::filesystem;

Log::Body::Body(LogOptions options, const Clock& clock, Disk& disk)
    : options_(std::move(options)),
      clock_(clock),
      disk_(disk),
      folder_(options_.folder / shard_name(options_.shard)) {}

Log::Body::~Body() {
  if (open_for_business_) (void)close();
}

// ---------------------------------------------------------------- opening

Result<void> Log::Body::start() {
  if (options_.segment_bytes < kMinSegmentBytes || options_.segment_bytes > kMaxSegmentBytes ||
      options_.segment_bytes % 4096 != 0) {
    return fail(Errc::invalid_argument, "a segment has between {} and {} bytes, a multiple of 4096",
                kMinSegmentBytes, kMaxSegmentBytes);
  }
  if (options_.name.empty() || options_.name.find_first_of(" +\n") != std::string::npos) {
    return fail(Errc::invalid_argument, "the record's name must not be empty or hold a space or a plus sign");
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail(Errc::storage_failed, "cannot make {}: {}", folder_.native(), error.message());
  fs::permissions(folder_, fs::perms::owner_all, error);

  TRY(auto lock, lock_file(folder_ / kLockName));
  if (!lock) return fail(Errc::conflict, "another process writes {}", folder_.native());
  lock_ = std::move(*lock);

  TRY(auto recovered, recover(options_, folder_, disk_));
  log_id_ = recovered.log_id;
  epoch_ = recovered.epoch;
  tree_ = recovered.tree;
  found_ = tree_.size();
  last_time_ = recovered.last_time;
  checkpoint_bytes_ = recovered.checkpoint_bytes;
  queued_size_ = recovered.checkpointed;
  signed_ = {recovered.checkpointed, recovered.checkpoint_root};
  queued_at_ = clock_.steady();
  TRY(checkpoints_, disk_.open_allocated(folder_ / kCheckpointsName, 1));
  TRY(head_, Head::create(folder_,
                          {.shard = options_.shard,
                           .pid = static_cast<std::uint32_t>(::getpid()),
                           .log_id = log_id_,
                           .epoch = epoch_,
                           .entries = tree_.size(),
                           .checkpoint_bytes = checkpoint_bytes_},
                          disk_));
  segments_used_ = recovered.last_segment;
  if (recovered.segment) use(recovered.segment, recovered.used);
  open_ = recovered.open;
  if (!recovered.segment || recovered.finished) CHECK_OK(roll());
  CHECK_OK(settle_recovered(recovered));
  open_for_business_ = true;
  // At once: the next start trusts what is signed, and `shard_added` names a log that must be on the disk.
  // When it cannot be written now (a full disk), the upkeep tries again.
  queue_checkpoint();
  (void)write_checkpoints();
  return {};
}

// Says what was found, and closes what nobody else will.
Result<void> Log::Body::settle_recovered(RecoveredShard& recovered) {
  auto open = open_.snapshot();
  Opened opened{.epoch = epoch_,
                .after_crash = recovered.after_crash,
                .torn_bytes = recovered.torn_bytes,
                .lost_entries = recovered.lost_entries,
                .unfinished = open.operations.size(),
                .open_sessions = open.sessions.size(),
                .software = options_.software};
  CHECK_OK(write(Kind::opened, {}, {}, [&](FixedWriter& out) { encode(out, opened); }));
  for (const auto& o : open.operations) {
    Unfinished unfinished{.intent = o.intent};
    CHECK_OK(
        write(Kind::unfinished, o.session, o.operation, [&](FixedWriter& out) { encode(out, unfinished); }));
  }
  for (const auto& s : open.sessions) {
    SessionEnd end{.reason = SessionEndReason::gateway_lost, .entries = open_.entries_of(s.session) + 1};
    CHECK_OK(write(Kind::session_end, s.session, {}, [&](FixedWriter& out) { encode(out, end); }));
  }
  return {};
}

Result<void> Log::Body::close() {
  open_for_business_ = false;
  Closed closed{.epoch = epoch_};
  CHECK_OK(write(Kind::closed, {}, {}, [&](FixedWriter& out) { encode(out, closed); }));
  queue_checkpoint();
  CHECK_OK(write_checkpoints());
  head_.set_closed(true);
  CHECK_OK(head_.sync(disk_));
  std::error_code ignored;  // it is recreated, or removed at the next start
  fs::remove(folder_ / kNextName, ignored);
  segment_.reset();
  lock_ = File{};
  return {};
}

// ---------------------------------------------------------------- admission

Result<void> Log::Body::refuse() {
  ++published_.refused;
  return fail(Errc::storage_failed, "{}", why_not());
}

std::string Log::Body::why_not() const {
  switch (fault_.load()) {
    case Fault::altered: return "the files of the record were removed or cut while in use";
    case Fault::sync_failed: return "the disk did not keep what the record wrote to it";
    case Fault::none: break;
  }
  std::scoped_lock lock{reason_mutex_};
  if (stopped_) return "the record was stopped: " + stop_reason_;
  if (no_space_ && !next_ready_) return space_error_.detail;
  return {};
}

// After a failed fdatasync the kernel may have dropped the pages, and a second one would say that all is
// well. So the first failure is the end.
Result<void> Log::Body::sync_file(const File& file) {
  auto synced = disk_.sync(file);
  if (!synced) fault_ = Fault::sync_failed;
  return synced;
}

std::unexpected<Error> Log::Body::too_large(Kind kind) {
  ++published_.refused;
  return fail(Errc::too_large, "a {} entry of this size cannot be recorded", to_string(kind));
}

Result<void> Log::Body::require_session(SessionId session) {
  if (open_.has_session(session)) return {};
  return fail(Errc::invalid_argument, "session {} is not open in shard {}", to_string(session),
              options_.shard);
}

Result<void> Log::Body::require_operation(SessionId session, OperationId operation) {
  if (open_.has_operation(session, operation)) return {};
  return fail(Errc::invalid_argument, "operation {} has no open intent in shard {}",
              format_operation(session, operation), options_.shard);
}

void Log::Body::stop(std::string why) {
  std::scoped_lock lock{reason_mutex_};
  stop_reason_ = std::move(why);
  stopped_ = true;
}

void Log::Body::resume() {
  stopped_ = false;
}

// Times in a log never run back unnoticed: a small step back is ignored until the clock has caught up, a
// larger one is an entry of its own.
Result<void> Log::Body::keep_time() {
  auto now = clock_.now();
  if (now >= last_time_) [[likely]] {
    last_time_ = now;
    return {};
  }
  if (last_time_ - now <= kClockTolerance) return {};
  ClockStepped step{.from = last_time_, .to = now};
  last_time_ = now;
  Receipt receipt;
  for (int round = 0; round <= kMaxRolls; ++round) {
    auto fit =
        try_write(Kind::clock_stepped, {}, {}, [&](FixedWriter& out) { encode(out, step); }, false, receipt);
    if (fit == Fit::done) return {};
    if (auto rolled = roll(); !rolled) {
      last_time_ = step.from;
      return rolled;
    }
  }
  return too_large(Kind::clock_stepped);
}

// ---------------------------------------------------------------- segments

void Log::Body::use(std::shared_ptr<LiveSegment> segment, std::size_t used) {
  segment_ = std::move(segment);
  segments_used_ = segment_->header.number;
  base_ = segment_->map.data();
  at_ = used;
  end_ = segment_->map.size() - kEndBytes;
  remembered_.forget();
  publish();
  std::scoped_lock lock{queue_mutex_};
  watched_ = segment_;
}

Result<void> Log::Body::make_next() {
  auto path = folder_ / kNextName;
  std::error_code error;
  fs::remove(path, error);
  auto made = [&]() -> Result<std::shared_ptr<LiveSegment>> {
    auto live = std::make_shared<LiveSegment>();
    TRY(live->file, disk_.open_allocated(path, options_.segment_bytes));
    TRY(live->map, Mapping::map(live->file, options_.segment_bytes));
    return live;
  }();
  if (!made) {
    fs::remove(path, error);  // what was allocated of it is somebody else's space
    return std::unexpected(std::move(made).error());
  }
  (*made)->map.populate(0, kPopulated);
  next_ = std::move(*made);
  next_ready_ = true;
  return {};
}

Result<void> Log::Body::prepare_next() {
  std::scoped_lock lock{next_mutex_};
  if (next_) return {};
  return make_next();
}

// Goes over to the next segment. The order is what makes a kill at any point harmless: the new segment is
// whole before it has its name, it has its name before the old one says that the log goes on, and it says
// what is open before anything else.
Result<void> Log::Body::roll() {
  auto carried_bytes = frame_bytes(kHeaderBytes + 16) + open_.sessions() * 16 + open_.operations() * 24;
  if (carried_bytes > options_.segment_bytes / 2) {
    return fail(Errc::storage_failed, "segments of {} bytes are too small for {} open sessions",
                options_.segment_bytes, open_.sessions());
  }
  std::shared_ptr<LiveSegment> next;
  {
    std::scoped_lock lock{next_mutex_};
    if (!next_) {
      auto now = clock_.steady();
      if (no_space_ && now < retry_at_) {
        ++published_.refused;
        return std::unexpected(space_error_);
      }
      if (auto made = make_next(); !made) {
        ++published_.refused;
        std::scoped_lock reason{reason_mutex_};
        space_error_ = made.error();
        no_space_ = true;
        retry_at_ = now + kRetryAfter;
        return made;
      }
    }
    no_space_ = false;
    next_->header = {.shard = options_.shard,
                     .log_id = log_id_,
                     .number = segments_used_ + 1,
                     .capacity = options_.segment_bytes,
                     .before = tree_};
    auto header = encode_segment_header(next_->header);
    std::memcpy(next_->map.data(), header.data(), header.size());
    CHECK_OK(disk_.rename(folder_ / kNextName, folder_ / segment_name(next_->header.number)));
    next = std::move(next_);
    next_.reset();
    next_ready_ = false;
  }
  if (segment_) {
    auto commit = std::atomic_ref<std::uint32_t>{*reinterpret_cast<std::uint32_t*>(base_ + at_)};
    commit.store(kContinues, std::memory_order_release);
    queue_checkpoint();
    std::scoped_lock lock{queue_mutex_};
    finished_.push_back({segment_, at_ + kEndBytes});
    if (options_.durability == Durability::host) unsynced_.push_back(segment_);
  }
  names_unsynced_ = true;
  use(std::move(next), kSegmentHeaderBytes);
  return segments_used_ == 1 ? Result<void>{} : write_carried();
}

Result<void> Log::Body::write_carried() {
  static constexpr std::size_t kPerEntry = 1000;  // of each list: 16,000 and 24,000 bytes
  auto open = open_.snapshot();
  auto take = [](const auto& all, std::size_t& taken, auto& into) {
    auto n = std::min(kPerEntry, all.size() - taken);
    auto from = all.begin() + static_cast<std::ptrdiff_t>(taken);
    into.assign(from, from + static_cast<std::ptrdiff_t>(n));
    taken += n;
  };
  std::size_t sessions = 0;
  std::size_t operations = 0;
  for (bool last = false; !last;) {
    CarriedEntry entry;
    take(open.sessions, sessions, entry.carried.sessions);
    take(open.operations, operations, entry.carried.operations);
    last = entry.last = sessions == open.sessions.size() && operations == open.operations.size();
    Receipt receipt;
    if (try_write(
            Kind::carried, {}, {}, [&](FixedWriter& out) { encode(out, entry); }, false, receipt) !=
        Fit::done) {
      return fail(Errc::internal, "a new segment has no room for what is open");
    }
  }
  return {};
}

// ---------------------------------------------------------------- durability, checkpoints, upkeep

Result<void> Log::Body::sync() {
  if (options_.durability != Durability::host || synced_ == tree_.size()) return {};
  for (; !unsynced_.empty(); unsynced_.pop_back()) CHECK_OK(sync_file(unsynced_.back()->file));
  CHECK_OK(sync_file(segment_->file));
  if (names_unsynced_) CHECK_OK(disk_.sync_folder(folder_));
  names_unsynced_ = false;
  synced_ = tree_.size();
  published_.synced = synced_;
  return {};
}

void Log::Body::request_checkpoint() {
  checkpoint_due_ = true;
}

void Log::Body::tick() {
  if (!segment_) return;
  auto unsigned_entries = tree_.size() - queued_size_;
  bool late = clock_.steady() - queued_at_ >= options_.checkpoint_every;
  if (unsigned_entries > 0 && (checkpoint_due_ || late || unsigned_entries >= options_.checkpoint_entries)) {
    queue_checkpoint();
  }
}

void Log::Body::queue_checkpoint() {
  checkpoint_due_ = false;
  queued_at_ = clock_.steady();
  if (tree_.size() == queued_size_) return;
  queued_size_ = tree_.size();
  PendingCheckpoint pending{.checkpoint = {.origin = format_origin(options_.name, log_id_, options_.shard),
                                           .size = tree_.size(),
                                           .root = tree_.root(),
                                           .time = format_time(last_time_),
                                           .segment = segments_used_},
                            .segment = segment_};
  std::scoped_lock lock{queue_mutex_};
  pending_.push_back(std::move(pending));
}

// A checkpoint is written only after the entries that it covers are on disk: otherwise a crash of the host
// would leave a signed statement about entries that are gone, which is what tampering looks like.
Result<void> Log::Body::write_checkpoints() {
  std::scoped_lock one_at_a_time{notes_mutex_};
  for (;;) {
    PendingCheckpoint pending;
    {
      std::scoped_lock lock{queue_mutex_};
      if (pending_.empty()) return {};
      pending = pending_.front();
    }
    CHECK_OK(sync_file(pending.segment->file));
    CHECK_OK(disk_.sync_folder(folder_));
    auto note = sign_checkpoint(pending.checkpoint, options_.name, options_.key);
    CHECK_OK(disk_.write_at(checkpoints_, checkpoint_bytes_, note));
    checkpoint_bytes_ += note.size();
    head_.set_checkpoint_bytes(checkpoint_bytes_);
    {
      std::scoped_lock lock{signed_mutex_};
      signed_ = {pending.checkpoint.size, pending.checkpoint.root};
    }
    std::scoped_lock lock{queue_mutex_};
    pending_.erase(pending_.begin());
  }
}

// The writer meets a page fault for each page of the segment, which costs it as much as an entry. So what it
// will use until the next look is brought in here, in one go: twice what it has used since the last one.
void Log::Body::populate_ahead(const LiveSegment& segment) {
  constexpr std::size_t kMost = 16 << 20;
  if (std::exchange(ahead_.segment, segment.header.number) != segment.header.number) {
    ahead_ = {.segment = segment.header.number, .populated = kPopulated};
  }
  const std::size_t used = published_.used.load(std::memory_order_relaxed);
  const auto since = used - std::min(used, std::exchange(ahead_.used, used));
  const auto wanted = used + std::min(2 * since, kMost);
  if (wanted <= ahead_.populated) return;
  segment.map.populate(ahead_.populated, wanted - ahead_.populated);
  ahead_.populated = wanted;
}

// Trimming comes first and does not wait for the others: on a full disk it is what makes room for them.
Result<void> Log::Body::maintain() {
  std::shared_ptr<LiveSegment> watched;
  {
    std::scoped_lock lock{queue_mutex_};
    watched = watched_;
  }
  if (watched && !is_intact(watched->file, watched->header.capacity)) fault_ = Fault::altered;
  if (watched) populate_ahead(*watched);
  trim_finished();
  const auto written = write_checkpoints();
  const auto prepared = prepare_next();
  return written ? prepared : written;
}

void Log::Body::trim_finished() {
  std::vector<Finished> finished;
  {
    std::scoped_lock lock{queue_mutex_};
    finished.swap(finished_);
  }
  // Nobody writes these any more; what was not used goes back to the file system. Failing to is no loss.
  for (const auto& done : finished) (void)disk_.truncate(done.segment->file, done.used);
}

LogStatus Log::Body::status() const {
  LogStatus out;
  out.why_not = why_not();
  out.accepting = out.why_not.empty();
  out.entries = published_.entries;
  out.found = found_;
  out.durable = options_.durability == Durability::host ? published_.synced : published_.entries;
  {
    std::scoped_lock lock{signed_mutex_};
    out.checkpointed = signed_.size;
    out.root = signed_.root;
  }
  out.segment = published_.segment;
  out.segment_used = published_.used;
  out.next_ready = next_ready_;
  out.open_sessions = published_.sessions;
  out.open_operations = published_.operations;
  out.refused = published_.refused;
  return out;
}

}  // namespace sluice::record
