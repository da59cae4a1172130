#include "net/socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::net {

void Socket::close() {
  if (const int descriptor = std::exchange(descriptor_, -1); descriptor >= 0) ::close(descriptor);
}

tcp::endpoint Socket::remote_endpoint(boost::system::error_code& error) const {
  tcp::endpoint peer;
  auto size = static_cast<socklen_t>(peer.capacity());
  if (::getpeername(descriptor_, peer.data(), &size) != 0) {
    error.assign(errno, boost::system::system_category());
    return {};
  }
  error.clear();
  peer.resize(size);
  return peer;
}

}  // namespace sluice::net
