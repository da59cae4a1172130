// Tokens as clients send them. What parses must be exactly as long as a token, carry an id of [a-z0-9] and
// stop parsing when any character changes; an empty directory accepts none.
#include <cstdint>
#include <cstdlib>

#include "identity/directory.h"
#include "identity/token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  static const bool ready = (initialise_crypto(), true);
  static const identity::DirectorySnapshot empty;
  const auto text = as_text({data, size});
  auto id = identity::parse_token(text);
  if (ready && id) {
    if (text.size() != identity::kTokenLength || id->value.size() != identity::kTokenIdLength) std::abort();
    std::string changed{text};
    auto& c = changed[data[size - 1] % changed.size()];
    c = c == 'A' ? 'B' : 'A';
    if (identity::parse_token(changed)) std::abort();
  }
  auto who = empty.authenticate(text, WallTime{});
  if (who) std::abort();
  const bool malformed = who.error().cause == identity::AuthenticationCause::malformed;
  if (malformed == id.has_value()) std::abort();
  return 0;
}
