#include "systems/postgres/sql/arena.h"

#include <algorithm>

namespace sluice::postgres::sql {

void* Arena::allocate_block(std::size_t bytes, std::size_t alignment) {
  auto block = std::min(kLargestBlockBytes, kFirstBlockBytes << std::min<std::size_t>(blocks_.size(), 8));
  block = std::max(block, bytes + alignment);
  auto& memory = blocks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(block));
  total_ += block;
  auto at = (reinterpret_cast<std::uintptr_t>(memory.get()) + alignment - 1) & ~(alignment - 1);
  at_ = reinterpret_cast<std::byte*>(at + bytes);
  end_ = memory.get() + block;
  return reinterpret_cast<void*>(at);
}

}  // namespace sluice::postgres::sql
