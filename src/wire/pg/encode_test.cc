#include "wire/pg/encode.h"

#include <gtest/gtest.h>

#include "wire/pg/samples.h"
#include "wire/pg/sqlstate.h"

namespace sluice::wire::pg {
namespace {

using std::string_view_literals::operator""sv;

std::string sample(const std::vector<Sample>& samples, std::string_view name) {
  for (const auto& candidate : samples) {
    if (candidate.name == name) return candidate.bytes;
  }
  ADD_FAILURE() << "no sample " << name;
  return {};
}

TEST(Encode, StartupPackets) {
  std::string out;
  encode_ssl_request(out);
  EXPECT_EQ(out, sample(startup_samples(), "SSLRequest"));
  out.clear();
  ASSERT_TRUE(encode_cancel_request(out, 0x1234, as_bytes("\xde\xad\xbe\xef")));
  EXPECT_EQ(out, sample(startup_samples(), "CancelRequest 3.0"));
  out.clear();
  const StartupParameter parameters[] = {{"user", "bob"}, {"_pq_.command", "on"}};
  ASSERT_TRUE(encode_startup_message(out, kProtocol32, parameters));
  EXPECT_EQ(out, sample(startup_samples(), "StartupMessage 3.2 with an option"));
}

TEST(Encode, AppendsToWhatIsThere) {
  std::string out = "before";
  encode_sync(out);
  ASSERT_TRUE(encode_query(out, "SELECT 1"));
  EXPECT_EQ(out, literal("beforeS\0\0\0\x04Q\0\0\0\x0dSELECT 1\0"));
}

TEST(Encode, BindFromParts) {
  std::string out;
  const Value parameters[] = {as_bytes("abc"), std::nullopt};
  ASSERT_TRUE(encode_bind(out, "p1", "s1", {}, parameters, {}));
  EXPECT_EQ(out, sample(frontend_samples(), "Bind, text, one NULL"));
}

TEST(Encode, BindUnderOtherNames) {
  auto original = sample(frontend_samples(), "Bind, binary");
  auto bind = Bind::parse(as_bytes(original).subspan(kHeaderSize));
  ASSERT_TRUE(bind);
  std::string out;
  ASSERT_TRUE(encode_bind(out, "portal", "slc_1", bind->parameter_section, bind->result_section));
  auto renamed = Bind::parse(as_bytes(out).subspan(kHeaderSize));
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->portal, "portal");
  EXPECT_EQ(renamed->statement, "slc_1");
  EXPECT_EQ(as_text(renamed->parameter_section), as_text(bind->parameter_section));
  EXPECT_EQ(as_text(renamed->result_section), as_text(bind->result_section));
}

TEST(Encode, SaslSteps) {
  std::string out;
  ASSERT_TRUE(encode_sasl_initial_response(out, "SCRAM-SHA-256", "n,,n=,r=x"));
  EXPECT_EQ(out, literal("p\0\0\0\x1fSCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x"));
  out.clear();
  ASSERT_TRUE(encode_sasl_response(out, "c=biws"));
  EXPECT_EQ(out, literal("p\0\0\0\x0a"
                         "c=biws"));
}

TEST(Encode, RefusesTextsWithNulAndLeavesTheBufferAsItWas) {
  const auto evil = "a\0b"sv;
  const StartupParameter nul_value[] = {{"user", evil}};
  const StartupParameter no_name[] = {{"", "x"}};
  const FieldDescription field[] = {{.name = evil}};
  const std::string_view one[] = {evil};
  const std::string_view none[] = {""};
  std::string out = "before";
  auto refused = [&](Result<void> result) {
    return !result && result.error().code == Errc::invalid_argument && out == "before";
  };
  EXPECT_TRUE(refused(encode_startup_message(out, kProtocol30, nul_value)));
  EXPECT_TRUE(refused(encode_startup_message(out, kProtocol30, no_name)));
  EXPECT_TRUE(refused(encode_password_message(out, evil)));
  EXPECT_TRUE(refused(encode_sasl_initial_response(out, evil, "")));
  EXPECT_TRUE(refused(encode_query(out, evil)));
  EXPECT_TRUE(refused(encode_parse(out, evil, "")));
  EXPECT_TRUE(refused(encode_parse(out, "", evil)));
  EXPECT_TRUE(refused(encode_parse(out, evil, "", Oids{})));
  EXPECT_TRUE(refused(encode_bind(out, evil, "", Bytes{}, Bytes{})));
  EXPECT_TRUE(refused(encode_bind(out, "", evil, {}, {}, {})));
  EXPECT_TRUE(refused(encode_describe(out, NamedObject::portal, evil)));
  EXPECT_TRUE(refused(encode_execute(out, evil, 0)));
  EXPECT_TRUE(refused(encode_close(out, NamedObject::portal, evil)));
  EXPECT_TRUE(refused(encode_copy_fail(out, evil)));
  EXPECT_TRUE(refused(encode_authentication_sasl(out, one)));
  EXPECT_TRUE(refused(encode_authentication_sasl(out, none)));
  EXPECT_TRUE(refused(encode_negotiate_protocol_version(out, kProtocol30, one)));
  EXPECT_TRUE(refused(encode_parameter_status(out, "a", evil)));
  EXPECT_TRUE(refused(encode_row_description(out, field)));
  EXPECT_TRUE(refused(encode_command_complete(out, evil)));
}

TEST(Encode, RefusesWhatTheWireCannotSay) {
  std::string out = "before";
  auto refused = [&](Result<void> result) {
    return !result && result.error().code == Errc::too_large && out == "before";
  };
  const std::vector<Value> values(65'536);
  const std::vector<std::uint32_t> types(65'536);
  const std::vector<Format> formats(65'536);
  EXPECT_TRUE(refused(encode_data_row(out, values)));
  EXPECT_TRUE(refused(encode_parse(out, "", "", types)));
  EXPECT_TRUE(refused(encode_parameter_description(out, types)));
  EXPECT_TRUE(refused(encode_bind(out, "", "", {}, values, {})));
  EXPECT_TRUE(refused(encode_bind(out, "", "", formats, {}, {})));
  EXPECT_TRUE(refused(encode_bind(out, "", "", {}, {}, formats)));
  EXPECT_TRUE(encode_data_row(out, std::span{values}.first(65'535)));
}

TEST(Encode, NeverWrapsALength) {
  // Views that claim gigabytes: they must be refused before a byte of them is read.
  const std::uint8_t byte = 0;
  std::string out = "before";
  for (std::size_t size :
       {0x3FFF'FFFCULL, 0x7FFF'FFFFULL, 0x8000'0000ULL, 0xFFFF'FFFFULL, 0x1'0000'0000ULL, ~0ULL}) {
    const Bytes claim{&byte, size};
    const Value values[] = {claim};
    for (const auto& result :
         {encode_copy_data(out, claim), encode_data_row(out, values),
          encode_bind(out, "", "", claim, Bytes{}), encode_bind(out, "", "", Bytes{}, claim),
          encode_bind(out, "", "", {}, values, {})}) {
      ASSERT_FALSE(result) << size;
      EXPECT_EQ(result.error().code, Errc::too_large);
      EXPECT_EQ(out, "before");
    }
  }
}

TEST(Encode, ErrorResponseCarriesWhatClientsNeed) {
  std::string out;
  encode_error_response(out, {.severity = Severity::fatal,
                              .sqlstate = std::string{sqlstate::kInsufficientPrivilege},
                              .message = "denied",
                              .detail = "rule no-export",
                              .hint = "ask"});
  EXPECT_EQ(out, literal("E\0\0\0\x37SFATAL\0VFATAL\0C42501\0Mdenied\0Drule no-export\0Hask\0\0"));
}

TEST(Encode, NoticeResponseCarriesEveryField) {
  std::string out;
  encode_notice_response(out, {.severity = Severity::notice,
                               .localized_severity = "HINWEIS",
                               .sqlstate = "00000",
                               .message = "m",
                               .detail = "d",
                               .hint = "h",
                               .position = "1",
                               .internal_position = "2",
                               .internal_query = "q",
                               .where = "w",
                               .schema = "s",
                               .table = "t",
                               .column = "c",
                               .data_type = "ty",
                               .constraint = "n",
                               .file = "f",
                               .line = "3",
                               .routine = "r"});
  EXPECT_EQ(
      out.substr(kHeaderSize),
      literal("SHINWEIS\0VNOTICE\0C00000\0Mm\0Dd\0Hh\0P1\0p2\0qq\0Ww\0ss\0tt\0cc\0dty\0nn\0Ff\0L3\0Rr\0\0"));
}

TEST(Encode, DiagnosticsAreNeverMalformed) {
  std::string out;
  encode_error_response(out, {.sqlstate = "bad", .message = std::string{"cut\0DSinjected"sv}});
  EXPECT_EQ(out.substr(kHeaderSize), literal("SERROR\0VERROR\0CXX000\0Mcut\0\0"));
  out.clear();
  encode_error_response(out, {});
  EXPECT_EQ(out.substr(kHeaderSize), literal("SERROR\0VERROR\0CXX000\0Minternal error\0\0"));
}

TEST(Encode, LongDiagnosticTextsAreCutBetweenCharacters) {
  std::string out;
  std::string text(kMaxDiagnosticText - 1, 'x');
  text += "\xe2\x82\xac and more";  // a euro sign across the limit
  encode_error_response(out, {.message = text});
  auto diagnostics = Diagnostics::parse(as_bytes(out).subspan(kHeaderSize));
  ASSERT_TRUE(diagnostics);
  EXPECT_EQ(diagnostics->find('M'), std::string(kMaxDiagnosticText - 1, 'x'));
  out.clear();
  encode_error_response(out, {.message = std::string(kMaxDiagnosticText + 10, '\x80')});
  diagnostics = Diagnostics::parse(as_bytes(out).subspan(kHeaderSize));
  ASSERT_TRUE(diagnostics);
  EXPECT_LE(diagnostics->find('M')->size(), kMaxDiagnosticText);
  EXPECT_GE(diagnostics->find('M')->size(), kMaxDiagnosticText - 4);
}

}  // namespace
}  // namespace sluice::wire::pg
