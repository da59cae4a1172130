#include "app/webhook.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/crypto.h"
#include "core/encoding.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/thread_name.h"

namespace sluice::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kLongestPause{60'000};

json::value number(const std::optional<std::uint64_t>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array texts(const std::vector<std::string>& values) {
  json::array out;
  for (const auto& value : values) out.emplace_back(value);
  return out;
}

}  // namespace

std::string webhook_signature(std::string_view key, std::int64_t unix_seconds, std::string_view body) {
  const auto signed_text = fmt::format("{}.{}", unix_seconds, body);
  return fmt::format("t={},v1={}", unix_seconds, to_hex(hmac_sha256(as_bytes(key), as_bytes(signed_text))));
}

std::string webhook_body(const review::Review& review) {
  const auto& request = review.request;
  json::array votes;
  for (const auto& vote : review.votes) {
    votes.push_back(
        json::object{{"approver", vote.approver}, {"approve", vote.approve}, {"comment", vote.comment}});
  }
  return json::serialize(
      json::object{{"event", fmt::format("review.{}", to_string(review.state))},
                   {"review", json::object{{"id", review.id.value},
                                           {"state", to_string(review.state)},
                                           {"principal", request.principal},
                                           {"connection", request.connection},
                                           {"role", request.role},
                                           {"verb", to_string(request.verb)},
                                           {"statement", request.statement},
                                           {"collections", texts(request.collections)},
                                           {"max_records", number(request.max_records)},
                                           {"estimated_records", number(request.estimated_records)},
                                           {"masks", texts(request.masks)},
                                           {"rule", request.terms.rule},
                                           {"by", texts(request.terms.by)},
                                           {"approvals", request.terms.approvals},
                                           {"opened", format_time(review.opened)},
                                           {"expires", format_time(review.expires)},
                                           {"votes", std::move(votes)}}}});
}

Webhook::Webhook(Options options, const Clock& clock, Send send)
    : options_(std::move(options)), clock_(clock), send_(std::move(send)), thread_([this] { run(); }) {}

Webhook::~Webhook() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Webhook::review_changed(const review::Review& review) {
  static auto& lost = metrics::counter("sluice_webhook_lost_total", "Messages that were never delivered");
  Message message{fmt::format("review.{}", to_string(review.state)), webhook_body(review), 0};
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= kQueueLength) {
      queue_.pop_front();
      lost.increment();
    }
    message.number = next_number_++;
    queue_.push_back(std::move(message));
  }
  wake_.notify_all();
}

bool Webhook::flush(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, limit, [this] { return queue_.empty() && !busy_; });
}

void Webhook::run() {
  name_thread("webhook");
  static auto& lost = metrics::counter("sluice_webhook_lost_total", "Messages that were never delivered");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const auto message = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    if (!deliver(message)) {
      lost.increment();
      log::error("webhook message lost",
                 {{"event", message.event}, {"delivery", std::to_string(message.number)}});
    }
    lock.lock();
    busy_ = false;
    wake_.notify_all();
  }
}

bool Webhook::deliver(const Message& message) {
  auto wait = options_.first_pause;
  for (std::uint32_t attempt = 1; attempt <= options_.attempts; ++attempt) {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
    HttpCall call;
    call.method = "POST";
    call.url = options_.url;
    call.body = message.body;
    call.timeout = options_.timeout;
    call.max_answer = 64 << 10;  // nobody reads it
    call.headers = {"Content-Type: application/json", "User-Agent: sluice", "Sluice-Event: " + message.event,
                    fmt::format("Sluice-Delivery: {}", message.number),
                    "Sluice-Signature: " + webhook_signature(options_.key.reveal(), now, message.body)};
    const auto answer = send_(call);
    if (answer && answer->status >= 200 && answer->status < 300) return true;
    log::warn("webhook attempt failed",
              {{"attempt", std::to_string(attempt)},
               {"reason", answer ? fmt::format("status {}", answer->status) : answer.error().message()}});
    if (attempt == options_.attempts || !pause(wait)) return false;
    wait = std::min(wait * 2, kLongestPause);
  }
  return false;
}

bool Webhook::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace sluice::app
