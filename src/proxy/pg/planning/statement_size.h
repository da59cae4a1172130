// Which statements take so long to plan that it is not done on a worker's loop, where every other session of
// that worker waits meanwhile, but beside it (errands.h).
//
// Planning takes some microseconds for each token, and next to nothing for the bytes of a literal: a query
// vector of 60 KB stays on the loop, a list of a thousand numbers does not. (bench/large_statements_bench.cc)
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::proxy::pg {

inline constexpr std::size_t kLoopBytes = 64 * 1024;  // copying, scanning and hashing them takes 0.3 ms
inline constexpr std::size_t kLoopTokens = 800;       // 1 to 4 us each: well below the 5 ms of a turn

inline constexpr std::size_t kLoopBinding = 1024 * 1024;  // bytes of bound values; hashing them takes 0.7 ms

bool is_large(std::string_view sql);

}  // namespace sluice::proxy::pg
