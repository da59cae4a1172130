#include "app/keys.h"

#include "app/files.h"
#include "core/encoding.h"
#include "core/random.h"
#include "core/secret.h"
#include "record/note.h"

namespace sluice::app {

Result<SigningKey> load_signing_key(const std::filesystem::path& data) {
  const auto file = data / kRecordKeyFile;
  TRY(const auto text, read_private_file(file, 4096));
  auto bytes = from_base64url(text.reveal());
  SigningKey key{};
  if (!bytes || bytes->size() != key.secret.size()) {
    return fail(Errc::malformed, "{} does not hold a signing key", file.string());
  }
  std::ranges::copy(*bytes, key.secret.begin());
  // The second half of libsodium's form is the public key.
  std::copy(bytes->begin() + 32, bytes->end(), key.public_key.begin());
  wipe(*bytes);
  return key;
}

Result<void> create_signing_key(const std::filesystem::path& data) {
  auto key = make_signing_key();
  const Secret text{to_base64url(key.secret) + "\n"};
  wipe(key.secret);
  CHECK_OK(create_file(data / kRecordKeyFile, text.reveal(), 0600));
  const auto public_text = record::format_verifier_key(record::verifier_key(kRecordKeyName, key.public_key));
  return create_file(data / kRecordPublicKeyFile, public_text + "\n", 0644);
}

Result<Digest> load_hash_key(const std::filesystem::path& data) {
  const auto file = data / kHashKeyFile;
  Digest key{};
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    fill_random(key);
    const Secret text{to_base64url(key) + "\n"};
    CHECK_OK(create_file(file, text.reveal(), 0600));
    return key;
  }
  TRY(const auto text, read_private_file(file, 4096));
  auto bytes = from_base64url(text.reveal());
  if (!bytes || bytes->size() != key.size())
    return fail(Errc::malformed, "{} does not hold a key of {} bytes", file.string(), key.size());
  std::ranges::copy(*bytes, key.begin());
  wipe(*bytes);
  return key;
}

}  // namespace sluice::app
