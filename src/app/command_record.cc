// `sluice record verify --dir FOLDER --key KEY` and `--bundle FILE --key KEY`: offline, with nothing but the
// folder or the file, and the public key.
#include <cstdio>

#include "app/command_local.h"
#include "app/exit_codes.h"
#include "app/files.h"
#include "core/crypto.h"
#include "record/bundle.h"
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

Result<std::vector<record::VerifierKey>> read_keys(const std::vector<std::string>& given) {
  std::vector<record::VerifierKey> keys;
  for (const auto& one : given) {
    auto key = read_key(one);
    if (!key) return fail(key.error().code, "{}: {}", one, key.error().detail);
    keys.push_back(std::move(*key));
  }
  if (keys.empty())
    return fail(Errc::invalid_argument, "a verifier key is needed: --key FILE (keys/record.pub)");
  return keys;
}

int verdict(record::Verdict found, std::string_view why) {
  std::printf("%.*s%s%.*s\n", static_cast<int>(to_string(found).size()), to_string(found).data(),
              why.empty() ? "" : ": ", static_cast<int>(why.size()), why.data());
  return static_cast<int>(found);
}

}  // namespace

int record_verify_bundle(const VerifyOptions& options) {
  initialise_crypto();
  const auto keys = read_keys(options.keys);
  if (!keys) return report(keys.error());
  auto text = read_file(options.bundle, record::kMaxBundleBytes);
  if (!text) return report(text.error());
  Result<record::BundleReport> checked = fail(Errc::forbidden, "");
  for (const auto& key : *keys) {  // signed by any of them
    checked = record::verify_bundle(*text, key);
    if (checked || checked.error().code != Errc::forbidden) break;
  }
  if (!checked) {
    const bool unsigned_by_them = checked.error().code == Errc::forbidden;
    return verdict(unsigned_by_them ? record::Verdict::bad_checkpoint : record::Verdict::altered,
                   checked.error().detail);
  }
  if (options.events) {
    for (const auto& event : checked->events) std::fputs(record::to_text(event).c_str(), stdout);
  }
  std::printf("session %s: %llu entries, under the checkpoint of %s at %s entries of %s\n",
              to_string(checked->session).c_str(), static_cast<unsigned long long>(checked->entries),
              checked->checkpoint.time.c_str(), std::to_string(checked->checkpoint.size).c_str(),
              checked->checkpoint.origin.c_str());
  return checked->complete
             ? verdict(record::Verdict::intact, "")
             : verdict(record::Verdict::truncated, "the session's end is not in it, or entries before it");
}

int record_verify_offline(const VerifyOptions& options) {
  initialise_crypto();
  const auto keys = read_keys(options.keys);
  if (!keys) return report(keys.error());
  std::vector<std::string> known;
  for (const auto& file : options.checkpoints) {
    auto text = read_file(file, 16u << 20);
    if (!text) return report(text.error());
    for (const auto note : record::split_notes(*text).notes) known.emplace_back(note);
  }
  const auto outcome = record::verify_record(options.folder, *keys, known);
  std::fputs(record::format_report(outcome).c_str(), stdout);
  return static_cast<int>(outcome.verdict());
}

}  // namespace sluice::app::commands
