// A whole session of which both ends are hostile: the client that has logged in, and the server behind it.
// The input is a script of steps, each a letter, a 16-bit length and that many bytes:
//
//   c  the client says them; an obliging server answers what the gateway reads of the catalogue
//   C  the same, but the script's server answers
//   s  the server says them
//   t  what happens, by the first byte: c the client asks for a cancel, p the policy changes, h a hold ends,
//      x the server goes
//
// Whatever comes, what either end gets is a stream of well-formed messages, and a session that has been
// closed stays closed.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/byte_reader.h"
#include "core/log.h"
#include "policy/policy_set.h"
#include "proxy/pg/exchange/exchange.h"
#include "record/disk.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/encode.h"
#include "wire/pg/framer.h"

namespace {

using namespace sluice;
using namespace sluice::proxy::pg;

void require(bool law) {
  if (!law) std::abort();
}

constexpr const char* kTables = R"(
  public.docs(id int4 pk, slug text unique, title text, email text, embedding vector(4))
  public.pairs(a int4 pk, b int4 pk, note text)
  public.secrets(id int4 pk, secret text)
)";

// Everything that the gate can say: yes, no, with a mask, with a bound, with a smaller one, after a review.
constexpr const char* kPolicies[] = {
    R"(rules:
  - {name: most, match: {verb: "*", collection: [public.docs, public.pairs]}, allow: {max_records: 50}}
  - {name: session, match: {verb: [session, metadata]}, allow: {}}
  - {name: mask, match: {collection: public.docs}, mask: [{fields: [email], with: redact}, {vectors: remove, scores: keep}]}
  - {name: top-k, match: {verb: search}, limit: {max_records: 10, over: clamp}}
  - {name: bulk, match: {verb: scroll, records: {over: 20}}, review: {by: [group:sec], hold: 60s}}
  - {name: none, match: {collection: public.secrets}, deny: "no"}
)",
    R"(rules:
  - {name: all, match: {verb: "*"}, allow: {}}
)",
};

class NoReviews : public review::ReviewRepository {
 public:
  Result<void> save(const review::Review&) override { return {}; }
  Result<std::vector<review::Review>> unfinished(WallTime) override { return std::vector<review::Review>{}; }
  Result<review::Review> review(const ReviewId&) override { return fail(Errc::not_found, "no reviews"); }
  Result<std::vector<review::Review>> reviews(const Filter&) override {
    return std::vector<review::Review>{};
  }
};

// Real files, which nobody waits for: what a crash of this host would leave is not what is looked at here.
class HastyDisk : public record::Disk {
 public:
  Result<void> sync(const record::File&) override { return {}; }
  Result<void> sync_folder(const std::filesystem::path&) override { return {}; }
};

// A record that the sessions of many inputs share; it begins anew before it grows large.
class Recording {
 public:
  Recording() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-fuzz-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    auto opened = record::Log::open({.folder = folder_, .key = make_signing_key(), .segment_bytes = 8 << 20},
                                    clock, disk_);
    require(opened.has_value());
    log = std::move(*opened);
  }
  ~Recording() {
    log.reset();
    remove();
  }
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  ManualClock clock;
  std::unique_ptr<record::Log> log;

 private:
  HastyDisk disk_;
  std::filesystem::path folder_;
};

constexpr int kInputsPerRecord = 10'000;
constexpr int kInputsPerUpkeep = 100;  // of the record: checkpoints, the next segment

// Never ended with the program: what it is closed with has by then been destroyed. Only its folder is
// removed.
Recording* current = nullptr;

Recording& recording() {
  static const int at_exit = std::atexit([] { current->remove(); });
  static int used = 0;
  require(at_exit == 0);
  if (used++ % kInputsPerRecord == 0) {
    delete current;
    current = new Recording;
  }
  if (used % kInputsPerUpkeep == 0) {
    current->log->tick();
    (void)current->log->maintain();
  }
  return *current;
}

// Reads a stream of messages as it comes.
template <auto frame_next>
class Listener {
 public:
  void hear(std::string_view bytes) {
    unread_.append(bytes);
    while (skip_ < unread_.size()) {
      const auto frame = frame_next(as_bytes(unread_).subspan(skip_), 1u << 30);
      require(frame.has_value());
      if (!frame->complete()) break;
      skip_ += static_cast<std::size_t>(frame->size);
    }
    unread_.erase(0, skip_);
    skip_ = 0;
  }

 private:
  std::string unread_;
  std::size_t skip_ = 0;
};

class Conversation {
 public:
  explicit Conversation(const std::shared_ptr<const policy::PolicySet>& policy) : policies_(policy) {
    auto principal = std::make_shared<Principal>();
    principal->name = "ana";
    principal->groups = {"rag"};
    SessionFacts facts;
    facts.id = SessionId{1};
    facts.principal = std::move(principal);
    facts.connection = "docs";
    facts.system = "postgres";
    facts.client_address = "10.1.2.3";
    gate_.emplace(services_, facts);
    require(gate_->open().has_value());
    static const auto catalogue = postgres::testing::catalogue(kTables);
    store_.publish(catalogue);
    exchange_.emplace(*gate_, planner_, store_,
                      ExchangeLimits{.message_bytes = 64 * 1024, .held_row_bytes = 512});
  }
  ~Conversation() {
    exchange_->abandon(record::OutcomeStatus::client_lost);
    gate_->close(record::SessionEndReason::client_closed, "");
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void client_says(Bytes bytes, bool obliging) {
    from_client_.append(as_text(bytes));
    look_at_client(obliging);
  }

  void server_says(Bytes bytes) {
    from_server_.append(as_text(bytes));
    while (!closed_ && !from_server_.empty()) {
      const auto step = exchange_->on_server(as_bytes(from_server_));
      deliver();
      require(step.consumed <= from_server_.size());
      from_server_.erase(0, step.consumed);
      if (step.pause == Pause::close) closed_ = true;
      if (step.consumed == 0) break;
    }
    look_at_client(true);
  }

  void event(std::uint8_t kind) {
    if (closed_) return;
    switch (kind) {
      case 'c': (void)exchange_->cancel(); break;
      case 'p': exchange_->policy_changed(); break;
      case 'h':
        if (exchange_->is_waiting()) exchange_->end_hold(Exchange::HoldEnd::timed_out);
        break;
      case 'x':
        exchange_->server_lost("gone");
        closed_ = true;
        break;
      default: return;
    }
    deliver();
    look_at_client(true);
  }

 private:
  void look_at_client(bool obliging) {
    // Each turn takes a message or ends the loop; the bound is for a defect that would not.
    for (int turn = 0; !closed_ && !from_client_.empty(); ++turn) {
      require(turn < 100'000);
      if (exchange_->is_waiting() || exchange_->reading_catalogue()) return;
      const auto step = exchange_->on_client(as_bytes(from_client_));
      deliver();
      require(step.consumed <= from_client_.size());
      from_client_.erase(0, step.consumed);
      if (step.pause == Pause::close) closed_ = true;
      if (step.pause == Pause::catalogue) {
        if (!exchange_->idle()) return;
        const bool reads = exchange_->begin_catalogue_read();
        deliver();
        if (!reads) continue;
        if (!obliging) return;
        answer_path();
      } else if (step.pause == Pause::errand) {
        exchange_->errand()->run();
        exchange_->errand_over();
      } else if (step.consumed == 0 || step.pause != Pause::none) {
        return;
      }
    }
  }

  // The search path, which is all that is asked for where the store has a catalogue.
  void answer_path() {
    using namespace wire::pg;
    std::string out;
    encode_parse_complete(out);
    encode_bind_complete(out);
    const std::array<Value, 1> path{as_bytes("public")};
    (void)encode_data_row(out, path);
    (void)encode_command_complete(out, "SELECT 1");
    encode_close_complete(out);
    encode_close_complete(out);
    encode_ready_for_query(out, TransactionStatus::idle);
    const auto step = exchange_->on_server(as_bytes(out));
    deliver();
    if (step.pause == Pause::close) closed_ = true;
  }

  void deliver() {
    auto& to_server = exchange_->to_server();
    server_.hear(to_server.pending());
    to_server.consumed(to_server.pending().size());
    auto& to_client = exchange_->to_client();
    std::array<iovec, 16> pieces;
    std::size_t skip = 0;
    while (skip < to_client.size()) {
      const auto n = to_client.gather(skip, pieces.data(), pieces.size());
      for (std::size_t i = 0; i < n; ++i) {
        client_.hear({static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len});
        skip += pieces[i].iov_len;
      }
    }
    to_client.clear();
  }

  Recording& recording_ = recording();
  Published<policy::PolicySet> policies_;
  budget::Ledger budgets_;
  budget::Probes probes_;
  NoReviews repository_;
  review::Reviews reviews_{recording_.clock, repository_,
                           [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  gate::Services services_{recording_.clock, *recording_.log, policies_, budgets_, reviews_, probes_};
  std::optional<gate::Gate> gate_;
  Planner planner_;
  CatalogueStore store_;
  std::optional<Exchange> exchange_;
  std::string from_client_;
  std::string from_server_;
  Listener<wire::pg::frame_frontend> server_;
  Listener<wire::pg::frame_backend> client_;
  bool closed_ = false;
};

void play(Bytes script, const std::shared_ptr<const policy::PolicySet>& policy) {
  Conversation conversation{policy};
  ByteReader in{script};
  while (in.remaining() >= 3) {
    const auto who = in.u8();
    const auto length = std::min<std::size_t>(in.u16(), in.remaining());
    const auto bytes = in.bytes(length);
    switch (who) {
      case 'c': conversation.client_says(bytes, true); break;
      case 'C': conversation.client_says(bytes, false); break;
      case 's': conversation.server_says(bytes); break;
      case 't':
        if (!bytes.empty()) conversation.event(bytes[0]);
        break;
      default: return;
    }
  }
}

std::shared_ptr<const policy::PolicySet> load(const char* text) {
  auto loaded = policy::load_texts({{"p.yaml", text}}, 1);
  for (const auto& problem : loaded.problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
  require(loaded.policy != nullptr);
  return loaded.policy;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  sluice::log::configure(sluice::log::Level::off, sluice::log::Form::text);
  sluice::initialise_crypto();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto strict = load(kPolicies[0]);
  static const auto lenient = load(kPolicies[1]);
  if (size == 0) return 0;
  play(Bytes{data + 1, size - 1}, (data[0] & 1) != 0 ? lenient : strict);
  return 0;
}
