// ApiClient: the command line's way to the admin API, and its only one. Where it goes and who it is come from
// flags, from SLUICE_ADDR and SLUICE_TOKEN, or from ~/.config/sluice/context.yaml, in this order.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "app/http_client.h"
#include "core/result.h"
#include "core/secret.h"

namespace sluice::app {

inline constexpr std::string_view kDefaultAddress = "http://127.0.0.1:8640";

// What the command line said; empty: not said.
struct ContextFlags {
  std::string address;
  std::string token_file;
  std::string ca_file;
};

struct ApiContext {
  std::string address;
  Secret token;
  std::string ca_file;
};

std::filesystem::path context_file();  // $SLUICE_CONTEXT, or below $XDG_CONFIG_HOME or ~/.config
Result<ApiContext> find_context(const ContextFlags& flags);
Result<void> save_context(const ApiContext& context);

using Query = std::map<std::string, std::string>;  // empty values are left out

class ApiClient {
 public:
  // Errc::forbidden for plain HTTP to another machine: the token would travel in the clear.
  static Result<ApiClient> connect(ApiContext context);

  // The answer's JSON (null for 204). A problem becomes an Error with its code and detail.
  Result<boost::json::value> call(std::string_view method, std::string_view path, const Query& query = {},
                                  const boost::json::value* body = nullptr,
                                  const std::string& if_match = {}) const;
  // The answer's text as it is.
  Result<std::string> text(std::string_view path) const;
  // All items of a paginated list, over all its pages, up to `most`.
  Result<boost::json::array> items(std::string_view path, Query query, std::size_t most) const;

  const std::string& address() const { return context_.address; }

 private:
  explicit ApiClient(ApiContext context) : context_(std::move(context)) {}
  Result<HttpAnswer> send(std::string_view method, std::string_view path, const Query& query,
                          const boost::json::value* body, const std::string& if_match) const;
  ApiContext context_;
};

}  // namespace sluice::app
