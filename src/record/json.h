// A writer of JSON text (RFC 8259), as much as the record needs: it shows entries, it does not read JSON.
//
//   Json json;
//   json.open('{').key("seq").number(7).key("rules").open('[').text("top-k").close(']').close('}');
//   json.str();
//
// Bytes that are not UTF-8 come out as U+FFFD. The caller balances and orders; nothing is checked.
#pragma once

#include <string>
#include <string_view>

#include "core/encoding.h"

namespace sluice::record {

class Json {
 public:
  Json& open(char bracket) {
    comma();
    out_.push_back(bracket);
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
  }
  Json& key(std::string_view name) {
    text(name);
    out_.push_back(':');
    first_ = true;
    return *this;
  }
  Json& text(std::string_view value) {
    comma();
    out_.push_back('"');
    bool utf8 = is_valid_utf8(value);
    for (char c : value) escape(c, utf8);
    out_.push_back('"');
    return *this;
  }
  Json& number(std::uint64_t value) { return raw(std::to_string(value)); }
  Json& flag(bool value) { return raw(value ? "true" : "false"); }
  Json& null() { return raw("null"); }
  Json& raw(std::string_view value) {
    comma();
    out_.append(value);
    return *this;
  }

  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void escape(char c, bool utf8) {
    auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out_.append("\\\""); return;
      case '\\': out_.append("\\\\"); return;
      case '\n': out_.append("\\n"); return;
      case '\r': out_.append("\\r"); return;
      case '\t': out_.append("\\t"); return;
      default: break;
    }
    if (byte < 0x20 || byte == 0x7F) {
      static constexpr char kDigits[] = "0123456789abcdef";
      out_.append("\\u00");
      out_.push_back(kDigits[byte >> 4]);
      out_.push_back(kDigits[byte & 15]);
    } else if (byte >= 0x80 && !utf8) {
      out_.append("\\ufffd");
    } else {
      out_.push_back(c);
    }
  }

  std::string out_;
  bool first_ = true;
};

}  // namespace sluice::record
