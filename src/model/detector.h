// Detectors: what is looked for in the text of a cell (`detect` masks, docs/policy.md). The names are those
// of policies; the set is a bit mask, because a statement's masks are asked for each cell.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class Detector : std::uint8_t {
  email,
  phone,
  credit_card,  // with Luhn's check digit
  iban,         // with its check digits, for the countries of the registry
  ssn,          // of the United States
  national_id,  // of other countries, most with their check digits
  ip_address,
  secret,  // keys and tokens of the usual vendors, private keys, passwords in URLs
};

inline constexpr std::array<std::string_view, 8> kDetectorNames = {
    "email", "phone", "credit_card", "iban", "ssn", "national_id", "ip_address", "secret"};

inline constexpr std::string_view to_string(Detector detector) {
  return kDetectorNames[static_cast<std::size_t>(detector)];
}

inline constexpr std::optional<Detector> detector_from(std::string_view name) {
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i) {
    if (kDetectorNames[i] == name) return static_cast<Detector>(i);
  }
  return std::nullopt;
}

class DetectorSet {
 public:
  constexpr void add(Detector detector) { bits_ |= bit(detector); }
  constexpr bool contains(Detector detector) const { return (bits_ & bit(detector)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  bool operator==(const DetectorSet&) const = default;

 private:
  static constexpr std::uint16_t bit(Detector detector) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(detector));
  }
  std::uint16_t bits_ = 0;
};

}  // namespace sluice
