// Text without its case, for comparing what people type with what they wrote: "ÄRZTE" and "Ärzte" are one.
//
// Unicode's simple case folding, one code point for one, after the C library's tables of the locale C.UTF-8:
// upper case first, then lower, so that forms that share an upper case are one ("ς" and "σ", "ſ" and "s").
// Not normalisation: "é" as one code point and as "e" with a combining accent stay two, and "ß" is not "ss".
// Bytes that are not UTF-8 stay as they are. The length in bytes may change.
//
// Thread-safe. Idempotent: fold_case(fold_case(x)) == fold_case(x).
#pragma once

#include <string>
#include <string_view>

namespace sluice {

std::string fold_case(std::string_view text);
// Appends to `out`; for callers that go through many texts.
void fold_case(std::string& out, std::string_view text);

}  // namespace sluice
