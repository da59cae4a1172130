// Asio, included one way: separate compilation (net/asio.cc holds the code), error tuples instead of
// exceptions.
//
// A coroutine of Sluice is a `Task<T>`; it awaits with `kNoThrow` and turns error codes into Results at once,
// so that nobody above net sees an error_code. One io_context belongs to one thread (net/runtime.h): no
// strands, no locks.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sluice::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
template <class T = void>
using Task = asio::awaitable<T>;

inline constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

}  // namespace sluice::net
