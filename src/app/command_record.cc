// `sluice record verify --dir FOLDER --key KEY`: offline, with nothing but the folder and the public key.
#include <cstdio>

#include "app/command_local.h"
#include "app/exit_codes.h"
#include "app/files.h"
#include "core/crypto.h"
#include "record/verifier.h"

namespace sluice::app::commands {
namespace {

// A file that holds the key, or the key's own text.
Result<record::VerifierKey> read_key(const std::string& given) {
  std::string text = given;
  if (auto file = read_file(given, 4096)) text = *file;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return record::parse_verifier_key(text);
}

}  // namespace

int record_verify_offline(const VerifyOptions& options) {
  initialise_crypto();
  std::vector<record::VerifierKey> keys;
  for (const auto& given : options.keys) {
    auto key = read_key(given);
    if (!key) return report({key.error().code, given + ": " + key.error().detail});
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return report({Errc::invalid_argument, "a verifier key is needed: --key FILE"});
  std::vector<std::string> known;
  for (const auto& file : options.checkpoints) {
    auto text = read_file(file, 16u << 20);
    if (!text) return report(text.error());
    for (const auto note : record::split_notes(*text).notes) known.emplace_back(note);
  }
  const auto outcome = record::verify_record(options.folder, keys, known);
  std::fputs(record::format_report(outcome).c_str(), stdout);
  return static_cast<int>(outcome.verdict());
}

}  // namespace sluice::app::commands
