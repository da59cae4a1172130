// SCRAM from a hostile peer, both roles. The input's first line is one message, the rest the next one.
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/pg/scram_attributes.h"
#include "wire/pg/scram_server.h"

namespace {

using namespace sluice;
using namespace sluice::wire::pg;

void require(bool law) {
  if (!law) std::abort();
}

// Iteration counts are only worth fuzzing where they are cheap or refused.
bool is_slow(std::string_view server_first) {
  ScramAttributes in{server_first};
  in.take('r');
  in.take('s');
  auto iterations = in.take_number('i');
  return iterations > 16 && iterations <= kMaxScramIterations;
}

void exercise_client(std::string_view first, std::string_view final) {
  if (is_slow(first)) return;
  ScramClient client{ChannelBinding::none(), "user", "rOprNGfwEbeRWgbNEkqO"};
  client.client_first();
  if (const auto salt = client.on_server_first(first)) {
    require(!client.client_final(salted_password("pencil", *salt)).empty());
  }
  (void)client.on_server_final(final);
  // Nobody without the password can compute the signature, so nothing that the fuzzer finds may verify.
  require(!client.verified());
}

void exercise_server(std::string_view first, std::string_view final) {
  static const auto verifier = ScramVerifier::make("pencil", ByteVector(16, 1), 1);
  static const ByteVector hash(32, 2);
  for (auto mechanism : {kScramSha256, kScramSha256Plus}) {
    ScramServer server{verifier, mechanism == kScramSha256Plus ? Bytes{hash} : Bytes{}, "server-nonce"};
    auto challenge = server.on_client_first(mechanism, first);
    if (challenge) require(challenge->size() < 2 * kMaxScramMessage);
    (void)server.on_client_final(final);
    require(!server.verified());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = (initialise_crypto(), true);
  (void)ready;
  const std::string_view input = as_text(Bytes{data, size});
  auto line = input.find('\n');
  auto first = input.substr(0, line);
  auto final = line == input.npos ? std::string_view{} : input.substr(line + 1);
  exercise_client(first, final);
  exercise_server(first, final);
  if (auto verifier = ScramVerifier::parse(input)) require(verifier->format() == input);
  return 0;
}
