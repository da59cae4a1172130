// ClientOutput: what goes to the client next, without copying what is merely relayed.
//
// A reply is mostly bytes of the upstream's receive buffer, passed on as they are, with now and then a
// message of our own between them. So it is kept as pieces: views into that buffer (`relay`), and text made
// here (`own`). Contiguous relays join. The views must stay valid until `clear()`: the driver writes
// everything before it reads more.
#pragma once

#include <sys/uio.h>

#include <string>
#include <vector>

#include "core/bytes.h"

namespace sluice::proxy::pg {

class ClientOutput {
 public:
  void relay(Bytes bytes) {
    if (bytes.empty()) return;
    if (!pieces_.empty() && pieces_.back().relayed != nullptr &&
        pieces_.back().relayed + pieces_.back().size == bytes.data()) {
      pieces_.back().size += bytes.size();
    } else {
      pieces_.push_back({bytes.data(), 0, bytes.size()});
    }
  }

  // Append messages to the string that this returns, then call commit().
  std::string& own() {
    own_begin_ = own_.size();
    return own_;
  }
  void commit() {
    const auto size = own_.size() - own_begin_;
    if (size == 0) return;
    if (!pieces_.empty() && pieces_.back().relayed == nullptr &&
        pieces_.back().offset + pieces_.back().size == own_begin_) {
      pieces_.back().size += size;
    } else {
      pieces_.push_back({nullptr, own_begin_, size});
    }
  }

  bool empty() const { return pieces_.empty(); }

  // Up to `capacity` pieces as iovecs, from `skip` bytes on. Returns how many.
  std::size_t gather(std::size_t skip, iovec* out, std::size_t capacity) const {
    std::size_t n = 0;
    for (const auto& piece : pieces_) {
      if (skip >= piece.size) {
        skip -= piece.size;
        continue;
      }
      if (n == capacity) break;
      const auto* base = piece.relayed != nullptr
                             ? piece.relayed
                             : reinterpret_cast<const std::uint8_t*>(own_.data()) + piece.offset;
      out[n++] = {const_cast<std::uint8_t*>(base) + skip, piece.size - skip};
      skip = 0;
    }
    return n;
  }
  std::size_t size() const {
    std::size_t total = 0;
    for (const auto& piece : pieces_) total += piece.size;
    return total;
  }

  void clear() {
    pieces_.clear();
    own_.clear();
    if (own_.capacity() > kKeptCapacity) own_.shrink_to_fit();
  }

 private:
  static constexpr std::size_t kKeptCapacity = 16 * 1024;  // an idle session must not keep a large buffer
  struct Piece {
    const std::uint8_t* relayed;  // null: of own_
    std::size_t offset;
    std::size_t size;
  };
  std::vector<Piece> pieces_;
  std::string own_;
  std::size_t own_begin_ = 0;
};

}  // namespace sluice::proxy::pg
