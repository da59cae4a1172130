#include "app/settings_reload.h"

#include <map>

#include "app/settings_list.h"

namespace sluice::app {
namespace {

// Knows at each setting its whole name.
class Named : public SettingVisitor {
 public:
  void setting(const SettingSpec& spec, SettingPlace place) final {
    visit(prefix_ + std::string(spec.name), spec, place);
  }
  void begin_section(std::string_view name, std::string_view) final { prefix_ = std::string(name) + "."; }
  void end_section() final { prefix_.clear(); }
  std::size_t begin_list(std::string_view name, std::string_view, std::size_t count) final {
    list_ = name;
    return count;
  }
  void begin_item(std::size_t index) final { prefix_ = fmt::format("{}.{}.", list_, index); }
  void end_item() final { prefix_.clear(); }
  void end_list() final {}

 protected:
  virtual void visit(const std::string& name, const SettingSpec& spec, SettingPlace place) = 0;

 private:
  std::string prefix_;
  std::string list_;
};

class Texts final : public Named {
 public:
  std::map<std::string, std::string> texts;

 private:
  void visit(const std::string& name, const SettingSpec&, SettingPlace place) override {
    texts[name] = setting_text(place);
  }
};

class Merge final : public Named {
 public:
  Merge(std::map<std::string, std::string> fresh, SettingsChange& change)
      : fresh_(std::move(fresh)), change_(change) {}

  void name_what_is_new() const {
    for (const auto& [name, text] : fresh_) change_.at_restart.push_back(name);
  }

 private:
  void visit(const std::string& name, const SettingSpec& spec, SettingPlace place) override {
    const auto found = fresh_.find(name);
    if (found == fresh_.end()) {  // of an item that the file has no longer
      change_.at_restart.push_back(name);
      return;
    }
    const auto text = std::move(found->second);
    fresh_.erase(found);
    if (text == setting_text(place)) return;
    const bool live = spec.apply == Apply::live && assign_setting(spec, place, text).has_value();
    (live ? change_.applied : change_.at_restart).push_back(name);
  }

  std::map<std::string, std::string> fresh_;
  SettingsChange& change_;
};

}  // namespace

SettingsChange merge_live(const Settings& now, const Settings& fresh) {
  SettingsChange change{.in_force = now, .applied = {}, .at_restart = {}};
  auto copy = fresh;  // visiting needs a place to write to
  Texts wanted;
  visit_settings(copy, wanted);
  Merge merge{std::move(wanted.texts), change};
  visit_settings(change.in_force, merge);
  merge.name_what_is_new();
  return change;
}

}  // namespace sluice::app
