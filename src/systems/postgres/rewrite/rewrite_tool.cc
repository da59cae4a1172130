// rewrite_tool: the catalogue loader and the rewriter on stdin and stdout, for tests against a real server
// that a script drives (tests/rewrite). Not installed.
//
// First the tool asks for the catalogue: "query <hex>" per query; the script answers "row <hex> - <hex> ..."
// (- is null) per row and "end". After "ready" come commands:
//   field <collection> <pattern> <mask> [constant] [write]  adds a field mask
//   vectors <collection> <scores> [write]                   masks vectors
//   path <schema> ...                                  sets the search path
//   sql <hex>                                          "unchanged", "rewritten <hex>", "denied <hex> <hex>",
//   "stale <name>" clamp <n> <hex>                                    the same with a bound
#include <fmt/format.h>

#include <iostream>
#include <sstream>

#include "core/crypto.h"
#include "core/encoding.h"
#include "systems/postgres/catalogue/loader.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice::postgres::rewrite {
namespace {

std::string hex(std::string_view text) {
  std::string out;
  for (unsigned char c : text) out += fmt::format("{:02x}", c);
  return out;
}

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

Result<std::shared_ptr<const Catalogue>> load() {
  Loader loader;
  while (auto query = loader.next_query()) {
    std::cout << "query " << hex(*query) << std::endl;
    for (std::string line; std::getline(std::cin, line) && line != "end";) {
      std::vector<std::optional<std::string>> row;
      auto fields = words(line);
      for (std::size_t i = 1; i < fields.size(); ++i) {
        row.push_back(fields[i] == "-" ? std::nullopt : std::optional(unhex(fields[i].substr(1))));
      }
      CHECK_OK(loader.add_row(row));
    }
    CHECK_OK(loader.end_reply());
  }
  TRY(auto contents, loader.finish());
  return Catalogue::make(std::move(contents));
}

void answer(const Catalogue& catalogue, const std::vector<std::string>& path, const MaskPlan& plan,
            const std::string& text, std::optional<std::uint64_t> clamp) {
  auto parsed = sql::parse(text);
  if (!parsed) {
    std::cout << "denied " << hex(parsed.error().message) << " 00" << std::endl;
    return;
  }
  if (parsed->statements().size() != 1) {
    std::cout << "denied " << hex("not one statement") << " 00" << std::endl;
    return;
  }
  auto result = rewrite({parsed->statements()[0], catalogue, path, plan, true, clamp, {}, {}});
  if (std::holds_alternative<Unchanged>(result)) std::cout << "unchanged" << std::endl;
  if (auto* it = std::get_if<Rewritten>(&result)) std::cout << "rewritten " << hex(it->sql) << std::endl;
  if (auto* it = std::get_if<Denial>(&result)) {
    std::cout << "denied " << hex(it->message) << " " << hex(it->hint + " ") << std::endl;
  }
  if (auto* it = std::get_if<NeedsCatalogue>(&result))
    std::cout << "stale " << hex(it->relation) << std::endl;
}

int run() {
  initialise_crypto();
  auto catalogue = load();
  if (!catalogue) {
    std::cerr << catalogue.error().message() << std::endl;
    return 1;
  }
  std::cout << "ready" << std::endl;
  MaskSet masks;
  std::vector<std::string> path = (*catalogue)->contents().default_search_path;
  auto plan = MaskPlan::compile(**catalogue, masks);
  for (std::string line; std::getline(std::cin, line);) {
    auto command = words(line);
    if (command.empty()) continue;
    if (command[0] == "field") {
      FieldMask mask;
      mask.collection = command.at(1);
      mask.field = command.at(2);
      mask.mask = mask_from(command.at(3)).value_or(Mask::redact);
      if (command.size() > 4) mask.constant = command[4];
      mask.write_allowed = command.back() == "write";
      mask.rule = "test";
      masks.fields.push_back(mask);
    } else if (command[0] == "vectors") {
      VectorMask mask;
      mask.collection = command.at(1);
      mask.scores = command.at(2) == "keep"  ? Scores::keep
                    : command[2] == "remove" ? Scores::remove
                                             : Scores::rank;
      mask.write_allowed = command.back() == "write";
      mask.rule = "test";
      masks.vectors.push_back(mask);
    } else if (command[0] == "path") {
      path.assign(command.begin() + 1, command.end());
    } else if (command[0] == "sql") {
      answer(**catalogue, path, *plan, unhex(command.at(1)), std::nullopt);
      continue;
    } else if (command[0] == "clamp") {
      answer(**catalogue, path, *plan, unhex(command.at(2)), std::stoull(command[1]));
      continue;
    }
    ++masks.id;
    plan = MaskPlan::compile(**catalogue, masks);
    for (const auto& problem : plan->problems()) std::cerr << problem << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace sluice::postgres::rewrite

int main() {
  return sluice::postgres::rewrite::run();
}
