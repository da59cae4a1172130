// Everything that the record reads back: segment headers, frames, entries of every kind, their sections,
// checkpoints and bundles. The first byte chooses what the rest is taken for; hashes are made to fit where
// they would stop the fuzzer.
//
// Beside not crashing: what decodes must encode to the same bytes, because one entry has one form.
#include <algorithm>
#include <cstdlib>

#include "core/byte_reader.h"
#include "record/bundle.h"
#include "record/context.h"
#include "record/note.h"
#include "record/replay.h"

namespace sluice::record {
namespace {

template <class T>
void must_encode_to(Bytes expected, const T& payload) {
  ByteVector bytes(kMaxEntryBytes);
  FixedWriter out{bytes.data(), bytes.data() + bytes.size()};
  encode(out, payload);
  if (out.overflow() || !std::ranges::equal(Bytes{bytes}.first(out.size()), expected)) std::abort();
}

struct EncodesBack {
  Bytes payload;

  template <class T>
  void operator()(const T& value) {
    must_encode_to(payload, value);
  }
  void operator()(const SessionStart& value) { must_encode_to(payload, value.facts); }
  void operator()(const StatementEntry& value) {
    if (value.text_bytes != value.op.text.size()) return;  // the rest of its text is in parts
    must_encode_to(payload, StatementSource{value.op, value.op.text, value.parts, value.text_digest});
  }
  void operator()(const RulingEntry& value) {
    must_encode_to(payload, RulingSource{value.ruling, value.policy_digest, value.mask_set});
  }
  void operator()(const IntentEntry& v) {
    must_encode_to(payload, BasicIntentEntry<std::span<const Param>>{v.statement, v.ruling, v.limit,
                                                                     v.params_digest, v.params_bound,
                                                                     v.params, v.review, v.upstream_user});
  }
};

void read_entry(Bytes canonical, SegmentContext& context) {
  auto entry = parse_entry(canonical);
  if (!entry) return;
  if (auto payload = decode(*entry)) std::visit(EncodesBack{entry->payload}, *payload);
  auto payload = context.take(*entry, 1);
  if (!payload) return;
  if (auto event = describe(*entry, *payload, context)) {
    (void)to_json(*event);
    (void)to_text(*event);
  }
}

// Entries one after the other, each with a 16-bit length: they may refer to each other.
void read_entries(Bytes bytes) {
  ByteReader in{bytes};
  SegmentContext context;
  while (in.ok() && in.remaining() > 0) read_entry(in.bytes(in.u16le()), context);
}

// A segment whose frames have the hashes that they should have.
void read_segment(Bytes bytes) {
  ByteVector segment(bytes.begin(), bytes.end());
  for (std::size_t at = 0; at + kFrameHeaderBytes < segment.size();) {
    ByteReader in{Bytes{segment}.subspan(at)};
    std::size_t length = in.u32le();
    if (length == 0 || length > kMaxEntryBytes || frame_bytes(length) > segment.size() - at) break;
    auto leaf = leaf_hash(Bytes{segment}.subspan(at + kFrameHeaderBytes, length));
    std::ranges::copy(leaf, segment.begin() + static_cast<std::ptrdiff_t>(at + kCommitBytes));
    at += frame_bytes(length);
  }
  SegmentContext context;
  Bytes rest{segment};
  for (auto frame = read_frame(rest); frame.state == FrameState::entry; frame = read_frame(rest)) {
    read_entry(frame.canonical, context);
    rest = rest.subspan(frame.size);
  }
}

void read_header(Bytes bytes) {
  ByteVector header(kSegmentHeaderBytes);
  std::ranges::copy(bytes.first(std::min(bytes.size(), header.size() - 32)), header.begin());
  auto hash = sha256(Bytes{header}.first(header.size() - 32));
  std::ranges::copy(hash, header.end() - 32);
  auto decoded = decode_segment_header(header);
  if (decoded) (void)decoded->before.root();
  (void)decode_segment_header(bytes);
}

void read_sections(std::string_view text) {
  (void)read_ids(text, [](std::string_view, std::string_view) {});
  (void)split_ids(text, 100);
  RowsReader rows;
  rows.row = [](std::span<const Cell>) {};
  (void)read_rows(text, rows);
  (void)split_rows(text, 100);
}

void read_signed(std::string_view text) {
  static const auto key = verifier_key("sluice", Digest{});
  for (auto note : split_notes(text).notes) (void)open_checkpoint(note, key);
  (void)open_checkpoint(text, key);
  (void)parse_verifier_key(text);
  (void)verify_bundle(text, key);
}

}  // namespace
}  // namespace sluice::record

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  static const bool ready = [] {
    initialise_crypto();
    return true;
  }();
  if (!ready || size == 0) return 0;
  Bytes bytes{data + 1, size - 1};
  switch (data[0]) {
    case '0': record::read_entries(bytes); break;
    case '1': record::read_segment(bytes); break;
    case '2': record::read_header(bytes); break;
    case '3': record::read_sections(as_text(bytes)); break;
    case '4': record::read_signed(as_text(bytes)); break;
    default: break;
  }
  return 0;
}
