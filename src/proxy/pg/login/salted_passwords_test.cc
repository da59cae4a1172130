#include "proxy/pg/login/salted_passwords.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "net/loop.h"

namespace sluice::proxy::pg {
namespace {

using wire::pg::ScramSalt;

class SaltedPasswordsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }

  void run(net::Task<> task) {
    boost::asio::co_spawn(loop_, std::move(task), [this](std::exception_ptr error) {
      EXPECT_FALSE(error);
      loop_.stop();
    });
    loop_.run();
  }

  net::Loop loop_;
  boost::asio::thread_pool pool_{1};
  SaltedPasswords passwords_{pool_};
};

TEST_F(SaltedPasswordsTest, AreThoseOfTheRfcAndKept) {
  run([](SaltedPasswords& passwords) -> net::Task<> {
    const std::vector<ScramSalt> salts = {{{1, 2, 3, 4}, 2}, {{1, 2, 3, 4}, 3}, {{1, 2, 3}, 2}};
    for (int i = 0; i < 2; ++i) {
      for (const auto& salt : salts) {
        for (const char* text : {"one", "two", ""}) {
          const Secret password{text};
          EXPECT_EQ(co_await passwords.derive(password, salt), wire::pg::salted_password(text, salt));
        }
      }
      EXPECT_EQ(passwords.size(), 9U) << "each once";
    }
  }(passwords_));
}

TEST_F(SaltedPasswordsTest, AreBoundedInNumber) {
  run([](SaltedPasswords& passwords) -> net::Task<> {
    const Secret password{"one"};
    for (std::size_t i = 0; i <= SaltedPasswords::kMost; ++i) {
      const ScramSalt salt{{static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}, 1};
      EXPECT_EQ(co_await passwords.derive(password, salt), wire::pg::salted_password("one", salt));
      EXPECT_LE(passwords.size(), SaltedPasswords::kMost);
    }
    EXPECT_EQ(passwords.size(), 1U);
  }(passwords_));
}

}  // namespace
}  // namespace sluice::proxy::pg
