#include "masking/detect.h"

#include <arpa/inet.h>
#include <hs/hs.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>

#include "masking/check_digits.h"

namespace sluice::masking {
namespace {

// Bytes: longer than what is looked for is, private keys apart.
constexpr std::size_t kLongestUsual = 512;

// What a pattern found, narrowed to what it is; nothing when it is none after all. Vectorscan reports the
// leftmost start for each end, so a number that follows another one is found by trying later starts.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool empty() const { return begin == end; }
};
using Refine = Span (*)(std::string_view text, Span match);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool ends_word(std::string_view text, std::size_t end) {
  return end == text.size() || !is_word(text[end]) || !is_word(text[end - 1]);
}
bool begins_word(std::string_view text, std::size_t begin) {
  return begin == 0 || !is_word(text[begin - 1]);
}

std::string without_separators(std::string_view text) {
  std::string kept;
  for (char c : text) {
    if (is_word(c)) kept += c;
  }
  return kept;
}

// The widest part of the match that ends where it ends, begins a word, and is one of its kind.
template <bool (*Test)(std::string_view)>
Span checked(std::string_view text, Span match) {
  if (!ends_word(text, match.end)) return {};
  for (std::size_t begin = match.begin; begin < match.end; ++begin) {
    if (!is_word(text[begin]) || !begins_word(text, begin)) continue;
    if (Test(without_separators(text.substr(begin, match.end - begin)))) return {begin, match.end};
  }
  return {};
}

Span whole_word(std::string_view text, Span match) {
  return ends_word(text, match.end) && begins_word(text, match.begin) ? match : Span{};
}

Span as_it_is(std::string_view /*text*/, Span match) {
  return match;
}

// E.164 with + or 00; national numbers by a leading 0 or by the North American grouping. Digits without any
// of these are as likely to be an order's number.
Span phone(std::string_view text, Span match) {
  if (match.end < text.size() && is_digit(text[match.end])) return {};
  for (std::size_t begin = match.begin; begin < match.end; ++begin) {
    if (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '+')) continue;
    const std::string_view candidate = text.substr(begin, match.end - begin);
    const std::string digits = without_separators(candidate);
    const bool international = candidate.front() == '+' || candidate.starts_with("00");
    if (international && digits.size() >= 8 && digits.size() <= 17) return {begin, match.end};
    const bool grouped = digits.size() != candidate.size();
    if (candidate.front() == '0' && digits.size() >= 9 && digits.size() <= 12 && grouped)
      return {begin, match.end};
    auto separator = [&](std::size_t at) { return !is_word(candidate[at]); };
    if (digits.size() == 10 && candidate.front() == '(' && candidate.size() >= 13 && candidate[4] == ')')
      return {begin, match.end};
    if (candidate.size() == 12 && digits.size() == 10 && separator(3) && separator(7))
      return {begin, match.end};
  }
  return {};
}

Span ip_address(std::string_view text, Span match) {
  for (std::size_t begin = match.begin; begin < match.end; ++begin) {
    if (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == ':' || text[begin - 1] == '.')) continue;
    const std::string candidate(text.substr(begin, match.end - begin));
    in6_addr address{};
    if (match.end < text.size() &&
        (is_word(text[match.end]) || (text[match.end] == ':' && candidate.find(':') != std::string::npos))) {
      continue;
    }
    if (inet_pton(AF_INET, candidate.c_str(), &address) == 1) return {begin, match.end};
    const bool colons = std::ranges::count(candidate, ':') >= 2 && candidate.size() > 3;
    if (colons && inet_pton(AF_INET6, candidate.c_str(), &address) == 1) return {begin, match.end};
  }
  return {};
}

struct Pattern {
  Detector detector;
  const char* regex;
  Refine refine;
  unsigned flags = 0;
};

// Letters beyond ASCII count as parts of a mail address.
#define SLUICE_MAIL_CHARACTER R"([^\x00-\x20"'(),:;<>@\[\]\\{}|])"

constexpr Pattern kPatterns[] = {
    {Detector::email,
     SLUICE_MAIL_CHARACTER "+@(" SLUICE_MAIL_CHARACTER R"(+\.)+[A-Za-z\x80-\xff][A-Za-z0-9\x80-\xff\-]+)",
     as_it_is},
    {Detector::phone, R"((\+|\(\+?)?[0-9][0-9 ()./\-]{6,24}[0-9])", phone},
    {Detector::credit_card, R"([0-9]([ \-]?[0-9]){12,24})", checked<is_card_number>},
    {Detector::iban, R"([A-Z]{2}[0-9]{2}([ \-]?[A-Z0-9]){11,32})", checked<is_iban>, HS_FLAG_CASELESS},
    {Detector::ssn, R"([0-9]{3}[ \-][0-9]{2}[ \-][0-9]{4})", checked<is_social_security_number>},
    // United Kingdom, national insurance number
    {Detector::national_id, R"([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])",
     whole_word, HS_FLAG_CASELESS},
    {Detector::national_id, R"([0-9]( ?[0-9]){10})", checked<is_german_tax_id>},
    {Detector::national_id, R"([12]( ?[0-9]){14})", checked<is_french_social_security>},
    {Detector::national_id, R"([0-9XYZ][0-9]{7}\-?[A-Z])", checked<is_spanish_id>, HS_FLAG_CASELESS},
    {Detector::national_id, R"([A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z])",
     checked<is_italian_tax_code>, HS_FLAG_CASELESS},
    {Detector::national_id, R"([0-9]{3}\.?[0-9]{3}\.?[0-9]{3}\-?[0-9]{2})", checked<is_brazilian_tax_id>},
    {Detector::national_id, R"([2-9][0-9]{3}[ \-]?[0-9]{4}[ \-]?[0-9]{4})", checked<is_indian_id>},
    {Detector::national_id, R"([0-9]{11})", checked<is_polish_id>},
    {Detector::ip_address, R"([0-9]{1,3}(\.[0-9]{1,3}){3})", ip_address},
    {Detector::ip_address, R"([0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,8}(\.[0-9]{1,3}){0,3})", ip_address,
     HS_FLAG_CASELESS},
    // Amazon Web Services, access key
    {Detector::secret, R"((AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16})", whole_word},
    // GitHub, GitLab
    {Detector::secret, R"(gh[pousr]_[A-Za-z0-9]{30,})", as_it_is},
    {Detector::secret, R"(github_pat_[A-Za-z0-9_]{22,})", as_it_is},
    {Detector::secret, R"(gl(pat|ptt|dt|rt|ft|imt|agent|oas|cbt)\-[A-Za-z0-9_\-]{20,})", as_it_is},
    // Slack, Discord's and Telegram's bots
    {Detector::secret, R"(xox[abeoprs](\.xox[bp])?\-[A-Za-z0-9\-]{10,})", as_it_is},
    {Detector::secret, R"(hooks\.slack\.com/services/[A-Za-z0-9/]{20,})", as_it_is},
    {Detector::secret, R"([0-9]{8,10}:AA[A-Za-z0-9_\-]{33})", as_it_is},
    // Stripe, Square, PayPal's Braintree, Shopify
    {Detector::secret, R"(([rs]k|whsec|pk)_(live_|test_)?[A-Za-z0-9]{16,})", as_it_is},
    {Detector::secret, R"(sq0(atp|csp)\-[A-Za-z0-9_\-]{22,})", as_it_is},
    {Detector::secret, R"(access_token\$(production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32})", as_it_is},
    {Detector::secret, R"(shp(at|ca|pa|ss)_[a-fA-F0-9]{32})", as_it_is},
    // OpenAI, Anthropic, DeepSeek and others; Google; Hugging Face; Groq; Replicate; Cohere's sister forms
    {Detector::secret, R"(sk\-[A-Za-z0-9_\-]{20,})", as_it_is},
    {Detector::secret, R"(AIza[0-9A-Za-z_\-]{35})", as_it_is},
    {Detector::secret, R"(ya29\.[0-9A-Za-z_\-]{20,})", as_it_is},
    {Detector::secret, R"(GOCSPX\-[0-9A-Za-z_\-]{28})", as_it_is},
    {Detector::secret, R"((hf|gsk|r8|xai)_[A-Za-z0-9]{30,})", as_it_is},
    {Detector::secret, R"(xai\-[A-Za-z0-9]{40,})", as_it_is},
    // Pinecone, and this gateway's own tokens
    {Detector::secret, R"(pcsk_[A-Za-z0-9_]{30,})", as_it_is},
    {Detector::secret, R"(slc_[A-Za-z0-9_\-]{16,})", as_it_is},
    // npm, PyPI, RubyGems, Docker, Terraform
    {Detector::secret, R"((npm_|rubygems_)[A-Za-z0-9]{30,})", as_it_is},
    {Detector::secret, R"(pypi\-[A-Za-z0-9_\-]{50,})", as_it_is},
    {Detector::secret, R"(dckr_(pat|oat)_[A-Za-z0-9_\-]{20,})", as_it_is},
    {Detector::secret, R"([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,})", as_it_is},
    // Twilio, SendGrid, Mailgun, Mailchimp
    {Detector::secret, R"((SK|AC)[0-9a-f]{32})", whole_word},
    {Detector::secret, R"(SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,})", as_it_is},
    {Detector::secret, R"(key\-[0-9a-f]{32})", whole_word},
    {Detector::secret, R"([0-9a-f]{32}\-us[0-9]{1,2})", whole_word},
    // Databricks, DigitalOcean, HashiCorp Vault, Azure storage, New Relic, Datadog's application keys,
    // Sentry, Grafana, Linear, Notion, Figma, Atlassian, Doppler, PlanetScale, Supabase, Cloudflare
    {Detector::secret, R"(dapi[0-9a-f]{32})", as_it_is},
    {Detector::secret, R"(do[opr]_v1_[a-f0-9]{64})", as_it_is},
    {Detector::secret, R"(hv[sbr]\.[A-Za-z0-9_\-]{24,})", as_it_is},
    {Detector::secret, R"((AccountKey|SharedAccessKey|sig)=[A-Za-z0-9+/%]{40,}={0,2})", as_it_is},
    {Detector::secret, R"(NRAK\-[A-Z0-9]{27})", as_it_is},
    {Detector::secret, R"(sntry[su]_[A-Za-z0-9_+/=\-]{40,})", as_it_is},
    {Detector::secret, R"(gl(c|sa)_[A-Za-z0-9_+/=]{32,})", as_it_is},
    {Detector::secret, R"(lin_(api|oauth)_[A-Za-z0-9]{32,})", as_it_is},
    {Detector::secret, R"((secret|ntn)_[A-Za-z0-9]{40,})", as_it_is},
    {Detector::secret, R"(fig[dou]_[A-Za-z0-9_\-]{40,})", as_it_is},
    {Detector::secret, R"(ATATT3[A-Za-z0-9_\-=]{50,})", as_it_is},
    {Detector::secret, R"(dp\.(pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{40,})", as_it_is},
    {Detector::secret, R"(pscale_(tkn|pw|oauth)_[A-Za-z0-9_.\-]{32,})", as_it_is},
    {Detector::secret, R"(sb(p|_secret|_publishable)_[A-Za-z0-9_]{20,})", as_it_is},
    {Detector::secret, R"(age\-secret\-key\-1[0-9a-z]{58})", as_it_is, HS_FLAG_CASELESS},
    // JSON web tokens, private keys, passwords in URLs
    {Detector::secret, R"(eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]*)", as_it_is},
    {Detector::secret,
     R"(\-{5}BEGIN[A-Z0-9 ]* PRIVATE KEY[A-Z ]*\-{5}[^\-]*(\-{5}END[A-Z0-9 ]* PRIVATE KEY[A-Z ]*\-{5})?)",
     as_it_is},
    {Detector::secret, R"([a-z][a-z0-9+.\-]*://[^\x00-\x20/?#@:"'<>]*:[^\x00-\x20/?#@"'<>]+@)", as_it_is,
     HS_FLAG_CASELESS},
};

struct FreeDatabase {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
struct FreeScratch {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};
using Scratch = std::unique_ptr<hs_scratch_t, FreeScratch>;

struct Compiled {
  std::unique_ptr<hs_database_t, FreeDatabase> database;
  Error error{Errc::internal, ""};
};

Compiled compile() {
  std::vector<const char*> regexes;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  for (const Pattern& pattern : kPatterns) {
    ids.push_back(static_cast<unsigned>(regexes.size()));
    regexes.push_back(pattern.regex);
    flags.push_back(pattern.flags | HS_FLAG_SOM_LEFTMOST);
  }
  Compiled made;
  hs_database_t* database = nullptr;
  hs_compile_error_t* problem = nullptr;
  const auto result =
      hs_compile_multi(regexes.data(), flags.data(), ids.data(), static_cast<unsigned>(regexes.size()),
                       HS_MODE_BLOCK, nullptr, &database, &problem);
  if (result == HS_SUCCESS) {
    made.database.reset(database);
  } else {
    const int which = problem == nullptr ? -1 : problem->expression;
    made.error = {Errc::internal, fmt::format("the detectors' patterns cannot be compiled: {}{}",
                                              problem == nullptr ? "unknown" : problem->message,
                                              which < 0 ? "" : fmt::format(" ({})", kPatterns[which].regex))};
    hs_free_compile_error(problem);
  }
  return made;
}

const Compiled& compiled() {
  static const Compiled made = compile();
  return made;
}

hs_scratch_t* scratch() {
  thread_local const Scratch mine = [] {
    hs_scratch_t* made = nullptr;
    if (hs_alloc_scratch(compiled().database.get(), &made) != HS_SUCCESS) made = nullptr;
    return Scratch{made};
  }();
  return mine.get();
}

struct Scan {
  std::string_view text;
  DetectorSet wanted;
  std::vector<Finding>& found;
  bool overflown = false;
};

int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned /*flags*/, void* context) {
  auto& scan = *static_cast<Scan*>(context);
  const Pattern& pattern = kPatterns[id];
  if (!scan.wanted.contains(pattern.detector)) return 0;
  const Span span = pattern.refine(scan.text, {static_cast<std::size_t>(from), static_cast<std::size_t>(to)});
  if (span.empty()) return 0;
  // The same start with a later end is the same thing, seen further.
  if (!scan.found.empty()) {
    Finding& last = scan.found.back();
    if (last.detector == pattern.detector && last.begin == span.begin && span.end > last.end) {
      last.end = span.end;
      return 0;
    }
  }
  if (scan.found.size() == kMaxFindings) {
    scan.overflown = true;
    return 1;
  }
  scan.found.push_back({span.begin, span.end, pattern.detector});
  return 0;
}

// In order, and where two overlap, one that covers both and is what the wider one was.
void merge(std::vector<Finding>& found) {
  std::ranges::sort(found, [](const Finding& a, const Finding& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::size_t kept = 0;
  for (const Finding& each : found) {
    if (kept > 0 && each.begin < found[kept - 1].end) {
      Finding& last = found[kept - 1];
      if (each.end - each.begin > last.end - last.begin) last.detector = each.detector;
      last.end = std::max(last.end, each.end);
      continue;
    }
    found[kept++] = each;
  }
  found.resize(kept);
}

std::string tail(std::string_view text, std::size_t characters) {
  const std::string compact = without_separators(text);
  return "***" + compact.substr(compact.size() - std::min(characters, compact.size()));
}

}  // namespace

Result<void> prepare_detectors() {
  if (compiled().database == nullptr) return std::unexpected(compiled().error);
  if (scratch() == nullptr) return fail(Errc::internal, "no memory for the detectors");
  return {};
}

void detect(std::string_view text, DetectorSet wanted, std::vector<Finding>& found) {
  found.clear();
  if (text.empty() || wanted.empty()) return;
  const bool possible = compiled().database != nullptr && scratch() != nullptr;
  const auto length = possible ? std::min(text.size(), kMaxScanned) : 0;
  Scan scan{text, wanted, found};
  const auto result = length == 0 ? HS_INVALID
                                  : hs_scan(compiled().database.get(), text.data(),
                                            static_cast<unsigned>(length), 0, scratch(), on_match, &scan);
  if (result != HS_SUCCESS && result != HS_SCAN_TERMINATED) {
    found.assign(1, {0, text.size(), Detector::secret});
    return;
  }
  merge(found);
  std::size_t seen = text.size();
  if (scan.overflown) seen = found.empty() ? 0 : found.back().end;
  // What begins before the end of the scan may go on behind it.
  if (length < text.size()) seen = std::min(seen, length - std::min(length, kLongestUsual));
  if (seen == text.size()) return;
  while (!found.empty() && found.back().end >= seen) {
    seen = std::min(seen, found.back().begin);
    found.pop_back();
  }
  found.push_back({seen, text.size(), Detector::secret});
}

std::string partly(Detector detector, std::string_view text) {
  switch (detector) {
    case Detector::email: {
      const auto at = text.rfind('@');
      if (at == std::string_view::npos || at == 0) return "***";
      // One character, however many bytes it has.
      std::size_t first = 1;
      while (first < at && (static_cast<unsigned char>(text[first]) & 0xC0) == 0x80) ++first;
      return fmt::format("{}***{}", text.substr(0, first), text.substr(at));
    }
    case Detector::phone:
    case Detector::national_id: return tail(text, 2);
    case Detector::credit_card:
    case Detector::ssn: return tail(text, 4);
    case Detector::iban: return fmt::format("{}{}", text.substr(0, 2), tail(text, 4));
    case Detector::ip_address: {
      const auto first = text.find_first_of(".:");
      return fmt::format("{}***", text.substr(0, first == std::string_view::npos ? 0 : first + 1));
    }
    case Detector::secret: return "***";
  }
  return "***";
}

}  // namespace sluice::masking
