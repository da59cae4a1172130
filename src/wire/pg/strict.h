// The one rule of every message parser here: all was read, and nothing is left. Internal to this folder.
#pragma once

#include <string_view>
#include <utility>

#include "core/byte_reader.h"
#include "core/result.h"

namespace sluice::wire::pg {

// Says where a message stopped making sense; never what stood there.
inline std::unexpected<Error> malformed(const ByteReader& in, std::string_view name) {
  if (!in.ok())
    return fail(Errc::malformed, "{} is malformed or cut off after {} bytes", name, in.position());
  return fail(Errc::malformed, "{} has {} bytes after its end", name, in.remaining());
}

template <class Message>
Result<Message> finish(const ByteReader& in, Message message, std::string_view name) {
  if (!in.finished()) return malformed(in, name);
  return message;
}

}  // namespace sluice::wire::pg
