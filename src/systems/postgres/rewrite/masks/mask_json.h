// Removing keys from a JSON column at the source.
//
// What is removed is named by patterns as in model/pattern.h, case ignored, relative to the column:
//   "email"            a key of that name, at whatever depth
//   "customer.email"   that path from the top, through arrays; without wildcards. A key may have dots in its
//                      name: {"customer.email": ...} is the same path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::postgres::rewrite {

// Steps of a path that is removed; of a longer one, or one with wildcards, the column is masked whole.
inline constexpr std::size_t kMaxJsonSteps = 5;
bool can_remove_path(std::string_view path);

// The expression, in pieces around references to the column (ColumnMask::pieces). A key that is written out
// is removed from the top level of an object, a path where objects lead to it; where one that any pattern
// covers remains, the whole value becomes {}. So it does where a text within it is JSON with such a key;
// except for the key in which LlamaIndex keeps a node with all its metadata once more, as text: that key
// goes. A null value becomes {} too, and so does what is nested deeper than 64 levels, and json that jsonb
// may not be able to hold.
std::vector<std::string> json_without_keys(const std::vector<std::string>& patterns, bool binary);

// An SQL/JSON path that finds objects with a key that any of the patterns covers, or that leads to a path.
std::string json_key_path(const std::vector<std::string>& patterns);
// Whether a document, as text, might hold something that the patterns cover. Where it is not certain: yes.
bool may_hold_key(const std::vector<std::string>& patterns, std::string_view document);
// Whether a key of the top level, and all beneath it, has nothing to do with the patterns.
bool is_open_key(const std::vector<std::string>& patterns, std::string_view key);

}  // namespace sluice::postgres::rewrite
