// Patterns over names: what policy rules and masks say about collections and fields.
//
// A glob knows `*` (any run of characters, also none, dots included), `?` (one character) and `\\` (the next
// character as it stands). There are no classes and no alternation; a list of globs means any of them.
//
// A name in a rule is read in one of two ways, so that a doubt never opens anything:
//   broadly   where it takes something away (deny, mask, limit, review, and the `except` of an allow):
//             ASCII case is ignored, and a pattern without a dot stands for that name in every schema
//             ("docs" covers "public.docs");
//   narrowly  where it gives something (allow, and the `except` of the others): exactly as written.
#pragma once

#include <string_view>

namespace sluice {

// Exact case. Linear in the text for patterns with one star, never worse than pattern × text.
bool glob_matches(std::string_view pattern, std::string_view text);
// ASCII case ignored.
bool glob_matches_folded(std::string_view pattern, std::string_view text);

// The broad reading for collections: the whole name, or what follows any of its dots when the pattern has
// none.
bool covers_name(std::string_view pattern, std::string_view name);
// The broad reading for fields: the path itself, anything below it, and for a pattern without a dot any step
// of the path: "email" covers "email", "metadata.email" and "metadata.email.home".
bool covers_path(std::string_view pattern, std::string_view path);

}  // namespace sluice
