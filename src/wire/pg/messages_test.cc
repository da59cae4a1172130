#include "wire/pg/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/pg/exercise.h"
#include "wire/pg/samples.h"

namespace sluice::wire::pg {
namespace {

using testing::ElementsAre;

Bytes body(const std::string& message) {
  return as_bytes(message).subspan(kHeaderSize);
}

const std::string& sample(const std::vector<Sample>& samples, std::string_view name) {
  for (const auto& candidate : samples) {
    if (candidate.name == name) return candidate.bytes;
  }
  ADD_FAILURE() << "no sample " << name;
  return samples.front().bytes;
}
const std::string& frontend(std::string_view name) {
  static const auto samples = frontend_samples();
  return sample(samples, name);
}
const std::string& backend(std::string_view name) {
  static const auto samples = backend_samples();
  return sample(samples, name);
}

std::optional<std::string_view> text_of(const Value& value) {
  return value ? std::optional{as_text(*value)} : std::nullopt;
}

// Laws of every parser, with buffers that end exactly at the body's end.
template <class Type>
void expect_strict(const std::vector<Sample>& samples) {
  for (const auto& [name, bytes, open_ended] : samples) {
    SCOPED_TRACE(name);
    auto type = static_cast<Type>(bytes[0]);
    auto whole = body(bytes);
    auto encoded = exercise(type, whole);
    ASSERT_TRUE(encoded) << encoded.error().message();
    if (*encoded) EXPECT_EQ(**encoded, bytes) << "parsing and encoding again changed the message";
    for (std::size_t n = 0; n < whole.size(); ++n) {
      ByteVector part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      auto answer = exercise(type, part);
      if (!open_ended) EXPECT_FALSE(answer) << "accepted the first " << n << " bytes";
    }
    ByteVector longer(whole.begin(), whole.end());
    longer.push_back(0);
    auto answer = exercise(type, longer);
    if (!open_ended && name != "BackendKeyData 3.0") EXPECT_FALSE(answer) << "accepted a byte after the end";
  }
}

TEST(Messages, EveryFrontendMessageIsReadStrictly) {
  expect_strict<FrontendType>(frontend_samples());
}
TEST(Messages, EveryBackendMessageIsReadStrictly) {
  expect_strict<BackendType>(backend_samples());
}

TEST(Messages, EveryKindHasASample) {
  std::string frontend_types;
  for (const auto& sample : frontend_samples()) frontend_types += sample.bytes[0];
  for (char type : std::string_view{"BCDEFHPQSXcdfp"})
    EXPECT_NE(frontend_types.find(type), std::string::npos) << type;
  std::string backend_types;
  for (const auto& sample : backend_samples()) backend_types += sample.bytes[0];
  for (char type : std::string_view{"123ACDEGHIKNRSTVWZcdnstv"}) {
    EXPECT_NE(backend_types.find(type), std::string::npos) << type;
  }
}

TEST(StartupMessage, KeepsTheOrderOfItsParameters) {
  auto packet = startup_samples()[4].bytes;
  auto message = StartupMessage::parse(kProtocol30, as_bytes(packet).subspan(kStartupHeaderSize));
  ASSERT_TRUE(message);
  std::vector<std::string> seen;
  for (const auto& [name, value] : message->parameters)
    seen.push_back(std::string{name} + "=" + std::string{value});
  EXPECT_THAT(seen,
              ElementsAre("user=alice", "database=docs", "application_name=psql", "client_encoding=UTF8"));
  EXPECT_EQ(message->find("database"), "docs");
  EXPECT_EQ(message->find("Database"), std::nullopt);
}

TEST(StartupMessage, TellsProtocolOptionsFromSettings) {
  auto packet = startup_samples()[5].bytes;
  auto message = StartupMessage::parse(kProtocol32, as_bytes(packet).subspan(kStartupHeaderSize));
  ASSERT_TRUE(message);
  std::vector<bool> options;
  for (const auto& parameter : message->parameters) options.push_back(is_protocol_option(parameter));
  EXPECT_THAT(options, ElementsAre(false, true));
}

TEST(StartupMessage, RefusesWhatTwoParsersCouldReadDifferently) {
  auto refused = [](const std::string& payload) {
    return !StartupMessage::parse(kProtocol30, as_bytes(payload));
  };
  EXPECT_TRUE(refused(literal("user\0a\0user\0b\0\0"))) << "twice";
  EXPECT_TRUE(refused(literal("user\0a\0DateStyle\0x\0datestyle\0y\0\0"))) << "twice for the server";
  EXPECT_TRUE(refused(literal("user\0a\0"))) << "no end";
  EXPECT_TRUE(refused(literal("user\0\0"))) << "the end instead of a value";
  EXPECT_TRUE(refused(literal("user\0a\0\0database\0b\0\0"))) << "something after the end";
  EXPECT_TRUE(refused("")) << "nothing";
  EXPECT_FALSE(refused(literal("\0")));
  EXPECT_FALSE(refused(literal("user\0\0\0"))) << "an empty value is a value";
}

TEST(StartupMessage, EveryTruncationIsRefused) {
  for (const auto& sample : {startup_samples()[4], startup_samples()[5]}) {
    auto whole = as_bytes(sample.bytes).subspan(kStartupHeaderSize);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      ByteVector part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(StartupMessage::parse(kProtocol30, part)) << sample.name << " cut after " << n;
    }
    std::string out;
    auto message = StartupMessage::parse(frame_startup(as_bytes(sample.bytes))->version, whole);
    std::vector<StartupParameter> parameters;
    for (const auto& parameter : message->parameters) parameters.push_back(parameter);
    ASSERT_TRUE(encode_startup_message(out, message->version, parameters));
    EXPECT_EQ(out, sample.bytes);
  }
}

TEST(StartupMessage, BoundsTheNumberOfParameters) {
  auto with = [](std::size_t n) {
    std::string payload;
    for (std::size_t i = 0; i < n; ++i) payload += literal("p") + std::to_string(i) + literal("\0v\0");
    return StartupMessage::parse(kProtocol30, as_bytes(payload += '\0'));
  };
  EXPECT_TRUE(with(kMaxStartupParameters));
  ASSERT_FALSE(with(kMaxStartupParameters + 1));
  EXPECT_EQ(with(kMaxStartupParameters + 1).error().code, Errc::too_large);
}

TEST(CancelRequest, TakesShortAndLongKeys) {
  auto samples = startup_samples();
  auto old = CancelRequest::parse(as_bytes(samples[2].bytes).subspan(kStartupHeaderSize));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->process_id, 0x1234U);
  EXPECT_EQ(as_text(old->secret_key), "\xde\xad\xbe\xef");
  EXPECT_EQ(CancelRequest::parse(as_bytes(samples[3].bytes).subspan(kStartupHeaderSize))->secret_key.size(),
            32U);
  EXPECT_FALSE(CancelRequest::parse(as_bytes("1234567")));
  EXPECT_FALSE(CancelRequest::parse(as_bytes(std::string(4 + kMaxCancelKey + 1, 'k'))));
}

TEST(SASLInitialResponse, TellsNoResponseFromAnEmptyOne) {
  auto none = literal("SCRAM-SHA-256\0\xff\xff\xff\xff");
  auto empty = literal("SCRAM-SHA-256\0\0\0\0\0");
  auto some = literal("SCRAM-SHA-256\0\0\0\0\x08n,,n=,r=");
  EXPECT_EQ(SASLInitialResponse::parse(as_bytes(none))->response, std::nullopt);
  EXPECT_EQ(SASLInitialResponse::parse(as_bytes(empty))->response->size(), 0U);
  EXPECT_EQ(as_text(*SASLInitialResponse::parse(as_bytes(some))->response), "n,,n=,r=");
  EXPECT_EQ(SASLInitialResponse::parse(as_bytes(some))->mechanism, "SCRAM-SHA-256");
  EXPECT_FALSE(SASLInitialResponse::parse(as_bytes(literal("SCRAM-SHA-256\0\xff\xff\xff\xfe"))));
  EXPECT_FALSE(SASLInitialResponse::parse(as_bytes(some + "x")));
  for (std::size_t n = 0; n < some.size(); ++n) {
    EXPECT_FALSE(SASLInitialResponse::parse(as_bytes(some).first(n))) << n;
  }
}

TEST(Query, RefusesAStatementThatEndsTwice) {
  EXPECT_EQ(Query::parse(body(frontend("Query")))->sql, "SELECT 1");
  EXPECT_FALSE(Query::parse(as_bytes("SELECT 1")));
  EXPECT_FALSE(Query::parse(as_bytes(literal("SELECT 1\0; DROP TABLE t\0"))));
}

TEST(Parse, ReadsTypes) {
  auto message = Parse::parse(body(frontend("Parse")));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->statement, "s1");
  EXPECT_EQ(message->sql, "SELECT * FROM t WHERE a = $1");
  ASSERT_EQ(message->parameter_types.size(), 1U);
  EXPECT_EQ(*message->parameter_types.begin(), 23U);
  EXPECT_FALSE(Parse::parse(as_bytes(literal("\0SELECT 1\0\xff\xff\0\0\0\x17"))))
      << "65,535 types promised, one there";
}

TEST(Bind, ReadsParametersAndFormats) {
  auto message = Bind::parse(body(frontend("Bind, text, one NULL")));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->portal, "p1");
  EXPECT_EQ(message->statement, "s1");
  std::vector<std::optional<std::string_view>> values;
  for (const auto& value : message->parameters) values.push_back(text_of(value));
  EXPECT_THAT(values, ElementsAre("abc", std::nullopt));
  EXPECT_EQ(message->parameter_formats.of(1), Format::text);
  auto binary = Bind::parse(body(frontend("Bind, binary")));
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->parameter_formats.of(0), Format::binary);
  EXPECT_EQ(binary->result_formats.of(7), Format::binary) << "one code is for all columns";
  EXPECT_TRUE(binary->result_formats.covers(7));
}

TEST(Bind, RefusesCountsAndLengthsThatLie) {
  auto refused = [](const std::string& payload) { return !Bind::parse(as_bytes(payload)); };
  EXPECT_FALSE(refused(literal("\0\0\0\0\0\0\0\0")));
  EXPECT_TRUE(refused(literal("\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"))) << "length -2";
  EXPECT_TRUE(refused(literal("\0\0\0\0\0\x01\x80\0\0\0\0\0"))) << "the most negative length";
  EXPECT_TRUE(refused(literal("\0\0\0\0\0\x01\x7f\xff\xff\xff\0\0"))) << "2 GiB";
  EXPECT_TRUE(refused(literal("\0\0\0\0\xff\xff\0\0"))) << "65,535 parameters in no bytes";
  EXPECT_TRUE(refused(literal("\0\0\xff\xff\0\0\0\0"))) << "65,535 formats in no bytes";
  EXPECT_TRUE(refused(literal("\0\0\0\x01\0\x02\0\0\0\0"))) << "format 2";
  EXPECT_TRUE(refused(literal("\0\0\0\x01\x01\x01\0\0\0\0"))) << "format 257";
  EXPECT_TRUE(refused(literal("\0\0\0\x02\0\0\0\0\0\x01\xff\xff\xff\xff\0\0")))
      << "two formats for one parameter";
}

TEST(Execute, TakesNoAndNegativeLimitsForAll) {
  EXPECT_EQ(Execute::parse(body(frontend("Execute")))->max_rows, 100);
  EXPECT_FALSE(Execute::parse(body(frontend("Execute")))->unlimited());
  EXPECT_TRUE(Execute::parse(as_bytes(literal("\0\0\0\0\0")))->unlimited());
  EXPECT_TRUE(Execute::parse(as_bytes(literal("\0\xff\xff\xff\xff")))->unlimited());
}

TEST(Describe, KnowsOnlyStatementsAndPortals) {
  EXPECT_EQ(Describe::parse(as_bytes(literal("Ss1\0")))->object, NamedObject::statement);
  EXPECT_EQ(Close::parse(as_bytes(literal("P\0")))->object, NamedObject::portal);
  EXPECT_FALSE(Describe::parse(as_bytes(literal("Xs1\0"))));
  EXPECT_FALSE(Close::parse(as_bytes(literal("ss1\0"))));
}

TEST(Authentication, NamesWhatTheServerAsksFor) {
  auto sasl = Authentication::parse(body(backend("AuthenticationSASL")));
  ASSERT_TRUE(sasl);
  EXPECT_EQ(sasl->kind, Authentication::Kind::sasl);
  EXPECT_TRUE(sasl->offers("SCRAM-SHA-256"));
  EXPECT_TRUE(sasl->offers("SCRAM-SHA-256-PLUS"));
  EXPECT_FALSE(sasl->offers("SCRAM-SHA"));
  EXPECT_EQ(as_text(Authentication::parse(body(backend("AuthenticationMD5Password")))->data), "salt");
  EXPECT_FALSE(Authentication::parse(as_bytes(literal("\0\0\0\x0a\0")))) << "SASL without a mechanism";
  auto unknown = Authentication::parse(as_bytes(literal("\0\0\0\x63")));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::unsupported);
  EXPECT_EQ(to_string(Authentication::Kind::gss), "AuthenticationGSS");
}

TEST(BackendKeyData, BoundsTheKey) {
  auto with_key = [](std::size_t n) {
    return BackendKeyData::parse(as_bytes("\1\2\3\4" + std::string(n, 'k')));
  };
  EXPECT_FALSE(with_key(3));
  EXPECT_TRUE(with_key(4));
  EXPECT_TRUE(with_key(256));
  EXPECT_FALSE(with_key(257));
}

TEST(RowDescription, ReadsFields) {
  auto message = RowDescription::parse(body(backend("RowDescription")));
  ASSERT_TRUE(message);
  ASSERT_EQ(message->fields.size(), 2U);
  auto field = message->fields.begin();
  EXPECT_EQ(field->name, "id");
  EXPECT_EQ(field->table_oid, 0x4000U);
  EXPECT_EQ(field->column_number, 1);
  EXPECT_EQ(field->type_oid, 23U);
  EXPECT_EQ(field->type_size, 4);
  EXPECT_EQ(field->type_modifier, -1);
  EXPECT_EQ(field->format, Format::text);
  ++field;
  EXPECT_EQ(field->name, "email");
  EXPECT_EQ(field->type_size, -1);
  EXPECT_EQ(field->format, Format::binary);
  ++field;
  EXPECT_EQ(field, message->fields.end());
  EXPECT_FALSE(RowDescription::parse(as_bytes(literal("\xff\xff"))));
}

TEST(DataRow, ReadsNullsAndRefusesNegativeLengths) {
  auto message = DataRow::parse(body(backend("DataRow")));
  ASSERT_TRUE(message);
  std::vector<std::optional<std::string_view>> columns;
  for (const auto& column : message->columns) columns.push_back(text_of(column));
  EXPECT_THAT(columns, ElementsAre("42", std::nullopt));
  EXPECT_FALSE(DataRow::parse(as_bytes(literal("\0\x01\xff\xff\xff\xfe"))));
  EXPECT_FALSE(DataRow::parse(as_bytes(literal("\0\x01\xff\xff\xff\xff\xff\xff\xff\xff"))))
      << "a column too many";
}

TEST(CommandComplete, CountsRows) {
  auto rows = [](std::string_view tag) { return CommandComplete{tag}.rows(); };
  EXPECT_EQ(rows("SELECT 5"), 5U);
  EXPECT_EQ(rows("INSERT 0 12"), 12U);
  EXPECT_EQ(rows("COPY 18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(rows("COPY 18446744073709551616"), std::nullopt);
  EXPECT_EQ(rows("BEGIN"), std::nullopt);
  EXPECT_EQ(rows("CREATE TABLE"), std::nullopt);
  EXPECT_EQ(rows("SELECT "), std::nullopt);
  EXPECT_EQ(rows("SELECT -1"), std::nullopt);
  EXPECT_EQ(rows(""), std::nullopt);
}

TEST(Diagnostics, FindsFieldsByCode) {
  auto message = Diagnostics::parse(body(backend("ErrorResponse")));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->find('C'), "22P02");
  EXPECT_EQ(message->find('P'), "8");
  EXPECT_EQ(message->find('D'), std::nullopt);
  auto bare = Diagnostics::parse(body(backend("ErrorResponse without SQLSTATE")));
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->find('C'), std::nullopt);
  EXPECT_TRUE(Diagnostics::parse(as_bytes(literal("\0")))->fields.empty());
  EXPECT_FALSE(Diagnostics::parse(as_bytes(literal("Ma\0Mb\0\0")))) << "a field twice";
}

TEST(ReadyForQuery, KnowsThreeStates) {
  for (char status : std::string_view{"ITE"})
    EXPECT_TRUE(ReadyForQuery::parse(as_bytes(std::string{status})));
  EXPECT_FALSE(ReadyForQuery::parse(as_bytes("X")));
}

TEST(CopyResponse, TextMeansTextForAllColumns) {
  EXPECT_EQ(CopyResponse::parse(body(backend("CopyInResponse")))->column_formats.size(), 2U);
  EXPECT_EQ(CopyResponse::parse(body(backend("CopyOutResponse, binary")))->format, Format::binary);
  EXPECT_FALSE(CopyResponse::parse(as_bytes(literal("\0\0\x01\0\x01"))));
  EXPECT_FALSE(CopyResponse::parse(as_bytes(literal("\x02\0\0"))));
}

TEST(NegotiateProtocolVersion, ListsTheOptionsThatWereNotUnderstood) {
  auto message = NegotiateProtocolVersion::parse(body(backend("NegotiateProtocolVersion")));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->version, kProtocol30);
  EXPECT_EQ(*message->unrecognised_options.begin(), "_pq_.command");
  EXPECT_FALSE(NegotiateProtocolVersion::parse(as_bytes(literal("\0\x03\0\0\xff\xff\xff\xff"))));
}

TEST(Messages, ReadsTheOthers) {
  auto status = ParameterStatus::parse(body(backend("ParameterStatus")));
  EXPECT_EQ(status->name, "client_encoding");
  EXPECT_EQ(status->value, "UTF8");
  auto notification = NotificationResponse::parse(body(backend("NotificationResponse")));
  EXPECT_EQ(notification->process_id, 0x1234U);
  EXPECT_EQ(notification->channel, "channel");
  EXPECT_EQ(notification->payload, "hey!");
  EXPECT_EQ(text_of(FunctionCallResponse::parse(body(backend("FunctionCallResponse")))->value), "hi");
  EXPECT_EQ(FunctionCall::parse(body(frontend("FunctionCall")))->function, 1234U);
  EXPECT_EQ(PasswordMessage::parse(body(frontend("PasswordMessage")))->password, "secret");
  EXPECT_EQ(CopyFail::parse(body(frontend("CopyFail")))->message, "aborted");
  EXPECT_EQ(BackendKeyData::parse(body(backend("BackendKeyData 3.0")))->process_id, 0x1234U);
}

}  // namespace
}  // namespace sluice::wire::pg
