#include "wire/pg/scram.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/encoding.h"
#include "wire/pg/scram_server.h"

namespace sluice::wire::pg {
namespace {

// RFC 7677, section 3.
constexpr std::string_view kUser = "user";
constexpr std::string_view kPassword = "pencil";
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+"
    "Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
// The same password and salt as PostgreSQL stores it.
constexpr std::string_view kVerifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

ByteVector certificate_hash() {
  ByteVector hash(32);
  std::iota(hash.begin(), hash.end(), std::uint8_t{0});
  return hash;
}

// The client's final message.
Result<std::string> respond(ScramClient& scram, std::string_view server_first,
                            std::string_view password = kPassword) {
  TRY(const auto salt, scram.on_server_first(server_first));
  return scram.client_final(salted_password(password, salt));
}

class Scram : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }

  static ScramClient client() { return {ChannelBinding::none(), kUser, std::string{kClientNonce}}; }
  static ScramServer server() { return {*ScramVerifier::parse(kVerifier), {}, std::string{kServerNonce}}; }
  // What a client that has sent its first message says to `message`.
  static std::optional<Errc> answer_to_first(std::string_view message) {
    auto scram = client();
    scram.client_first();
    auto answer = scram.on_server_first(message);
    return answer ? std::optional<Errc>{} : answer.error().code;
  }
};

TEST_F(Scram, ClientFollowsTheVectorOfRfc7677) {
  auto scram = client();
  EXPECT_EQ(scram.mechanism(), "SCRAM-SHA-256");
  EXPECT_EQ(scram.client_first(), kClientFirst);
  auto final = respond(scram, kServerFirst);
  ASSERT_TRUE(final) << final.error().message();
  EXPECT_EQ(*final, kClientFinal);
  EXPECT_FALSE(scram.verified());
  EXPECT_TRUE(scram.on_server_final(kServerFinal));
  EXPECT_TRUE(scram.verified());
}

TEST_F(Scram, ServerFollowsTheVectorOfRfc7677) {
  auto scram = server();
  auto challenge = scram.on_client_first(kScramSha256, kClientFirst);
  ASSERT_TRUE(challenge) << challenge.error().message();
  EXPECT_EQ(*challenge, kServerFirst);
  auto outcome = scram.on_client_final(kClientFinal);
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(*outcome, kServerFinal);
  EXPECT_TRUE(scram.verified());
}

TEST_F(Scram, BindsToTheServersCertificate) {
  ScramClient scram{ChannelBinding::tls_server_end_point(certificate_hash()), "", "clientnonce"};
  EXPECT_EQ(scram.mechanism(), "SCRAM-SHA-256-PLUS");
  EXPECT_EQ(scram.client_first(), "p=tls-server-end-point,,n=,r=clientnonce");
  // Computed with Python's hashlib.
  EXPECT_EQ(
      respond(scram, "r=clientnonceserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").value(),
      "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,r=clientnonceserver,"
      "p=RjygEnX56QkKJ4de/n5UXjaWBVmgQXA/6qOO/pgQ4k8=");
  EXPECT_TRUE(scram.on_server_final("v=BB+IjbTnPCQpsyW78nFctXA0lyL5O/WgmMbmAt0rxN8="));
}

TEST_F(Scram, BindingWithoutAHashFails) {
  ScramClient scram{ChannelBinding::tls_server_end_point({}), "", "clientnonce"};
  scram.client_first();
  EXPECT_FALSE(scram.on_server_first("r=clientnonceserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"));
}

TEST_F(Scram, ServerMustExtendOurNonce) {
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"), Errc::malformed);
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqX123,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"), Errc::malformed);
  EXPECT_EQ(answer_to_first("r=xrOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"), Errc::malformed);
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"), std::nullopt);
}

TEST_F(Scram, BoundsWhatAHostileServerAsksFor) {
  const std::string start = "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=";
  EXPECT_EQ(answer_to_first(start + "1000001"), Errc::too_large);
  EXPECT_EQ(answer_to_first(start + "4294967295"), Errc::too_large);
  for (auto number : {"0", "4294967296", "99999999999999999999", "-1", "+1", "01", "", "1 ", "1x"}) {
    EXPECT_EQ(answer_to_first(start + number), Errc::malformed) << number;
  }
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqO" + std::string(kMaxScramMessage, 'n') + ",s=AAAA,i=1"),
            Errc::too_large);
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqO" + std::string(2000, 'n') + ",s=AAAA,i=1"), std::nullopt);
}

TEST_F(Scram, RefusesEveryTruncationAndExtensionOfTheServersMessages) {
  for (std::size_t n = 0; n < kServerFirst.size(); ++n) {
    const bool shorter_number = n > kServerFirst.find("i=") + 2;
    if (!shorter_number) EXPECT_NE(answer_to_first(kServerFirst.substr(0, n)), std::nullopt) << n;
  }
  EXPECT_EQ(answer_to_first(std::string{kServerFirst} + ",x=y"), Errc::malformed);
  EXPECT_EQ(answer_to_first(std::string{kServerFirst} + ","), Errc::malformed);
  EXPECT_EQ(answer_to_first("m=must," + std::string{kServerFirst}), Errc::malformed);
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqOx,s=,i=1"), Errc::malformed) << "no salt";
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqOx,s=AAA,i=1"), Errc::malformed) << "salt without padding";
  EXPECT_EQ(answer_to_first("r=rOprNGfwEbeRWgbNEkqO x,s=AAAA,i=1"), Errc::malformed)
      << "a space in the nonce";
  EXPECT_EQ(answer_to_first("s=AAAA,r=rOprNGfwEbeRWgbNEkqOx,i=1"), Errc::malformed) << "another order";
  for (std::size_t n = 0; n < kServerFinal.size(); ++n) {
    auto scram = client();
    scram.client_first();
    ASSERT_TRUE(respond(scram, "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=1"));
    EXPECT_FALSE(scram.on_server_final(kServerFinal.substr(0, n)));
  }
}

TEST_F(Scram, ServerMustProveItselfToo) {
  for (auto final : {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=6rri", "v=", "", "e=invalid-proof",
                     "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,x=y"}) {
    auto scram = client();
    scram.client_first();
    ASSERT_TRUE(respond(scram, kServerFirst));
    EXPECT_FALSE(scram.on_server_final(final)) << final;
    EXPECT_FALSE(scram.verified());
    EXPECT_FALSE(scram.on_server_final(kServerFinal)) << "a second attempt";
    EXPECT_FALSE(scram.verified());
  }
}

TEST_F(Scram, ClientRefusesMessagesOutOfTurn) {
  auto early = client();
  EXPECT_FALSE(early.on_server_final(kServerFinal));
  EXPECT_FALSE(early.verified());
  auto unasked = client();
  EXPECT_FALSE(unasked.on_server_first(kServerFirst));
  auto twice = client();
  twice.client_first();
  ASSERT_TRUE(twice.on_server_first(kServerFirst));
  EXPECT_FALSE(twice.on_server_first(kServerFirst));
  EXPECT_FALSE(twice.on_server_final(kServerFinal));
  auto silent = client();
  silent.client_first();
  ASSERT_TRUE(silent.on_server_first(kServerFirst));
  EXPECT_FALSE(silent.on_server_final(kServerFinal)) << "before we have proved anything";
  EXPECT_FALSE(silent.verified());
}

TEST_F(Scram, NoncesAreFresh) {
  EXPECT_EQ(make_scram_nonce().size(), 24U);
  EXPECT_NE(make_scram_nonce(), make_scram_nonce());
}

TEST_F(Scram, NamesAreEscaped) {
  ScramClient scram{ChannelBinding::none(), "a,b=c", "nonce"};
  EXPECT_EQ(scram.client_first(), "n,,n=a=2Cb=3Dc,r=nonce");
}

// --- both sides ----------------------------------------------------------------------------------

struct Party {
  std::string_view password;
  ChannelBinding binding;
};

bool authenticates(Party party, ScramServer server) {
  ScramClient client{std::move(party.binding)};
  auto challenge = server.on_client_first(client.mechanism(), client.client_first());
  if (!challenge) return false;
  auto response = respond(client, *challenge, party.password);
  if (!response) return false;
  auto outcome = server.on_client_final(*response);
  if (!outcome) {
    EXPECT_FALSE(server.verified());
    return false;
  }
  EXPECT_TRUE(server.verified());
  return client.on_server_final(*outcome) && client.verified();
}

TEST_F(Scram, BothSidesAgreeOnlyOnTheSamePassword) {
  auto verifier = ScramVerifier::make("s3cret", 64);
  EXPECT_TRUE(authenticates({"s3cret", ChannelBinding::none()}, {verifier, {}}));
  EXPECT_TRUE(authenticates({"s3cret", ChannelBinding::not_offered()}, {verifier, {}}));
  EXPECT_FALSE(authenticates({"S3cret", ChannelBinding::none()}, {verifier, {}}));
  EXPECT_FALSE(authenticates({"", ChannelBinding::none()}, {verifier, {}}));
  EXPECT_TRUE(authenticates({"pässwörd", ChannelBinding::none()}, {ScramVerifier::make("pässwörd", 64), {}}));
}

TEST_F(Scram, BothSidesAgreeOnlyOnTheSameChannel) {
  auto verifier = ScramVerifier::make("s3cret", 64);
  auto hash = certificate_hash();
  auto other = hash;
  other.back() ^= 1;
  auto bound = [](Bytes h) { return Party{"s3cret", ChannelBinding::tls_server_end_point(h)}; };
  EXPECT_TRUE(authenticates(bound(hash), {verifier, hash}));
  EXPECT_FALSE(authenticates(bound(other), {verifier, hash})) << "somebody in the middle";
  EXPECT_FALSE(authenticates(bound(hash), {verifier, {}})) << "not offered";
  EXPECT_TRUE(authenticates({"s3cret", ChannelBinding::none()}, {verifier, hash})) << "a client that cannot";
  EXPECT_FALSE(authenticates({"s3cret", ChannelBinding::not_offered()}, {verifier, hash}))
      << "the offer was removed on the way";
}

TEST_F(Scram, MockVerifierAnswersAlikeAndNeverMatches) {
  auto key = as_bytes("server secret");
  auto first = ScramVerifier::mock(key, "nobody");
  EXPECT_EQ(first.salt, ScramVerifier::mock(key, "nobody").salt);
  EXPECT_NE(first.salt, ScramVerifier::mock(key, "someone").salt);
  EXPECT_EQ(first.salt.size(), kScramSaltBytes);
  EXPECT_EQ(first.iterations, kDefaultScramIterations);
  EXPECT_FALSE(authenticates({"", ChannelBinding::none()}, {first, {}}));
}

TEST_F(Scram, VerifierHasPostgresForm) {
  auto salt = *from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  EXPECT_EQ(ScramVerifier::make(kPassword, salt, 4096).format(), kVerifier);
  EXPECT_EQ(ScramVerifier::parse(kVerifier)->format(), kVerifier);
  for (std::size_t n = 0; n < kVerifier.size(); ++n)
    EXPECT_FALSE(ScramVerifier::parse(kVerifier.substr(0, n))) << n;
  EXPECT_FALSE(ScramVerifier::parse(std::string{kVerifier} + "="));
  EXPECT_FALSE(ScramVerifier::parse("md5" + std::string(32, '0')));
}

TEST_F(Scram, ServerRefusesMalformedMessages) {
  auto first = [](std::string_view mechanism, std::string_view message) {
    return !server().on_client_first(mechanism, message);
  };
  EXPECT_FALSE(first(kScramSha256, "n,,n=,r=abc"));
  EXPECT_TRUE(first("SCRAM-SHA-1", "n,,n=,r=abc"));
  EXPECT_TRUE(first(kScramSha256Plus, "p=tls-server-end-point,,n=,r=abc")) << "not offered";
  EXPECT_TRUE(first(kScramSha256, "p=tls-server-end-point,,n=,r=abc"));
  EXPECT_TRUE(first(kScramSha256, "x,,n=,r=abc"));
  EXPECT_TRUE(first(kScramSha256, "n,a=other,n=,r=abc")) << "an authorization name";
  EXPECT_TRUE(first(kScramSha256, "n,,m=x,n=,r=abc"));
  EXPECT_TRUE(first(kScramSha256, "n,,n=,r="));
  EXPECT_TRUE(first(kScramSha256, "n,,n=,r=abc,x=y"));
  EXPECT_TRUE(first(kScramSha256, "n,,r=abc"));
  EXPECT_TRUE(first(kScramSha256, ""));
  EXPECT_TRUE(first(kScramSha256, "n,,n=,r=" + std::string(kMaxScramMessage, 'a')));

  auto final = [](std::string_view message) {
    auto scram = server();
    EXPECT_TRUE(scram.on_client_first(kScramSha256, kClientFirst));
    return !scram.on_client_final(message) && !scram.verified();
  };
  for (std::size_t n = 0; n < kClientFinal.size(); ++n) EXPECT_TRUE(final(kClientFinal.substr(0, n))) << n;
  EXPECT_TRUE(final(std::string{kClientFinal} + ",x=y"));
  EXPECT_TRUE(final("c=eSws" + std::string{kClientFinal.substr(6)})) << "another channel binding flag";
  EXPECT_TRUE(server().on_client_final(kClientFinal).error().code == Errc::malformed) << "out of turn";
}

}  // namespace
}  // namespace sluice::wire::pg
