// One HTTP request over libcurl, blocking: for the command line and for webhooks. Certificates are always
// checked, redirects are not followed, answers are bounded. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/result.h"

namespace sluice::app {

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::string ca_file;                        // empty: the system's
  std::chrono::milliseconds timeout{30'000};  // of the whole
  std::chrono::milliseconds connect_timeout{10'000};
  std::size_t max_answer = 64u << 20;  // exports of long sessions
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Errc::unavailable and Errc::timed_out when there was no answer; any HTTP status is an answer.
Result<HttpAnswer> http_request(const HttpCall& call);

// Whether the URL's host is this machine, so that plain HTTP leaks nothing.
bool is_loopback_url(std::string_view url);
// For a path segment or a query value.
std::string percent_encode(std::string_view text);

}  // namespace sluice::app
