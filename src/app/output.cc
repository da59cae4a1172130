#include "app/output.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <charconv>

#include "admin/pretty_json.h"

namespace sluice::app {
namespace {

namespace json = boost::json;

// Also the C1 controls, which some terminals obey: U+0080 to U+009F is C2 80 to C2 9F.
std::string safe(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", c);
    } else if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Code points, which is what columns of plain text are made of.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cut(std::string text, std::size_t longest) {
  if (width(text) <= longest) return text;
  std::size_t seen = 0;
  std::size_t at = 0;
  while (at < text.size() && seen < longest) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    ++seen;
  }
  return text.substr(0, at) + "…";
}

const json::value* member(const json::value& item, std::string_view path) {
  const json::value* at = &item;
  while (at != nullptr && !path.empty()) {
    const auto dot = path.find('.');
    const auto* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return at;
}

}  // namespace

std::string render_cell(const json::value& value) {
  if (value.is_null()) return "-";
  if (const auto* text = value.if_string()) return safe({text->data(), text->size()});
  if (const auto* list = value.if_array()) {
    std::string out;
    for (const auto& item : *list) out += (out.empty() ? "" : ", ") + render_cell(item);
    return out;
  }
  return safe(json::serialize(value));
}

std::string render_table(const json::array& items, const std::vector<std::string_view>& columns) {
  std::vector<std::vector<std::string>> rows(1);
  std::vector<std::size_t> limits;
  std::vector<std::string_view> names;
  for (auto column : columns) {
    const auto colon = column.find(':');
    std::size_t limit = 200;
    if (colon != std::string_view::npos) {
      std::from_chars(column.data() + colon + 1, column.data() + column.size(), limit);
      column = column.substr(0, colon);
    }
    limits.push_back(limit);
    names.push_back(column);
    std::string title{column};
    std::ranges::transform(title, title.begin(), [](char c) {
      return c == '_' || c == '.' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    rows[0].push_back(std::move(title));
  }
  for (const auto& item : items) {
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto* value = member(item, names[i]);
      row.push_back(cut(value == nullptr ? "-" : render_cell(*value), limits[i]));
    }
  }
  std::vector<std::size_t> widths(names.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  return out;
}

namespace {

std::string fields_of(const json::object& object) {
  std::string out;
  for (const auto& field : object) {
    out +=
        fmt::format("{}{}={}", out.empty() ? "" : " ", std::string(field.key()), render_cell(field.value()));
  }
  return out;
}

// On the key's own line; or, for a list or an object of objects, each on a line below it.
std::string render_value(const json::value& value) {
  std::string out;
  if (const auto* list = value.if_array(); list != nullptr && !list->empty() && list->front().is_object()) {
    for (const auto& entry : *list) {
      const auto* inner = entry.if_object();
      out += "\n  - " + (inner == nullptr ? render_cell(entry) : fields_of(*inner));
    }
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return render_cell(value);
  const bool named = !object->empty() &&
                     std::ranges::all_of(*object, [](const auto& item) { return item.value().is_object(); });
  if (!named) return fields_of(*object);
  for (const auto& item : *object) {
    out += fmt::format("\n  - {}: {}", std::string(item.key()), fields_of(item.value().get_object()));
  }
  return out;
}

}  // namespace

std::string render_event(const json::value& value) {
  const auto text = [&](std::string_view key) {
    const auto* found = member(value, key);
    return found == nullptr ? std::string{} : render_cell(*found);
  };
  auto out = fmt::format("{}  {}", text("time"), text("kind"));
  if (const auto operation = text("operation"); !operation.empty()) out += "  " + operation;
  out += "\n";
  const auto* facts = value.if_object() == nullptr ? nullptr : value.get_object().if_contains("facts");
  if (facts == nullptr || !facts->is_object()) return out;
  for (const auto& fact : facts->get_object()) {
    out += fmt::format("    {}: {}\n", std::string(fact.key()), render_cell(fact.value()));
  }
  return out;
}

std::string render_object(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return render_cell(value) + "\n";
  std::size_t longest = 0;
  for (const auto& item : *object) longest = std::max(longest, item.key().size());
  std::string out;
  for (const auto& item : *object) {
    const std::string key{item.key()};
    const auto text = render_value(item.value());
    out += key + ":";
    if (!text.empty() && text.front() != '\n') out += std::string(longest - key.size() + 1, ' ');
    out += text + "\n";
  }
  return out;
}

std::string render_json(const json::value& value) {
  return admin::pretty_json(value);
}

}  // namespace sluice::app
