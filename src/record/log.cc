#include "record/log.h"

#include "record/log_body.h"

namespace sluice::record {
namespace {

// Of a statement's text: what one entry holds, so that statement and facts stay within kMaxEntryBytes, and
// how much is recorded at all. A longer statement is refused: what cannot be recorded does not pass.
constexpr std::size_t kTextPerEntry = 30'000;
constexpr std::size_t kMaxStatementText = 1 << 20;
constexpr std::size_t kMaskSetBytes = 32 * 1024;  // of a mask set in one entry

// A sample up to this size is kept inside the outcome; a larger one goes into entries of its own before it.
constexpr std::size_t kInlineIds = 8 * 1024;
constexpr std::size_t kInlineRows = 24 * 1024;
constexpr std::size_t kPiece = 60'000;  // kMaxColumnsBytes and kMaxRowBytes fit, and an entry holds it

// Texts that come from outside the gateway and have no limit of their own where they arise.
constexpr std::size_t kMaxClientText = 1024;  // a name, an address, a reason
constexpr std::size_t kMaxDetailText = 8192;  // a summary, a message, a refused request

std::string_view cut(std::string_view text, std::size_t limit) {
  return text.substr(0, limit);
}

bool is_zero(const Digest& digest) {
  return digest == Digest{};
}

}  // namespace

// ------------------------------------------------- statements, masks, rulings: once per segment

Result<std::uint64_t> Log::Body::statement_seq(const std::shared_ptr<const Operation>& op) {
  if (auto known = remembered_.statement(op)) return *known;

  // By content: the facts as they will be written, and the whole text.
  static constexpr Digest kNoDigest{};
  scratch_.resize(kMaxEntryBytes);
  auto* begin = reinterpret_cast<std::uint8_t*>(scratch_.data());
  FixedWriter facts{begin, begin + scratch_.size()};
  record::encode(facts, StatementSource{.op = *op, .text = {}, .parts = 0, .text_digest = kNoDigest});
  if (facts.overflow() || facts.size() + kHeaderBytes + kTextPerEntry > kMaxEntryBytes ||
      op->text.size() > kMaxStatementText) {
    return too_large(Kind::statement);
  }
  auto content = hash_.update(Bytes{begin, facts.size()}).update(op->text).finish();
  if (auto known = remembered_.statement(content)) {
    remembered_.add_statement(op, content, *known);
    return *known;
  }

  auto text_digest = sha256(as_bytes(op->text));
  for (int round = 0; round <= kMaxRolls; ++round) {
    TRY(auto seq, write_statement(*op, text_digest));
    if (!seq) continue;  // a new segment has begun
    remembered_.add_statement(op, content, *seq);
    return *seq;
  }
  return too_large(Kind::statement);
}

// The parts and the statement, into one segment.
Result<std::optional<std::uint64_t>> Log::Body::write_statement(const Operation& op,
                                                                const Digest& text_digest) {
  StatementSource source{.op = op, .text = op.text, .parts = 0, .text_digest = text_digest};
  for (; source.text.size() > kTextPerEntry; ++source.parts) {
    StatementPart part{source.text.substr(0, kTextPerEntry)};
    auto encode = [&](FixedWriter& out) { record::encode(out, part); };
    TRY(auto written, write_here(Kind::statement_part, encode));
    if (!written) return std::optional<std::uint64_t>{};
    source.text.remove_prefix(kTextPerEntry);
  }
  TRY(auto receipt, write_here(Kind::statement, [&](FixedWriter& out) { record::encode(out, source); }));
  return receipt ? std::optional{receipt->seq} : std::nullopt;
}

Result<std::optional<std::uint64_t>> Log::Body::mask_set_seq(const std::shared_ptr<const MaskSet>& masks) {
  if (!masks || masks->empty()) return std::optional<std::uint64_t>{};
  if (auto known = remembered_.mask_set(masks)) return known;
  for (int round = 0; round <= kMaxRolls; ++round) {
    TRY(auto seq, write_mask_set(*masks));
    if (!seq) continue;
    remembered_.add_mask_set(masks, *seq);
    return seq;
  }
  return too_large(Kind::mask_set);
}

// In as many entries as it takes, each adding to the one before, all in one segment.
Result<std::optional<std::uint64_t>> Log::Body::write_mask_set(const MaskSet& masks) {
  std::optional<std::uint64_t> last;
  bool rolled = false;
  MaskSetEntry entry;
  entry.masks.id = masks.id;
  auto fits = [&] {
    scratch_.resize(kMaxEntryBytes);
    auto* begin = reinterpret_cast<std::uint8_t*>(scratch_.data());
    FixedWriter out{begin, begin + kMaskSetBytes};
    record::encode(out, entry);
    return !out.overflow();
  };
  auto flush = [&]() -> Result<void> {
    TRY(auto receipt, write_here(Kind::mask_set, [&](FixedWriter& out) { record::encode(out, entry); }));
    rolled = !receipt;
    if (receipt) last = receipt->seq;
    entry = {.continues = true};
    entry.masks.id = masks.id;
    return {};
  };
  auto add = [&](auto& list, const auto& mask) -> Result<void> {
    if (rolled) return {};
    list.push_back(mask);
    if (fits()) return {};
    list.pop_back();
    CHECK_OK(flush());
    list.push_back(mask);
    return {};
  };
  for (const auto& mask : masks.fields) CHECK_OK(add(entry.masks.fields, mask));
  for (const auto& mask : masks.vectors) CHECK_OK(add(entry.masks.vectors, mask));
  for (const auto& mask : masks.detects) CHECK_OK(add(entry.masks.detects, mask));
  if (!rolled) CHECK_OK(flush());
  return rolled ? std::optional<std::uint64_t>{} : last;
}

Result<std::uint64_t> Log::Body::ruling_seq(const Ruling& ruling, const Digest& policy_digest) {
  for (int round = 0; round <= kMaxRolls; ++round) {
    TRY(auto masks, mask_set_seq(ruling.obligations.masks));
    RulingSource source{.ruling = ruling, .policy_digest = policy_digest, .mask_set = masks};
    ruling_scratch_.resize(kMaxEntryBytes);
    auto* begin = reinterpret_cast<std::uint8_t*>(ruling_scratch_.data());
    FixedWriter encoded{begin, begin + ruling_scratch_.size()};
    record::encode(encoded, source);
    if (encoded.overflow()) return too_large(Kind::ruling);
    std::string_view content{ruling_scratch_.data(), encoded.size()};
    if (auto known = remembered_.ruling(content)) return *known;
    auto encode = [&](FixedWriter& out) { out.raw(content.data(), content.size()); };
    TRY(auto receipt, write_here(Kind::ruling, encode));
    if (!receipt) continue;  // its masks must be said again
    remembered_.add_ruling(content, receipt->seq);
    return receipt->seq;
  }
  return too_large(Kind::ruling);
}

// ---------------------------------------------------------------- the hot path

Log::Log(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(LogOptions options, const Clock& clock) {
  return open(std::move(options), clock, posix_disk());
}

Result<std::unique_ptr<Log>> Log::open(LogOptions options, const Clock& clock, Disk& disk) {
  auto body = std::make_unique<Body>(std::move(options), clock, disk);
  CHECK_OK(body->start());
  return std::unique_ptr<Log>{new Log{std::move(body)}};
}

Result<Receipt> Log::session_start(const SessionFacts& facts) {
  if (facts.id.value == 0 || !facts.principal) {
    return fail(Errc::invalid_argument, "a session without an id or a principal cannot be recorded");
  }
  if (body_->open().has_session(facts.id)) {
    return fail(Errc::conflict, "session {} is already open", to_string(facts.id));
  }
  auto encode = [&](FixedWriter& out) { record::encode(out, facts); };
  return body_->write(Kind::session_start, facts.id, {}, encode, true);
}

Result<Receipt> Log::session_end(SessionId session, SessionEnd end) {
  CHECK_OK(body_->require_session(session));
  end.entries = body_->open().entries_of(session) + 1;
  end.detail = cut(end.detail, kMaxClientText);
  TRY(auto receipt,
      body_->write(Kind::session_end, session, {}, [&](FixedWriter& out) { record::encode(out, end); }));
  body_->request_checkpoint();
  return receipt;
}

Result<Receipt> Log::intent(const Intent& intent) {
  CHECK_OK(body_->require_session(intent.session));
  if (!intent.op || intent.ruling == nullptr || intent.operation.value == 0) {
    return fail(Errc::invalid_argument, "an intent names its operation and the ruling on it");
  }
  if (body_->open().has_operation(intent.session, intent.operation)) {
    return fail(Errc::conflict, "operation {} is already open",
                format_operation(intent.session, intent.operation));
  }
  BasicIntentEntry<std::span<const Param>> entry{
      .limit = intent.limit,
      .params_bound = static_cast<std::uint32_t>(intent.params.size()),
      .params = body_->bounded_params(intent.params),
      .review = cut(intent.review, kMaxClientText),
      .upstream_user = cut(intent.upstream_user, kMaxClientText)};
  if (!is_zero(intent.params_digest)) entry.params_digest = intent.params_digest;
  auto prepare = [&]() -> Result<void> {
    TRY(entry.statement, body_->statement_seq(intent.op));
    TRY(entry.ruling, body_->ruling_seq(*intent.ruling, intent.policy_digest));
    return {};
  };
  auto encode = [&](FixedWriter& out) { record::encode(out, entry); };
  return body_->write_with(Kind::intent, intent.session, intent.operation, prepare, encode, true);
}

// The first parameters, cut, as many as kMaxParams and kMaxParamsBytes allow. The digest covers all of them.
std::span<const Param> Log::Body::bounded_params(std::span<const Param> params) {
  params_.clear();
  std::size_t bytes = 0;
  for (const auto& param : params.first(std::min(params.size(), kMaxParams))) {
    auto& kept = params_.emplace_back(param);
    kept.value = cut(kept.value, kMaxParamBytes);
    bytes += kept.value.size();
    if (bytes > kMaxParamsBytes) {
      params_.pop_back();
      break;
    }
  }
  return params_;
}

Result<Receipt> Log::chunk(const Chunk& chunk) {
  CHECK_OK(body_->require_operation(chunk.session, chunk.operation));
  ChunkEntry entry{.records = chunk.records, .bytes = chunk.bytes, .digest = chunk.digest};
  return body_->write(Kind::chunk, chunk.session, chunk.operation,
                      [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<void> Log::Body::attach_samples(const Outcome& outcome, OutcomeEntry& entry) {
  if (outcome.ids != nullptr) {
    entry.ids_state = outcome.ids->state();
    entry.ids_seen = outcome.ids->seen();
    entry.ids_kept = outcome.ids->kept();
    if (outcome.ids->encoded().size() <= kInlineIds) {
      entry.ids = outcome.ids->encoded();
    } else {
      TRY(auto pieces, split_ids(outcome.ids->encoded(), kPiece));
      for (const auto& piece : pieces) {
        CHECK_OK(write(Kind::record_ids, outcome.session, outcome.operation,
                       [&](FixedWriter& out) { record::encode(out, RecordIdsEntry{piece}); }));
      }
      entry.ids_entries = static_cast<std::uint16_t>(pieces.size());
    }
  }
  if (outcome.rows != nullptr) {
    entry.rows_state = outcome.rows->complete() ? RowsState::complete : RowsState::partial;
    entry.rows_seen = outcome.rows->seen();
    entry.rows_kept = outcome.rows->kept();
    if (outcome.rows->encoded().size() <= kInlineRows) {
      entry.rows = outcome.rows->encoded();
    } else {
      TRY(auto pieces, split_rows(outcome.rows->encoded(), kPiece));
      for (const auto& piece : pieces) {
        CHECK_OK(write(Kind::rows, outcome.session, outcome.operation,
                       [&](FixedWriter& out) { record::encode(out, RowsEntry{piece}); }));
      }
      entry.rows_entries = static_cast<std::uint16_t>(pieces.size());
    }
  }
  return {};
}

Result<Receipt> Log::outcome(const Outcome& outcome) {
  CHECK_OK(body_->require_operation(outcome.session, outcome.operation));
  OutcomeEntry entry{
      .status = outcome.status,
      .error_class = cut(outcome.error_class, kMaxClientText),
      .records = outcome.records,
      .bytes = outcome.bytes,
      .reply_digest = outcome.reply_digest,
      .duration_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(outcome.duration.count(), 0)),
      .masked = outcome.masked};
  CHECK_OK(body_->attach_samples(outcome, entry));
  return body_->write(Kind::outcome, outcome.session, outcome.operation,
                      [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::denial(const DeniedOperation& denied) {
  CHECK_OK(body_->require_session(denied.session));
  DenialEntry entry{.reason = denied.denial.reason,
                    .rule = cut(denied.denial.rule, kMaxClientText),
                    .message = cut(denied.denial.message, kMaxDetailText),
                    .hint = cut(denied.denial.hint, kMaxDetailText),
                    .text = cut(denied.text, kMaxDetailText)};
  auto prepare = [&]() -> Result<void> {
    if (denied.op) {
      TRY(entry.statement, body_->statement_seq(denied.op));
    }
    if (denied.ruling != nullptr) {
      TRY(entry.ruling, body_->ruling_seq(*denied.ruling, denied.policy_digest));
    }
    return {};
  };
  auto encode = [&](FixedWriter& out) { record::encode(out, entry); };
  return body_->write_with(Kind::denial, denied.session, denied.operation, prepare, encode, false);
}

// ---------------------------------------------------------------- the rest

Result<Receipt> Log::append(const SessionRefused& refused) {
  SessionRefused entry{.connection = cut(refused.connection, kMaxClientText),
                       .principal = cut(refused.principal, kMaxClientText),
                       .client_address = cut(refused.client_address, kMaxClientText),
                       .client_name = cut(refused.client_name, kMaxClientText),
                       .reason = cut(refused.reason, kMaxDetailText)};
  return body_->write(Kind::session_refused, {}, {}, [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const ReviewRequested& review) {
  auto entry = review;
  entry.summary = cut(review.summary, kMaxDetailText);
  return body_->write(Kind::review_requested, review.session, review.operation,
                      [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const ReviewDecided& review) {
  auto entry = review;
  entry.comment = cut(review.comment, kMaxDetailText);
  return body_->write(Kind::review_decided, {}, {}, [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const ReviewUsed& review) {
  return body_->write(Kind::review_used, review.session, review.operation,
                      [&](FixedWriter& out) { record::encode(out, review); });
}

Result<Receipt> Log::append(const PolicyLoaded& policy) {
  return body_->write(Kind::policy_loaded, {}, {}, [&](FixedWriter& out) { record::encode(out, policy); });
}

Result<Receipt> Log::append(const PolicyRejected& policy) {
  auto entry = policy;
  entry.message = cut(policy.message, kMaxDetailText);
  return body_->write(Kind::policy_rejected, {}, {}, [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const AdminAction& action) {
  auto entry = action;
  entry.subject = cut(action.subject, kMaxClientText);
  entry.detail = cut(action.detail, kMaxDetailText);
  return body_->write(Kind::admin_action, {}, {}, [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const TokenEvent& token) {
  auto entry = token;
  entry.reason = cut(token.reason, kMaxDetailText);
  return body_->write(token.revoked ? Kind::token_revoked : Kind::token_issued, {}, {},
                      [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const Incident& incident) {
  auto entry = incident;
  entry.detail = cut(incident.detail, kMaxDetailText);
  return body_->write(Kind::incident, incident.session, incident.operation,
                      [&](FixedWriter& out) { record::encode(out, entry); });
}

Result<Receipt> Log::append(const ShardAdded& shard) {
  return body_->write(Kind::shard_added, {}, {}, [&](FixedWriter& out) { record::encode(out, shard); });
}

Result<void> Log::sync() {
  return body_->sync();
}
bool Log::is_durable(Receipt receipt) const {
  return body_->is_durable(receipt);
}
void Log::tick() {
  body_->tick();
}
Result<void> Log::maintain() {
  return body_->maintain();
}
Result<void> Log::prepare_next() {
  return body_->prepare_next();
}
Result<void> Log::write_checkpoints() {
  return body_->write_checkpoints();
}
void Log::request_checkpoint() {
  body_->request_checkpoint();
}
void Log::stop(std::string why) {
  body_->stop(std::move(why));
}
void Log::resume() {
  body_->resume();
}
Result<void> Log::close() {
  return body_->close();
}
LogStatus Log::status() const {
  return body_->status();
}
bool Log::accepting() const {
  return body_->accepting();
}
const std::array<std::uint8_t, 16>& Log::log_id() const {
  return body_->log_id();
}

}  // namespace sluice::record
