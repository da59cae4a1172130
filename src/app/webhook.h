// Webhook: tells one configured URL about each change of a review, as JSON, signed.
//
//   POST <url>
//   Content-Type: application/json
//   Sluice-Event: review.pending
//   Sluice-Delivery: <number, rises by one>
//   Sluice-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>" with the configured secret>
//
// A receiver checks the signature over the bytes it got and refuses times that are minutes old. Any 2xx is
// delivered; anything else is tried again with growing pauses, up to `attempts`; then it is logged and
// counted as lost. The queue is bounded: a receiver that is down for long loses the oldest messages, never
// the gateway's memory. Reviews are in the API in any case; the webhook is a bell, not the book.
//
// Threads: review_changed() is thread-safe and does not block; delivery has a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "app/http_client.h"
#include "core/clock.h"
#include "core/secret.h"
#include "review/notifier.h"

namespace sluice::app {

// The signature header's value.
std::string webhook_signature(std::string_view key, std::int64_t unix_seconds, std::string_view body);
// The body: what an approver sees, without the statement's parameters (there are none in a review).
std::string webhook_body(const review::Review& review);

class Webhook final : public review::Notifier {
 public:
  struct Options {
    std::string url;
    Secret key;
    std::chrono::milliseconds timeout{10'000};
    std::uint32_t attempts = 5;
    std::chrono::milliseconds first_pause{500};  // doubles each time, up to a minute
  };
  static constexpr std::size_t kQueueLength = 1000;  // messages; about a megabyte

  using Send = std::function<Result<HttpAnswer>(const HttpCall&)>;
  Webhook(Options options, const Clock& clock, Send send = http_request);
  ~Webhook() override;  // gives up what has not been delivered

  void review_changed(const review::Review& review) override;
  // Waits until the queue is empty or the time is over. For tests and for draining.
  bool flush(std::chrono::milliseconds limit);

 private:
  struct Message {
    std::string event;
    std::string body;
    std::uint64_t number = 0;
  };
  void run();
  bool deliver(const Message& message);
  bool pause(std::chrono::milliseconds time);  // false: stopping

  Options options_;
  const Clock& clock_;
  Send send_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Message> queue_;
  std::uint64_t next_number_ = 1;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice::app
