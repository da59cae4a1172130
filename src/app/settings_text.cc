#include "app/settings_text.h"

#include "app/settings_list.h"

namespace sluice::app {
namespace {

// Whether plain YAML would read the text as something else, or not at all.
std::string yaml_scalar(SettingPlace place) {
  const auto text = setting_text(place);
  if (!std::holds_alternative<std::string*>(place)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string json_value(SettingPlace place) {
  const bool plain = std::holds_alternative<bool*>(place) || std::holds_alternative<std::uint16_t*>(place) ||
                     std::holds_alternative<std::uint32_t*>(place);
  return plain ? setting_text(place) : json_text(setting_text(place));
}

class YamlWriter : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) override {
    out_ += fmt::format("{}{}: {}\n", prefix(), spec.name, yaml_scalar(place));
  }
  void begin_section(std::string_view name, std::string_view) override {
    out_ += fmt::format("{}:\n", name);
    indent_ = "  ";
  }
  void end_section() override { indent_.clear(); }
  std::size_t begin_list(std::string_view name, std::string_view, std::size_t count) override {
    out_ += fmt::format("{}:{}\n", name, count == 0 ? " []" : "");
    return count;
  }
  void begin_item(std::size_t) override {
    indent_ = "    ";
    first_ = true;
  }
  void end_item() override { indent_.clear(); }
  void end_list() override {}
  std::string text() { return std::move(out_); }

 private:
  std::string prefix() { return std::exchange(first_, false) ? "  - " : indent_; }
  std::string out_;
  std::string indent_;
  bool first_ = false;
};

class JsonWriter : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) override {
    key(spec.name);
    out_ += json_value(place);
  }
  void begin_section(std::string_view name, std::string_view) override {
    key(name);
    open('{');
  }
  void end_section() override { close('}'); }
  std::size_t begin_list(std::string_view name, std::string_view, std::size_t count) override {
    key(name);
    open('[');
    return count;
  }
  void begin_item(std::size_t) override {
    comma();
    open('{');
  }
  void end_item() override { close('}'); }
  void end_list() override { close(']'); }
  std::string text() { return "{" + out_ + "}"; }

 private:
  void comma() {
    if (!std::exchange(first_, false)) out_ += ",";
  }
  void key(std::string_view name) {
    comma();
    out_ += json_text(name) + ":";
  }
  void open(char c) {
    out_.push_back(c);
    first_ = true;
  }
  void close(char c) {
    out_.push_back(c);
    first_ = false;
  }
  std::string out_;
  bool first_ = true;
};

// Comments wrap so that the file reads well in a terminal of 100 columns.
void append_comment(std::string& out, std::string_view indent, std::string_view text) {
  constexpr std::size_t kWidth = 96;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) out += fmt::format("{}# {}\n", indent, line);
    line.clear();
  };
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    if (!line.empty() && indent.size() + 3 + line.size() + word.size() > kWidth) flush();
    if (!line.empty()) line.push_back(' ');
    line += word;
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  flush();
}

// Walks two objects at once: the settings to write and, in `defaults_`, what they would be unsaid.
class CommentedWriter : public SettingVisitor {
 public:
  explicit CommentedWriter(std::map<std::string, std::string> defaults) : defaults_(std::move(defaults)) {}

  void setting(const SettingSpec& spec, SettingPlace place) override {
    const bool in_list = !item_.empty();
    append_comment(out_, indent_, spec.doc);
    const bool is_default = defaults_[scope_ + std::string(spec.name)] == setting_text(place);
    if (in_list) {
      // An item needs one key without comment sign to be an item at all: its first.
      const bool lead = std::exchange(lead_, false);
      const auto value = fmt::format("{}: {}\n", spec.name, yaml_scalar(place));
      out_ += lead ? "  - " + value : fmt::format("    {}{}", is_default ? "# " : "", value);
      indent_ = "    ";
    } else {
      out_ += fmt::format("{}{}{}: {}\n", indent_, is_default ? "# " : "", spec.name, yaml_scalar(place));
    }
    if (indent_.empty()) out_ += "\n";
  }
  void begin_section(std::string_view name, std::string_view doc) override {
    append_comment(out_, "", doc);
    out_ += fmt::format("{}:\n", name);
    indent_ = "  ";
    scope_ = fmt::format("{}.", name);
  }
  void end_section() override {
    out_ += "\n";
    indent_.clear();
    scope_.clear();
  }
  std::size_t begin_list(std::string_view name, std::string_view doc, std::size_t count) override {
    append_comment(out_, "", doc);
    out_ += fmt::format("{}:{}\n", name, count == 0 ? " []" : "");
    item_ = name;
    scope_ = fmt::format("{}.", name);
    return count;
  }
  void begin_item(std::size_t) override {
    indent_ = "  ";
    lead_ = true;
  }
  void end_item() override {}
  void end_list() override {
    out_ += "\n";
    indent_.clear();
    scope_.clear();
    item_.clear();
  }
  std::string text() { return std::move(out_); }

 private:
  std::map<std::string, std::string> defaults_;
  std::string out_;
  std::string indent_;
  std::string scope_;
  std::string item_;
  bool lead_ = false;
};

class DefaultCollector : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) override {
    found[scope_ + std::string(spec.name)] = setting_text(place);
  }
  void begin_section(std::string_view name, std::string_view) override { scope_ = fmt::format("{}.", name); }
  void end_section() override { scope_.clear(); }
  std::size_t begin_list(std::string_view name, std::string_view, std::size_t) override {
    scope_ = fmt::format("{}.", name);
    return 1;
  }
  void begin_item(std::size_t) override {}
  void end_item() override {}
  void end_list() override { scope_.clear(); }

  std::map<std::string, std::string> found;

 private:
  std::string scope_;
};

std::string bounds_text(const SettingSpec& spec, SettingPlace place) {
  if (spec.minimum == 0 && spec.maximum == 0) return "";
  const auto render = [&](std::uint64_t bound) {
    if (std::holds_alternative<Duration*>(place)) return to_text(Duration{static_cast<std::int64_t>(bound)});
    if (std::holds_alternative<ByteSize*>(place)) return to_text(ByteSize{bound});
    return std::to_string(bound);
  };
  return fmt::format("{} … {}", render(spec.minimum), render(spec.maximum));
}

class PageWriter : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) override {
    auto value = setting_text(place);
    out_ += fmt::format("| `{}{}` | {} | {} | {} | {} | {} |\n", scope_, spec.name, setting_type(place),
                        value.empty() ? "" : "`" + value + "`", bounds_text(spec, place),
                        spec.apply == Apply::live ? "SIGHUP" : "restart", spec.doc);
  }
  void begin_section(std::string_view name, std::string_view doc) override { table(name, doc, "."); }
  void end_section() override {}
  std::size_t begin_list(std::string_view name, std::string_view doc, std::size_t) override {
    table(name, fmt::format("{} A list; each item has these settings.", doc), "[].");
    return 1;
  }
  void begin_item(std::size_t) override {}
  void end_item() override {}
  void end_list() override {}

  void table(std::string_view name, std::string_view doc, std::string_view suffix) {
    scope_ = name.empty() ? "" : fmt::format("{}{}", name, suffix);
    out_ += fmt::format("\n## {}\n\n{}\n\n", name.empty() ? "General" : name, doc);
    out_ += "| Setting | Type | Default | Bounds | Takes effect | |\n|---|---|---|---|---|---|\n";
  }
  std::string text() { return std::move(out_); }

 private:
  std::string out_;
  std::string scope_;
};

class SchemaWriter : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) override {
    key(spec.name);
    out_ += "{\"description\":" + json_text(spec.doc) + ",";
    if (const auto choices = setting_choices(place); !choices.empty()) {
      out_ += "\"enum\":[";
      for (std::size_t i = 0; i < choices.size(); ++i) out_ += (i == 0 ? "" : ",") + json_text(choices[i]);
      out_ += "]";
    } else if (std::holds_alternative<bool*>(place)) {
      out_ += R"("type":"boolean")";
    } else if (std::holds_alternative<Duration*>(place)) {
      out_ += R"("type":["string","integer"],"pattern":"^(0|[0-9]+(ms|s|m|h|d))$")";
    } else if (std::holds_alternative<ByteSize*>(place)) {
      out_ += R"("type":["string","integer"],"pattern":"^(0|[0-9]+(B|KiB|MiB|GiB|TiB))$")";
    } else if (std::holds_alternative<std::string*>(place)) {
      out_ += R"("type":"string")";
    } else {
      out_ += fmt::format(R"("type":"integer","minimum":{},"maximum":{})", spec.minimum, spec.maximum);
    }
    out_ += fmt::format(",\"default\":{}}}", json_value(place));
  }
  void begin_section(std::string_view name, std::string_view doc) override {
    key(name);
    out_ += "{\"description\":" + json_text(doc) +
            R"(,"type":["object","null"],"additionalProperties":false,"properties":{)";
    first_ = true;
  }
  void end_section() override {
    out_ += "}}";
    first_ = false;
  }
  std::size_t begin_list(std::string_view name, std::string_view doc, std::size_t) override {
    key(name);
    out_ += "{\"description\":" + json_text(doc) +
            R"(,"type":"array","items":{"type":"object","additionalProperties":false,"properties":{)";
    first_ = true;
    return 1;
  }
  void begin_item(std::size_t) override {}
  void end_item() override {}
  void end_list() override {
    out_ += "}}}";
    first_ = false;
  }
  std::string text() {
    return R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Sluice settings","type":"object",)"
           R"("additionalProperties":false,"properties":{)" +
           out_ + "}}";
  }

 private:
  void key(std::string_view name) {
    if (!std::exchange(first_, false)) out_ += ",";
    out_ += json_text(name) + ":";
  }
  std::string out_;
  bool first_ = true;
};

constexpr std::string_view kPageHead = R"(# Configuration

<!-- Written by `sluice config docs` from src/app/settings.def. Do not edit. -->

Sluice reads one YAML file, `sluice serve --config FILE`. `sluice init` writes one with every setting and its meaning.
Unknown keys are errors that name the line and the nearest known key; so are anchors, aliases, tags and repeated keys.

* `sluice config check FILE` checks a file, `sluice config print FILE` shows every setting as in force, `sluice config
  schema` prints a JSON Schema for editors.
* The environment overrides the file: `SLUICE__RECORD__DIR=/srv/record` sets `record.dir`,
  `SLUICE__POSTGRES__0__PORT=6433` the port of the first PostgreSQL listener.
* Durations have a unit (`250ms`, `30s`, `5m`, `1h`, `2d`), sizes too (`16KiB`, `64MiB`). Zero may stand alone.
* Relative paths are relative to `data_dir`, and `data_dir` to the folder of the file.
* "SIGHUP" in the tables means that `kill -HUP` (or `systemctl reload`) is enough; the others need a restart, and
  the log names those that were changed. A new idle time-out holds for open sessions too, other limits for sessions that
  begin afterwards.
* Principals, tokens, connections and policies are not settings: they change while the gateway runs, over the API and
  `sluice` commands (docs/cli.md) or, for policies, in `policy_dir` (docs/policy.md).
)";

}  // namespace

std::string effective_yaml(const Settings& settings) {
  auto copy = settings;
  YamlWriter writer;
  visit_settings(copy, writer);
  return writer.text();
}

std::string effective_json(const Settings& settings) {
  auto copy = settings;
  JsonWriter writer;
  visit_settings(copy, writer);
  return writer.text();
}

std::string commented_yaml(const Settings& settings) {
  Settings untouched;
  DefaultCollector defaults;
  visit_settings(untouched, defaults);
  auto copy = settings;
  CommentedWriter writer{std::move(defaults.found)};
  visit_settings(copy, writer);
  return writer.text();
}

std::string configuration_page() {
  Settings defaults;
  PageWriter writer;
  writer.table("", "Settings outside of any section.", "");
  visit_settings(defaults, writer);
  return std::string(kPageHead) + writer.text();
}

std::string settings_schema() {
  Settings defaults;
  SchemaWriter writer;
  visit_settings(defaults, writer);
  return writer.text();
}

}  // namespace sluice::app
