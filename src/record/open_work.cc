#include "record/open_work.h"

#include <algorithm>
#include <tuple>

namespace sluice::record {

void OpenWork::apply(const Header& header) {
  if (header.session.value == 0) return;
  if (header.kind == Kind::session_start) sessions_[header.session.value] = 0;
  if (auto* entries = sessions_.find(header.session.value)) ++*entries;

  OperationKey key{header.session.value, header.operation.value};
  switch (header.kind) {
    case Kind::intent: operations_[key] = header.seq; break;
    case Kind::outcome:
    case Kind::unfinished: operations_.erase(key); break;
    case Kind::session_end: sessions_.erase(header.session.value); break;
    default: break;
  }
}

void OpenWork::apply(const Carried& carried) {
  for (const auto& s : carried.sessions) sessions_[s.session.value] = s.entries;
  for (const auto& o : carried.operations) operations_[{o.session.value, o.operation.value}] = o.intent;
}

std::uint64_t OpenWork::entries_of(SessionId session) {
  auto* entries = sessions_.find(session.value);
  return entries == nullptr ? 0 : *entries;
}

Carried OpenWork::snapshot() const {
  Carried out;
  sessions_.for_each([&](std::uint64_t session, std::uint64_t entries) {
    out.sessions.push_back({SessionId{session}, entries});
  });
  operations_.for_each([&](const OperationKey& key, std::uint64_t intent) {
    out.operations.push_back({SessionId{key.session}, OperationId{key.operation}, intent});
  });
  std::ranges::sort(out.sessions, {}, [](const auto& s) { return s.session.value; });
  std::ranges::sort(out.operations, {},
                    [](const auto& o) { return std::tuple(o.session.value, o.operation.value); });
  return out;
}

}  // namespace sluice::record
