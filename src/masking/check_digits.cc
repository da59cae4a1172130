#include "masking/check_digits.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string>

namespace sluice::masking {
namespace {

int digit(char c) {
  return c - '0';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool one_digit_only(std::string_view digits) {
  return digits.find_first_not_of(digits.front()) == std::string_view::npos;
}

char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

// Lengths of the IBAN registry (SWIFT), by country.
struct IbanLength {
  std::string_view country;
  std::size_t length;
};
constexpr IbanLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
    {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    {"YE", 30},
};

}  // namespace

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (auto at = digits.rbegin(); at != digits.rend(); ++at) {
    int value = digit(*at) * (twice ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
    twice = !twice;
  }
  return sum % 10 == 0;
}

bool is_card_number(std::string_view digits) {
  if (digits.size() < 13 || digits.size() > 19 || !all_digits(digits) || one_digit_only(digits)) return false;
  return digits.front() >= '2' && digits.front() <= '6' && passes_luhn(digits);
}

bool is_iban(std::string_view compact) {
  if (compact.size() < 15) return false;
  const std::array<char, 2> country{upper(compact[0]), upper(compact[1])};
  const auto known =
      std::ranges::find(kIbanLengths, std::string_view(country.data(), 2), &IbanLength::country);
  if (known == std::end(kIbanLengths) || compact.size() != known->length) return false;
  std::uint32_t rest = 0;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = upper(compact[(i + 4) % compact.size()]);
    if (c >= '0' && c <= '9') {
      rest = (rest * 10 + static_cast<std::uint32_t>(digit(c))) % 97;
    } else if (c >= 'A' && c <= 'Z') {
      rest = (rest * 100 + static_cast<std::uint32_t>(c - 'A' + 10)) % 97;
    } else {
      return false;
    }
  }
  return rest == 1;
}

// Areas 000 and 666 are not given out; 900 and up are taxpayer numbers, which are as personal.
bool is_social_security_number(std::string_view digits) {
  if (digits.size() != 9 || !all_digits(digits)) return false;
  return digits.substr(0, 3) != "000" && digits.substr(0, 3) != "666" && digits.substr(3, 2) != "00" &&
         digits.substr(5) != "0000";
}

bool is_german_tax_id(std::string_view digits) {
  if (digits.size() != 11 || !all_digits(digits) || digits.front() == '0') return false;
  // Of the first ten digits exactly one comes twice or three times.
  std::array<int, 10> count{};
  for (char c : digits.substr(0, 10)) ++count[static_cast<std::size_t>(digit(c))];
  if (std::ranges::count_if(count, [](int n) { return n == 2 || n == 3; }) != 1) return false;
  if (std::ranges::any_of(count, [](int n) { return n > 3; })) return false;
  int product = 10;
  for (char c : digits.substr(0, 10)) {
    int sum = (digit(c) + product) % 10;
    product = ((sum == 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 == digit(digits.back());
}

bool is_french_social_security(std::string_view digits) {
  if (digits.size() != 15 || !all_digits(digits) || (digits[0] != '1' && digits[0] != '2')) return false;
  std::uint64_t number = 0;
  for (char c : digits.substr(0, 13)) number = number * 10 + static_cast<std::uint64_t>(digit(c));
  const auto key = static_cast<std::uint64_t>(digit(digits[13]) * 10 + digit(digits[14]));
  return 97 - number % 97 == key;
}

bool is_spanish_id(std::string_view compact) {
  constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
  if (compact.size() != 9) return false;
  std::string digits(compact.substr(0, 8));
  const char first = upper(digits[0]);
  if (first >= 'X' && first <= 'Z') digits[0] = static_cast<char>('0' + (first - 'X'));
  if (!all_digits(digits)) return false;
  std::uint32_t number = 0;
  for (char c : digits) number = number * 10 + static_cast<std::uint32_t>(digit(c));
  return kLetters[number % 23] == upper(compact[8]);
}

bool is_italian_tax_code(std::string_view compact) {
  if (compact.size() != 16) return false;
  // Agenzia delle Entrate: values of the characters at odd places (counted from one).
  constexpr std::array<int, 26> kOdd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                        20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const char c = upper(compact[i]);
    const bool number = c >= '0' && c <= '9';
    if (!number && (c < 'A' || c > 'Z')) return false;
    const int value = number ? digit(c) : c - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(value)] : value;
  }
  return upper(compact[15]) == static_cast<char>('A' + sum % 26);
}

bool is_brazilian_tax_id(std::string_view digits) {
  if (digits.size() != 11 || !all_digits(digits) || one_digit_only(digits)) return false;
  for (std::size_t length : {9U, 10U}) {
    int sum = 0;
    for (std::size_t i = 0; i < length; ++i) sum += digit(digits[i]) * static_cast<int>(length + 1 - i);
    const int check = sum * 10 % 11 % 10;
    if (check != digit(digits[length])) return false;
  }
  return true;
}

bool is_indian_id(std::string_view digits) {
  if (digits.size() != 12 || !all_digits(digits) || digits.front() < '2') return false;
  // Verhoeff: the group D5 and its permutation.
  constexpr int kProduct[10][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                    {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                    {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                    {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                    {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
  constexpr int kPermuted[8][10] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
                                    {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
                                    {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
                                    {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
  int check = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    check = kProduct[check][kPermuted[i % 8][digit(digits[digits.size() - 1 - i])]];
  }
  return check == 0;
}

bool is_polish_id(std::string_view digits) {
  if (digits.size() != 11 || !all_digits(digits)) return false;
  // It begins with a date: the month carries the century in steps of 20.
  const int month = (digit(digits[2]) * 10 + digit(digits[3])) % 20;
  const int day = digit(digits[4]) * 10 + digit(digits[5]);
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  constexpr std::array<int, 10> kWeights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3};
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) sum += digit(digits[i]) * kWeights[i];
  return (10 - sum % 10) % 10 == digit(digits[10]);
}

}  // namespace sluice::masking
