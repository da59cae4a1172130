// Check digits and other rules by which a number proves to be one of its kind. Each takes the digits (and
// letters) alone, without separators. Sources: ISO/IEC 7812-1 (Luhn), ISO 13616 and ISO 7064 (IBAN), and for
// national numbers the issuing authorities' rules, named at each.
#pragma once

#include <string_view>

namespace sluice::masking {

bool passes_luhn(std::string_view digits);
bool is_card_number(std::string_view digits);  // length, issuer and check digit
bool is_iban(std::string_view compact);        // upper or lower case
bool is_social_security_number(std::string_view digits);

bool is_german_tax_id(std::string_view digits);           // § 139b AO: 11 digits, ISO 7064 mod 11,10
bool is_french_social_security(std::string_view digits);  // NIR: 13 digits and a key of 2
bool is_spanish_id(std::string_view compact);             // DNI and NIE: 8 digits and a letter
bool is_italian_tax_code(std::string_view compact);       // codice fiscale: 16 characters
bool is_brazilian_tax_id(std::string_view digits);        // CPF: 11 digits
bool is_indian_id(std::string_view digits);               // Aadhaar: 12 digits, Verhoeff
bool is_polish_id(std::string_view digits);               // PESEL: 11 digits

}  // namespace sluice::masking
