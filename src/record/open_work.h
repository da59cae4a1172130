// OpenWork: the sessions and operations of a shard that have begun and not ended. The log keeps one to refuse
// what does not belong together, and to write it at the start of each segment; recovery rebuilds one to close
// what a killed writer left open.
#pragma once

#include "record/codec.h"
#include "record/flat_table.h"

namespace sluice::record {

class OpenWork {
 public:
  struct OperationKey {
    std::uint64_t session = 0;
    std::uint64_t operation = 0;
    bool operator==(const OperationKey&) const = default;
  };

  // Takes an entry into account. Only kind, session, operation and seq matter.
  void apply(const Header& header);
  void apply(const Carried& carried);

  bool has_session(SessionId session) { return sessions_.find(session.value) != nullptr; }
  bool has_operation(SessionId session, OperationId operation) {
    return operations_.find({session.value, operation.value}) != nullptr;
  }
  // The seq of its intent; nullopt when it is not open.
  std::optional<std::uint64_t> intent_of(SessionId session, OperationId operation) {
    const auto* intent = operations_.find({session.value, operation.value});
    return intent == nullptr ? std::nullopt : std::optional{*intent};
  }
  // Entries of an open session so far; 0 when it is not open.
  std::uint64_t entries_of(SessionId session);

  std::size_t sessions() const { return sessions_.size(); }
  std::size_t operations() const { return operations_.size(); }
  // In order of session and operation.
  Carried snapshot() const;

 private:
  struct HashNumber {
    std::uint64_t operator()(std::uint64_t v) const { return mix(v); }
  };
  struct HashOperation {
    std::uint64_t operator()(const OperationKey& k) const { return mix(k.session * 31 + k.operation); }
  };
  FlatTable<std::uint64_t, std::uint64_t, HashNumber> sessions_;      // to the number of entries
  FlatTable<OperationKey, std::uint64_t, HashOperation> operations_;  // to the intent's seq
};

}  // namespace sluice::record
