// One request to the admin API and its answer, without sockets or parsers: what handlers see and tests make.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sluice::admin {

enum class Method : std::uint8_t { get, post, put, patch, remove };
std::string_view to_string(Method method);  // "GET", ..., "DELETE"

struct Request {
  Method method = Method::get;
  std::string path;                          // decoded, without query
  std::map<std::string, std::string> query;  // decoded; a repeated key is refused before
  std::string body;
  std::string host;          // as the client calls us, lower case, with the port if it names one
  std::string token;         // of "Authorization: Bearer"; empty: none
  std::string content_type;  // without parameters, lower case
  std::string if_match;
  std::string client_address;  // "127.0.0.1"
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// RFC 9457: {"type":"about:blank","title":"Not Found","status":404,"detail":"...","code":"not_found"}. `code`
// is the stable part that programs go by.
Response problem(const Error& error);
int status_of(Errc code);
std::string_view reason_of(int status);

}  // namespace sluice::admin
