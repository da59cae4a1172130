// What the log has already written into the present segment and can name by its seq: statements, rulings,
// mask sets. Forgotten at each new segment, so that every segment explains itself. Bounded: when full it
// forgets, and things are written once more.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/decision.h"
#include "model/operation.h"
#include "record/flat_table.h"

namespace sluice::record {

class Remembered {
 public:
  // A statement by identity: the object is kept alive while it is known here, so its address cannot be
  // another's.
  std::optional<std::uint64_t> statement(const std::shared_ptr<const Operation>& op) {
    const auto& pin = pins_[slot_of(op.get(), pins_.size())];
    return pin.op == op ? std::optional{pin.seq} : std::nullopt;
  }
  // By content: the digest over everything that its entry says.
  std::optional<std::uint64_t> statement(const Digest& content) {
    auto* seq = statements_.find(content);
    return seq == nullptr ? std::nullopt : std::optional{*seq};
  }
  void add_statement(std::shared_ptr<const Operation> op, const Digest& content, std::uint64_t seq) {
    if (statements_.size() >= kMaxStatements) statements_.clear();
    statements_[content] = seq;
    auto& pin = pins_[slot_of(op.get(), pins_.size())];
    pin = {std::move(op), seq};
  }

  std::optional<std::uint64_t> ruling(std::string_view encoded) {
    auto found = rulings_.find(encoded);
    return found == rulings_.end() ? std::nullopt : std::optional{found->second};
  }
  void add_ruling(std::string_view encoded, std::uint64_t seq) {
    if (rulings_.size() >= kMaxRulings) rulings_.clear();
    rulings_.emplace(encoded, seq);
  }

  std::optional<std::uint64_t> mask_set(const std::shared_ptr<const MaskSet>& masks) {
    const auto& pin = masks_[slot_of(masks.get(), masks_.size())];
    return pin.masks == masks ? std::optional{pin.seq} : std::nullopt;
  }
  void add_mask_set(std::shared_ptr<const MaskSet> masks, std::uint64_t seq) {
    auto& pin = masks_[slot_of(masks.get(), masks_.size())];
    pin = {std::move(masks), seq};
  }

  void forget() {
    pins_ = {};
    masks_ = {};
    statements_.clear();
    rulings_.clear();
  }

 private:
  static constexpr std::size_t kPins = 1024;    // operations kept alive; a few kilobytes each
  static constexpr std::size_t kMaskPins = 64;  // one per policy version, principal group and connection
  static constexpr std::size_t kMaxStatements = 8192;  // 48 bytes each
  static constexpr std::size_t kMaxRulings = 1024;     // a few hundred bytes each

  struct StatementPin {
    std::shared_ptr<const Operation> op;
    std::uint64_t seq = 0;
  };
  struct MaskPin {
    std::shared_ptr<const MaskSet> masks;
    std::uint64_t seq = 0;
  };
  struct HashDigest {
    std::uint64_t operator()(const Digest& digest) const {
      std::uint64_t word = 0;
      std::memcpy(&word, digest.data(), sizeof word);
      return word;
    }
  };
  struct HashText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  static std::size_t slot_of(const void* p, std::size_t slots) {
    return mix(reinterpret_cast<std::uintptr_t>(p)) & (slots - 1);
  }

  std::array<StatementPin, kPins> pins_{};
  std::array<MaskPin, kMaskPins> masks_{};
  FlatTable<Digest, std::uint64_t, HashDigest> statements_;
  std::unordered_map<std::string, std::uint64_t, HashText, std::equal_to<>> rulings_;
};

}  // namespace sluice::record
