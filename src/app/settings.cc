#include "app/settings.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/nearest.h"
#include "app/settings_list.h"
#include "app/yaml_tree.h"

extern char** environ;

namespace sluice::app {
namespace {

constexpr std::string_view kEnvironmentPrefix = "SLUICE__";
constexpr std::size_t kMaxListItems = 64;  // listeners; more is a mistake

// Puts SLUICE__A__B=x into the tree as a.b = x.
Result<void> overlay(YamlNode& root, const std::string& variable, const std::string& value) {
  const auto origin = "environment " + variable;
  YamlNode* node = &root;
  std::string_view rest = std::string_view(variable).substr(kEnvironmentPrefix.size());
  while (true) {
    const auto end = rest.find("__");
    std::string key{rest.substr(0, end)};
    std::ranges::transform(key, key.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (key.empty()) return fail(Errc::malformed, "{}: empty key", origin);
    const bool is_index = std::ranges::all_of(key, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (node->kind == YamlNode::Kind::null) {
      node->kind = is_index ? YamlNode::Kind::sequence : YamlNode::Kind::mapping;
      node->origin = origin;
    }
    if (node->kind == YamlNode::Kind::sequence) {
      const auto index = is_index && key.size() < 4 ? std::stoul(key) : kMaxListItems;
      if (index > node->entries.size() || index >= kMaxListItems) {
        return fail(Errc::malformed, "{}: \"{}\" is not an index of this list (it has {} items)", origin, key,
                    node->entries.size());
      }
      if (index == node->entries.size()) node->entries.emplace_back();
      node = &node->entries[index].node;
    } else if (node->kind == YamlNode::Kind::mapping) {
      auto* next = node->find(key);
      if (next == nullptr) next = &node->entries.emplace_back(key, YamlNode{}).node;
      node = next;
    } else {
      return fail(Errc::malformed, "{}: {} has no parts", origin, node->origin);
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 2);
  }
  *node = {YamlNode::Kind::scalar, value, {}, origin};
  return {};
}

// Walks the list of settings and the tree side by side.
class Reader final : public SettingVisitor {
 public:
  explicit Reader(YamlNode& root) { enter(&root); }

  void setting(const SettingSpec& spec, SettingPlace place) override {
    auto* node = take(spec.name);
    if (node == nullptr) return;
    if (node->kind != YamlNode::Kind::scalar) {
      problem(*node, "{} needs a value, this is {}", spec.name, to_string(node->kind));
      return;
    }
    if (auto assigned = assign_setting(spec, place, node->text); !assigned) {
      problem(*node, "{}: {}", spec.name, assigned.error().detail);
    }
  }
  void begin_section(std::string_view name, std::string_view) override {
    auto* node = take(name);
    if (node != nullptr && node->kind != YamlNode::Kind::mapping && node->kind != YamlNode::Kind::null) {
      problem(*node, "{} needs a mapping, this is {}", name, to_string(node->kind));
      node = nullptr;
    }
    enter(node);
  }
  void end_section() override { leave(); }
  std::size_t begin_list(std::string_view name, std::string_view, std::size_t) override {
    list_ = take(name);
    if (list_ == nullptr || list_->kind == YamlNode::Kind::null) return 0;
    if (list_->kind != YamlNode::Kind::sequence) {
      problem(*list_, "{} needs a list, this is {}", name, to_string(list_->kind));
      return 0;
    }
    if (list_->entries.size() > kMaxListItems) {
      problem(*list_, "{} has more than {} items", name, kMaxListItems);
      return 0;
    }
    return list_->entries.size();
  }
  void begin_item(std::size_t index) override {
    auto* node = &list_->entries[index].node;
    if (node->kind != YamlNode::Kind::mapping) {
      problem(*node, "an item needs a mapping, this is {}", to_string(node->kind));
      node = nullptr;
    }
    enter(node);
  }
  void end_item() override { leave(); }
  void end_list() override { list_ = nullptr; }

  std::vector<std::string> finish() {
    leave();
    return std::move(problems_);
  }

 private:
  struct Level {
    YamlNode* node;  // null: nothing is given
    std::vector<std::string_view> known;
  };

  void enter(YamlNode* node) { levels_.push_back({node, {}}); }
  YamlNode* take(std::string_view name) {
    auto& level = levels_.back();
    level.known.push_back(name);
    return level.node == nullptr ? nullptr : level.node->find(name);
  }
  void leave() {
    const auto level = std::move(levels_.back());
    levels_.pop_back();
    if (level.node == nullptr) return;
    for (const auto& [key, node] : level.node->entries) {
      if (std::ranges::find(level.known, key) != level.known.end()) continue;
      const auto suggestion = nearest(key, level.known);
      problem(node, "there is no setting \"{}\"{}", key,
              suggestion ? fmt::format("; did you mean \"{}\"?", *suggestion) : "");
    }
  }
  template <class... Args>
  void problem(const YamlNode& node, fmt::format_string<Args...> text, Args&&... args) {
    problems_.push_back(fmt::format("{}: {}", node.origin, fmt::format(text, std::forward<Args>(args)...)));
  }

  std::vector<Level> levels_;
  YamlNode* list_ = nullptr;
  std::vector<std::string> problems_;
};

bool is_ip_address(const std::string& text) {
  in6_addr scratch{};
  return inet_pton(AF_INET, text.c_str(), &scratch) == 1 || inet_pton(AF_INET6, text.c_str(), &scratch) == 1;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// What no single setting can say.
std::vector<std::string> cross_check(const Settings& settings) {
  std::vector<std::string> problems;
  const auto add = [&]<class... Args>(fmt::format_string<Args...> text, Args&&... args) {
    problems.push_back(fmt::format("{}: {}", settings.file.empty() ? "settings" : settings.file.string(),
                                   fmt::format(text, std::forward<Args>(args)...)));
  };
  for (std::size_t i = 0; i < settings.postgres.size(); ++i) {
    const auto& listener = settings.postgres[i];
    if (!is_ip_address(listener.address)) {
      add("postgres[{}].address: \"{}\" is not an IP address", i, listener.address);
    }
    if (listener.certificate.empty() || listener.key.empty()) {
      add("postgres[{}]: certificate and key are needed, also where loopback may go without TLS", i);
    }
    for (std::size_t j = 0; j < i; ++j) {
      const auto& other = settings.postgres[j];
      if (listener.port != 0 && other.port == listener.port && other.address == listener.address) {
        add("postgres[{}] and postgres[{}] have the same address and port", j, i);
      }
    }
  }
  const auto& admin = settings.admin;
  if (!is_ip_address(admin.address)) add("admin.address: \"{}\" is not an IP address", admin.address);
  if (admin.certificate.empty() != admin.key.empty()) add("admin: certificate and key go together");
  if (!is_loopback(admin.address) && admin.certificate.empty()) {
    add("admin.address: \"{}\" is not loopback, so admin.certificate and admin.key are needed",
        admin.address);
  }
  if (settings.policy_dir.empty()) add("policy_dir must not be empty");
  if (settings.record.dir.empty()) add("record.dir must not be empty");
  const auto& hook = settings.webhook;
  if (!hook.url.empty()) {
    const bool local = hook.url.starts_with("http://127.") || hook.url.starts_with("http://localhost") ||
                       hook.url.starts_with("http://[::1]");
    if (!hook.url.starts_with("https://") && !local)
      add("webhook.url must begin with https:// (http:// on loopback)");
    if (hook.secret.empty())
      add("webhook.secret is needed: the receiver must be able to tell who is calling");
  }
  if (!hook.secret.empty() && !hook.secret.starts_with("file:") && !hook.secret.starts_with("env:")) {
    add("webhook.secret must be file:PATH or env:NAME");
  }
  return problems;
}

}  // namespace

std::filesystem::path Settings::data() const {
  const std::filesystem::path base = file.empty() ? std::filesystem::current_path() : file.parent_path();
  const auto folder = std::filesystem::absolute(base / data_dir).lexically_normal();
  return folder.has_filename() ? folder : folder.parent_path();  // without a slash at the end
}

std::filesystem::path Settings::path(std::string_view relative) const {
  return data() / relative;
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    if (!text.starts_with(kEnvironmentPrefix)) continue;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<Settings> load_settings(const std::filesystem::path& file, const Environment& environment) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Errc::not_found, "cannot read {}: there is no such file", file.string());
  }
  if (static_cast<std::uint64_t>(info.st_size) > kMaxYamlBytes) {
    return fail(Errc::too_large, "{} is longer than {} bytes", file.string(), kMaxYamlBytes);
  }
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(Errc::not_found, "cannot read {}", file.string());
  return parse_settings(text.str(), std::filesystem::absolute(file), environment);
}

Result<Settings> parse_settings(std::string_view yaml, const std::filesystem::path& file,
                                const Environment& environment) {
  const auto name = file.empty() ? std::string("settings") : file.string();
  TRY(auto root, parse_yaml(yaml, name));
  if (root.kind == YamlNode::Kind::null) root.kind = YamlNode::Kind::mapping;
  if (root.kind != YamlNode::Kind::mapping) {
    return fail(Errc::malformed, "{}: settings are a mapping, this is {}", name, to_string(root.kind));
  }
  for (const auto& [variable, value] : environment) {
    if (variable.starts_with(kEnvironmentPrefix)) CHECK_OK(overlay(root, variable, value));
  }
  Settings settings;
  settings.file = file;
  Reader reader{root};
  visit_settings(settings, reader);
  auto problems = reader.finish();
  if (problems.empty()) problems = cross_check(settings);
  if (!problems.empty()) return fail(Errc::malformed, "{}", fmt::join(problems, "\n"));
  return settings;
}

}  // namespace sluice::app
