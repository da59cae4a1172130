#include "record/context.h"

namespace sluice::record {
namespace {

template <class List>
void append(List& to, const List& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Result<Payload> SegmentContext::take(const Entry& entry, std::uint64_t segment) {
  if (segment != segment_) {
    segment_ = segment;
    parts_.clear();
    statements_.clear();
    masks_.clear();
    rulings_.clear();
  }
  TRY(auto payload, decode(entry));
  auto seq = entry.header.seq;
  if (const auto* part = std::get_if<StatementPart>(&payload)) parts_.emplace_back(part->text);
  if (const auto* statement = std::get_if<StatementEntry>(&payload)) CHECK_OK(add_statement(seq, *statement));
  if (const auto* masks = std::get_if<MaskSetEntry>(&payload)) CHECK_OK(add_masks(seq, *masks));
  if (const auto* ruling = std::get_if<RulingEntry>(&payload)) CHECK_OK(add_ruling(seq, *ruling));
  return payload;
}

Result<void> SegmentContext::add_statement(std::uint64_t seq, const StatementEntry& entry) {
  if (entry.parts > parts_.size()) {
    return fail(Errc::malformed, "statement {} has {} parts, {} are there", seq, entry.parts, parts_.size());
  }
  auto op = std::make_shared<Operation>(entry.op);
  std::string text;
  for (auto i = parts_.size() - entry.parts; i < parts_.size(); ++i) text += parts_[i];
  parts_.clear();
  op->text.insert(0, text);
  if (op->text.size() != entry.text_bytes || sha256(as_bytes(op->text)) != entry.text_digest) {
    return fail(Errc::malformed, "the text of statement {} is not the one that it says", seq);
  }
  statements_[seq] = {std::move(op), entry.text_digest};
  return {};
}

Result<void> SegmentContext::add_masks(std::uint64_t seq, const MaskSetEntry& entry) {
  auto masks = std::make_shared<MaskSet>(entry.masks);
  if (entry.continues) {
    auto before = masks_.find(seq - 1);
    if (before == masks_.end() || before->second->id != masks->id) {
      return fail(Errc::malformed, "mask set {} goes on with one that is not there", seq);
    }
    auto whole = std::make_shared<MaskSet>(*before->second);
    append(whole->fields, masks->fields);
    append(whole->vectors, masks->vectors);
    append(whole->detects, masks->detects);
    masks = whole;
  }
  masks_[seq] = std::move(masks);
  return {};
}

Result<void> SegmentContext::add_ruling(std::uint64_t seq, const RulingEntry& entry) {
  auto ruling = std::make_shared<Ruling>(entry.ruling);
  ruling->obligations.masks = std::make_shared<MaskSet>();
  if (entry.mask_set) {
    auto masks = masks_.find(*entry.mask_set);
    if (masks == masks_.end()) return fail(Errc::malformed, "ruling {} names masks that are not there", seq);
    ruling->obligations.masks = masks->second;
  }
  rulings_[seq] = {std::move(ruling), entry.policy_digest};
  return {};
}

Result<SegmentContext::Statement> SegmentContext::statement(std::uint64_t seq) const {
  auto it = statements_.find(seq);
  if (it == statements_.end()) return fail(Errc::malformed, "there is no statement {} in this segment", seq);
  return it->second;
}

Result<SegmentContext::Decided> SegmentContext::ruling(std::uint64_t seq) const {
  auto it = rulings_.find(seq);
  if (it == rulings_.end()) return fail(Errc::malformed, "there is no ruling {} in this segment", seq);
  return it->second;
}

}  // namespace sluice::record
