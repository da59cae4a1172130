#include "app/api_client.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>

#include "app/files.h"
#include "app/yaml_tree.h"

namespace sluice::app {
namespace {

namespace json = boost::json;

// Checking the whole record or exporting a long session takes minutes; everything else ends long before.
constexpr std::chrono::minutes kLongestCall{10};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

Errc code_from(std::string_view name, int status) {
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
    if (to_string(static_cast<Errc>(i)) == name) return static_cast<Errc>(i);
  }
  return status == 401 ? Errc::unauthenticated : status == 404 ? Errc::not_found : Errc::unavailable;
}

Error error_of(const HttpAnswer& answer) {
  boost::system::error_code problem;
  const auto body = json::parse(answer.body, problem);
  if (!problem && body.is_object()) {
    const auto* code = body.get_object().if_contains("code");
    const auto* detail = body.get_object().if_contains("detail");
    if (code != nullptr && detail != nullptr && code->is_string() && detail->is_string()) {
      return {code_from(std::string(code->get_string()), answer.status), std::string(detail->get_string())};
    }
  }
  return {code_from("", answer.status), fmt::format("the gateway answered with status {}", answer.status)};
}

// "host:port" alone means HTTP on this machine and HTTPS elsewhere.
std::string normal_address(std::string address) {
  while (address.ends_with('/')) address.pop_back();
  if (address.find("://") != std::string::npos) return address;
  const auto plain = "http://" + address;
  return is_loopback_url(plain) ? plain : "https://" + address;
}

Result<void> read_context_file(const std::filesystem::path& file, ApiContext& out) {
  auto text = read_private_file(file, 64 << 10);
  if (!text && text.error().code == Errc::not_found) return {};
  if (!text) return std::unexpected(std::move(text).error());
  TRY(const auto root, parse_yaml(text->reveal(), file.string()));
  for (const auto& [key, node] : root.entries) {
    if (node.kind != YamlNode::Kind::scalar)
      return fail(Errc::malformed, "{}: {} needs a value", node.origin, key);
    if (key == "address") {
      if (out.address.empty()) out.address = node.text;
    } else if (key == "token") {
      if (out.token.empty()) out.token = Secret{node.text};
    } else if (key == "ca_file") {
      if (out.ca_file.empty()) out.ca_file = node.text;
    } else {
      return fail(Errc::malformed, "{}: there is no key \"{}\"", node.origin, key);
    }
  }
  return {};
}

}  // namespace

std::filesystem::path context_file() {
  if (auto named = environment("SLUICE_CONTEXT"); !named.empty()) return named;
  if (auto base = environment("XDG_CONFIG_HOME"); !base.empty())
    return std::filesystem::path(base) / "sluice/context.yaml";
  return std::filesystem::path(environment("HOME")) / ".config/sluice/context.yaml";
}

Result<ApiContext> find_context(const ContextFlags& flags) {
  ApiContext out;
  out.address = flags.address.empty() ? environment("SLUICE_ADDR") : flags.address;
  out.ca_file = flags.ca_file.empty() ? environment("SLUICE_CA_FILE") : flags.ca_file;
  if (!flags.token_file.empty()) {
    TRY(out.token, read_private_file(flags.token_file, 4096));
  } else {
    out.token = Secret{environment("SLUICE_TOKEN")};
  }
  if (out.address.empty() || out.token.empty()) CHECK_OK(read_context_file(context_file(), out));
  if (out.address.empty()) out.address = kDefaultAddress;
  out.address = normal_address(std::move(out.address));
  return out;
}

Result<void> save_context(const ApiContext& context) {
  const auto file = context_file();
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  std::filesystem::remove(file, error);  // made anew, so that its mode is ours
  const Secret text{
      fmt::format("address: \"{}\"\ntoken: \"{}\"\n{}", context.address, context.token.reveal(),
                  context.ca_file.empty() ? "" : fmt::format("ca_file: \"{}\"\n", context.ca_file))};
  return create_file(file, text.reveal(), 0600);
}

Result<ApiClient> ApiClient::connect(ApiContext context) {
  if (!context.address.starts_with("https://") && !is_loopback_url(context.address)) {
    return fail(Errc::forbidden,
                "{} is neither https nor this machine: the token would be readable on the way",
                context.address);
  }
  return ApiClient{std::move(context)};
}

Result<HttpAnswer> ApiClient::send(std::string_view method, std::string_view path, const Query& query,
                                   const json::value* body, const std::string& if_match) const {
  HttpCall call;
  call.method = method;
  call.url = context_.address + std::string(path);
  char separator = '?';
  for (const auto& [key, value] : query) {
    if (value.empty()) continue;
    call.url += fmt::format("{}{}={}", std::exchange(separator, '&'), key, percent_encode(value));
  }
  call.ca_file = context_.ca_file;
  if (!context_.token.empty())
    call.headers.push_back("Authorization: Bearer " + std::string(context_.token.reveal()));
  if (!if_match.empty()) call.headers.push_back("If-Match: " + if_match);
  if (body != nullptr) {
    call.headers.emplace_back("Content-Type: application/json");
    call.body = json::serialize(*body);
  }
  call.timeout = kLongestCall;
  auto answered = http_request(call);
  if (!answered && answered.error().code == Errc::unavailable) {
    return fail(Errc::unavailable,
                "the gateway does not answer. {}\nIs it running (sluice serve), and is this its address?",
                answered.error().detail);
  }
  TRY(auto answer, std::move(answered));
  if (answer.status >= 400) return std::unexpected(error_of(answer));
  if (answer.status < 200 || answer.status >= 300) {
    return fail(Errc::unavailable, "{} answered with status {}: is this a Sluice?", context_.address,
                answer.status);
  }
  return answer;
}

Result<json::value> ApiClient::call(std::string_view method, std::string_view path, const Query& query,
                                    const json::value* body, const std::string& if_match) const {
  TRY(const auto answer, send(method, path, query, body, if_match));
  if (answer.body.empty()) return json::value(nullptr);
  boost::system::error_code problem;
  auto value = json::parse(answer.body, problem);
  if (problem)
    return fail(Errc::unavailable, "{} did not answer in JSON: is this a Sluice?", context_.address);
  return value;
}

Result<std::string> ApiClient::text(std::string_view path) const {
  TRY(auto answer, send("GET", path, {}, nullptr, {}));
  return std::move(answer.body);
}

Result<json::array> ApiClient::items(std::string_view path, Query query, std::size_t most) const {
  constexpr std::size_t kPage = 1000;  // the largest that the API gives
  json::array out;
  while (true) {
    query["limit"] = std::to_string(std::min(kPage, most - out.size()));
    TRY(auto page, call("GET", path, query));
    auto* object = page.if_object();
    auto* list = object == nullptr ? nullptr : object->if_contains("items");
    if (list == nullptr || !list->is_array()) return fail(Errc::unavailable, "the answer is not a list");
    for (auto& item : list->get_array()) out.push_back(std::move(item));
    const auto* next = object->if_contains("next_cursor");
    if (next == nullptr || !next->is_string() || next->get_string().empty() || out.size() >= most) return out;
    query["cursor"] = std::string(next->get_string());
  }
}

}  // namespace sluice::app
