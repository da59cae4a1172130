#include "wire/pg/framer.h"

#include <gtest/gtest.h>

#include "wire/pg/samples.h"

namespace sluice::wire::pg {
namespace {

// A copy that ends exactly where the bytes end, so that the address sanitizer sees a read past them.
ByteVector exactly(std::string_view bytes) {
  return {as_bytes(bytes).begin(), as_bytes(bytes).end()};
}

template <class FrameFunction>
void expect_cut_anywhere(FrameFunction frame, const std::vector<Sample>& samples) {
  for (const auto& sample : samples) {
    SCOPED_TRACE(sample.name);
    auto next = sample.bytes + "QZ";  // what follows must not matter
    auto whole = frame(as_bytes(next));
    ASSERT_TRUE(whole) << whole.error().message();
    EXPECT_TRUE(whole->complete());
    EXPECT_EQ(whole->size, sample.bytes.size());
    EXPECT_EQ(as_text(whole->payload), std::string_view{sample.bytes}.substr(kHeaderSize));
    for (std::size_t n = 0; n < sample.bytes.size(); ++n) {
      auto part = exactly(sample.bytes.substr(0, n));
      auto answer = frame(Bytes{part});
      ASSERT_TRUE(answer) << n << " bytes: " << answer.error().message();
      EXPECT_FALSE(answer->complete()) << n;
      if (n < kHeaderSize) {
        EXPECT_FALSE(answer->has_header());
        EXPECT_EQ(answer->missing, kHeaderSize - n);
      } else {
        EXPECT_EQ(answer->type, whole->type);
        EXPECT_EQ(answer->size, whole->size);
        EXPECT_EQ(answer->payload.size(), n - kHeaderSize);
        EXPECT_EQ(answer->missing, sample.bytes.size() - n);
      }
    }
  }
}

TEST(Framer, CutsFrontendMessagesWhereverTheReadEnded) {
  expect_cut_anywhere([](Bytes bytes) { return frame_frontend(bytes); }, frontend_samples());
}

TEST(Framer, CutsBackendMessagesWhereverTheReadEnded) {
  expect_cut_anywhere([](Bytes bytes) { return frame_backend(bytes); }, backend_samples());
}

TEST(Framer, CutsAStreamOfAllMessages) {
  std::string stream;
  for (const auto& sample : backend_samples()) stream += sample.bytes;
  std::size_t count = 0;
  for (std::size_t at = 0; at < stream.size(); ++count) {
    auto frame = frame_backend(as_bytes(stream).subspan(at));
    ASSERT_TRUE(frame && frame->complete());
    EXPECT_EQ(as_text(as_bytes(stream).subspan(at, frame->size)), backend_samples()[count].bytes);
    at += frame->size;
  }
  EXPECT_EQ(count, backend_samples().size());
}

TEST(Framer, RefusesEveryUnknownTypeByteAtOnce) {
  std::string frontend;
  std::string backend;
  for (int i = 0; i < 256; ++i) {
    const auto byte = static_cast<std::uint8_t>(i);
    if (frame_frontend(Bytes{&byte, 1})) frontend.push_back(static_cast<char>(byte));
    if (auto frame = frame_backend(Bytes{&byte, 1})) {
      backend.push_back(static_cast<char>(byte));
    } else {
      EXPECT_EQ(frame.error().code, Errc::malformed);
    }
  }
  EXPECT_EQ(frontend, "BCDEFHPQSXcdfp");
  EXPECT_EQ(backend, "123ACDEGHIKNRSTVWZcdnstv");
}

TEST(Framer, RefusesLengthsThatCannotBe) {
  for (auto bytes :
       {literal("Q\0\0\0\x03"), literal("Q\0\0\0\0"), literal("Q\xff\xff\xff\xff"), literal("Q\x80\0\0\0")}) {
    auto frame = frame_frontend(as_bytes(bytes));
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Errc::malformed);
    bytes[0] = 'D';
    EXPECT_FALSE(frame_backend(as_bytes(bytes)));
  }
}

TEST(Framer, RefusesLengthsAboveTheKindsLimit) {
  auto with_length = [](char type, std::uint64_t length) {
    return std::string{type} + static_cast<char>(length >> 24) + static_cast<char>(length >> 16) +
           static_cast<char>(length >> 8) + static_cast<char>(length);
  };
  auto frontend_limit = [&](char type, std::uint64_t limit) {
    auto at = frame_frontend(as_bytes(with_length(type, limit)));
    auto above = frame_frontend(as_bytes(with_length(type, limit + 1)));
    return at && at->size == limit + 1 && !above && above.error().code == Errc::too_large;
  };
  auto backend_limit = [&](char type, std::uint64_t limit) {
    auto at = frame_backend(as_bytes(with_length(type, limit)));
    auto above = frame_backend(as_bytes(with_length(type, limit + 1)));
    return at && at->size == limit + 1 && !above && above.error().code == Errc::too_large;
  };
  for (char type : std::string_view{"QPBFd"})
    EXPECT_TRUE(frontend_limit(type, kDefaultMaxFrontendMessage)) << type;
  for (char type : std::string_view{"CDEHSXcf"})
    EXPECT_TRUE(frontend_limit(type, kMaxSmallFrontendMessage)) << type;
  EXPECT_TRUE(frontend_limit('p', kMaxPasswordMessage));
  for (char type : std::string_view{"Dd"})
    EXPECT_TRUE(backend_limit(type, kDefaultMaxBackendMessage)) << type;
  for (char type : std::string_view{"ENTAGHWVt"})
    EXPECT_TRUE(backend_limit(type, kMaxHeldBackendMessage)) << type;
  for (char type : std::string_view{"RKSZCI123nscv"})
    EXPECT_TRUE(backend_limit(type, kMaxSmallBackendMessage)) << type;
  EXPECT_FALSE(frame_frontend(as_bytes(with_length('Q', 0x7FFFFFFF))));
  EXPECT_FALSE(frame_frontend(as_bytes(with_length('Q', 1001)), 1000));
  EXPECT_TRUE(frame_frontend(as_bytes(with_length('Q', 1000)), 1000));
  // The largest length that the wire can say: the size with the type byte does not wrap.
  auto largest = frame_backend(as_bytes(with_length('D', 0x7FFFFFFF)), 0x7FFFFFFF);
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->size, 0x80000000ULL);
  EXPECT_EQ(largest->missing, 0x7FFFFFFBULL);
}

TEST(Framer, CutsStartupPackets) {
  using enum StartupFrame::Kind;
  const StartupFrame::Kind kinds[] = {ssl_request,    gssenc_request, cancel_request,
                                      cancel_request, startup,        startup};
  auto samples = startup_samples();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    SCOPED_TRACE(samples[i].name);
    const auto& bytes = samples[i].bytes;
    auto next = bytes + "extra";
    auto whole = frame_startup(as_bytes(next));
    ASSERT_TRUE(whole) << whole.error().message();
    EXPECT_EQ(whole->kind, kinds[i]);
    EXPECT_EQ(whole->size, bytes.size());
    EXPECT_EQ(as_text(whole->payload), std::string_view{bytes}.substr(kStartupHeaderSize));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      auto part = exactly(bytes.substr(0, n));
      auto answer = frame_startup(part);
      ASSERT_TRUE(answer) << n << " bytes: " << answer.error().message();
      EXPECT_FALSE(answer->complete());
      EXPECT_TRUE(answer->payload.empty());
      EXPECT_GT(answer->missing, 0U);
      EXPECT_LE(answer->missing + n, bytes.size()) << "asks for more than the packet has";
    }
  }
  EXPECT_EQ(frame_startup(as_bytes(samples[5].bytes))->version, kProtocol32);
}

TEST(Framer, RefusesStartupPacketsThatCannotBe) {
  auto code_of = [](std::string bytes) {
    auto frame = frame_startup(as_bytes(bytes));
    return frame ? std::optional<Errc>{} : frame.error().code;
  };
  EXPECT_EQ(code_of(literal("\0\0\0\x07")), Errc::malformed);
  EXPECT_EQ(code_of(literal("\xff\xff\xff\xff")), Errc::malformed);
  EXPECT_EQ(code_of(literal("\0\0\x27\x11")), Errc::too_large);  // 10,001
  EXPECT_EQ(code_of(literal("\0\0\x27\x10")), std::nullopt);     // 10,000
  EXPECT_EQ(code_of(literal("\0\0\0\x09\x04\xd2\x16\x2f")), Errc::malformed) << "SSLRequest with a body";
  EXPECT_EQ(code_of(literal("\0\0\0\x09\x04\xd2\x16\x30")), Errc::malformed) << "GSSENCRequest with a body";
  EXPECT_EQ(code_of(literal("\0\0\0\x0f\x04\xd2\x16\x2e")), Errc::malformed)
      << "CancelRequest with a 3-byte key";
  EXPECT_EQ(code_of(literal("\0\0\x01\x0d\x04\xd2\x16\x2e")), Errc::malformed)
      << "CancelRequest with a 257-byte key";
  EXPECT_EQ(code_of(literal("\0\0\0\x09\0\x02\0\0\0")), Errc::unsupported);
  EXPECT_EQ(code_of(literal("\0\0\0\x09\0\x04\0\0\0")), Errc::unsupported);
  EXPECT_EQ(code_of(literal("\0\0\0\x09\x04\xd2\x16\x31\0")), Errc::unsupported);
  EXPECT_EQ(code_of("GET / HTTP/1.1\r\n"), Errc::too_large);
  EXPECT_EQ(code_of(literal("\x16\x03\x01\x02")), Errc::too_large);
  EXPECT_TRUE(starts_with_tls(as_bytes("\x16")));
  EXPECT_FALSE(starts_with_tls(as_bytes(startup_samples()[0].bytes)));
  EXPECT_FALSE(starts_with_tls({}));
}

TEST(Framer, ReadsTheAnswerToSslRequest) {
  EXPECT_EQ(parse_tls_answer('S').value(), true);
  EXPECT_EQ(parse_tls_answer('N').value(), false);
  EXPECT_FALSE(parse_tls_answer('E'));
  EXPECT_FALSE(parse_tls_answer('G'));
}

TEST(Framer, NamesMessagesAsTheManualDoes) {
  EXPECT_EQ(to_string(FrontendType::copy_data), "CopyData");
  EXPECT_EQ(to_string(BackendType::row_description), "RowDescription");
}

}  // namespace
}  // namespace sluice::wire::pg
