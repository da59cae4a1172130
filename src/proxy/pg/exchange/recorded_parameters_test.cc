#include "proxy/pg/exchange/recorded_parameters.h"

#include <gtest/gtest.h>

#include "core/byte_writer.h"

namespace sluice::proxy::pg {
namespace {

using Value = std::optional<std::string>;

std::string section(const std::vector<std::uint16_t>& formats, const std::vector<Value>& values) {
  std::string out;
  ByteWriter writer{out};
  writer.u16(static_cast<std::uint16_t>(formats.size()));
  for (const auto format : formats) writer.u16(format);
  writer.u16(static_cast<std::uint16_t>(values.size()));
  for (const auto& value : values) {
    writer.u32(value ? static_cast<std::uint32_t>(value->size()) : 0xFFFFFFFF);
    if (value) writer.text(*value);
  }
  return out;
}

Digest digest(const std::vector<std::uint16_t>& formats, const std::vector<Value>& values) {
  return parameters_digest(as_bytes(section(formats, values)));
}

TEST(ParametersDigest, DiffersWhereAnythingDiffers) {
  const std::string longer(kWholeInDigest, 'x');
  const std::string longest(kWholeInDigest + 1, 'x');
  const std::vector<Digest> digests = {
      digest({}, {}),
      digest({}, {""}),
      digest({}, {std::nullopt}),
      digest({0}, {""}),
      digest({1}, {""}),
      digest({}, {"", ""}),
      digest({}, {"ab", "c"}),
      digest({}, {"a", "bc"}),
      digest({}, {longer}),
      digest({}, {longest}),
      digest({}, {std::string(kWholeInDigest, 'x') + 'y'}),
      digest({}, {std::string{as_text(sha256(as_bytes(longest)))}}),  // what stands for the long one
  };
  for (std::size_t i = 0; i < digests.size(); ++i) {
    for (std::size_t j = i + 1; j < digests.size(); ++j) EXPECT_NE(digests[i], digests[j]) << i << " " << j;
  }
  EXPECT_EQ(digest({1}, {longest, std::nullopt}), digest({1}, {longest, std::nullopt}));
}

record::Param recorded(std::uint16_t format, const std::string& value) {
  const auto bytes = section({format}, {value});
  const auto params = recorded_parameters(as_bytes(bytes), Plan{});
  EXPECT_EQ(params.size(), 1U);
  return params.empty() ? record::Param{} : params.front();
}

TEST(RecordedParameters, TakeWhatLooksLikeAVectorForOne) {
  for (const char* text : {"[1,2,3]", "[0.25, -1e-3 ,+2.5E7]"}) {
    const auto param = recorded(0, text);
    if (std::string_view{text}.size() < 8) {  // short enough to be data
      EXPECT_EQ(param.form, record::ParamForm::text) << text;
    } else {
      EXPECT_EQ(param.form, record::ParamForm::vector) << text;
      EXPECT_EQ(param.dimension, 3U);
      EXPECT_EQ(param.digest, sha256(as_bytes(std::string_view{text})));
    }
  }
  for (const char* text : {"[one,two,three]", "{1,2,3,4,5}", "[1.5,2.5,3.5", "[1.25,2.25]"}) {
    EXPECT_EQ(recorded(0, text).form, record::ParamForm::text) << text;
  }
  const std::string binary(
      "\0\3\0\0"
      "aaaabbbbcccc",
      16);
  EXPECT_EQ(recorded(1, binary).form, record::ParamForm::vector);
  EXPECT_EQ(recorded(1, binary + "d").form, record::ParamForm::bytes);
}

}  // namespace
}  // namespace sluice::proxy::pg
