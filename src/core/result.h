// Result<T>: a value or an Error. The only way that functions of Sluice report failure.
//
//   Result<Config> load(std::string path);
//   TRY(auto config, load(path));          // in a function that returns a Result: unwrap or return the error
//   CO_TRY(auto n, co_await stream.read()); // the same in a coroutine
//   CHECK_OK(step());                      // for Result<void>: go on or return the error
//   return fail(Errc::malformed, "length {} is below 4", n);
//
// [[nodiscard]] and -Werror=unused-result make an ignored failure a compile error.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <utility>

#include "core/error.h"

namespace sluice {

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(std::unexpected<Error> e) : std::expected<T, Error>(std::move(e)) {}
};

template <>
class [[nodiscard]] Result<void> : public std::expected<void, Error> {
 public:
  using std::expected<void, Error>::expected;
  Result(std::unexpected<Error> e) : std::expected<void, Error>(std::move(e)) {}
};

template <class... Args>
std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace sluice

#define SLUICE_CONCAT_(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_(a, b)

#define SLUICE_TRY_(temp, ret, decl, ...)                      \
  auto temp = (__VA_ARGS__);                                   \
  if (!temp) ret ::std::unexpected(::std::move(temp).error()); \
  decl = *::std::move(temp)
// NOLINTNEXTLINE(bugprone-macro-parentheses): `decl` is a declaration
#define TRY(decl, ...) SLUICE_TRY_(SLUICE_CONCAT(sluice_try_, __COUNTER__), return, decl, __VA_ARGS__)
#define CO_TRY(decl, ...) SLUICE_TRY_(SLUICE_CONCAT(sluice_try_, __COUNTER__), co_return, decl, __VA_ARGS__)

#define SLUICE_CHECK_OK_(temp, ret, ...) \
  if (auto temp = (__VA_ARGS__); !temp) ret ::std::unexpected(::std::move(temp).error())
#define CHECK_OK(...) SLUICE_CHECK_OK_(SLUICE_CONCAT(sluice_ok_, __COUNTER__), return, __VA_ARGS__)
#define CO_CHECK_OK(...) SLUICE_CHECK_OK_(SLUICE_CONCAT(sluice_ok_, __COUNTER__), co_return, __VA_ARGS__)
