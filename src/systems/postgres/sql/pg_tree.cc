// parse(): the text checks, PostgreSQL's grammar, and the memory that both trees live in.
#include "systems/postgres/sql/pg_tree.h"

#include <cstring>

#include "core/encoding.h"
#include "systems/postgres/sql/tokens.h"

extern "C" {
#include "pg_query.h"
#include "pg_query/pg_query_internal.h"
}

namespace sluice::postgres::sql {
namespace {

// Texts below this are parsed without reckoning what that takes: neither scanner nor grammar can make much of
// them.
constexpr std::size_t kUncountedBytes = 8 * 1024;

// PostgreSQL's tree lives in a memory context of this thread; it goes with this object on every path.
class PgMemory {
 public:
  PgMemory() : context_(pg_query_enter_memory_context()) {}
  ~PgMemory() { pg_query_exit_memory_context(context_); }
  PgMemory(const PgMemory&) = delete;
  PgMemory& operator=(const PgMemory&) = delete;

 private:
  ::MemoryContext context_;
};

// What the grammar answered. The message and the standard-error text are malloc'ed and outlive the context.
class RawTree {
 public:
#if PG_VERSION_NUM >= 160000
  explicit RawTree(const char* text) : raw_(pg_query_raw_parse(text, PG_QUERY_PARSE_DEFAULT)) {}
#else
  explicit RawTree(const char* text) : raw_(pg_query_raw_parse(text)) {}
#endif
  ~RawTree() {
    if (raw_.error != nullptr) pg_query_free_error(raw_.error);
    free(raw_.stderr_buffer);
  }
  RawTree(const RawTree&) = delete;
  RawTree& operator=(const RawTree&) = delete;

  const PgQueryError* error() const { return raw_.error; }
  const ::List* statements() const { return raw_.tree; }

 private:
  PgQueryInternalParsetreeAndError raw_;
};

std::unexpected<ParseError> refuse(ParseErrorKind kind, std::string message, int cursor = 0) {
  return std::unexpected(ParseError{kind, std::move(message), cursor});
}

std::unexpected<ParseError> limit_error(ParseErrorKind kind, const TreeConverter& converter,
                                        const ParseLimits& limits) {
  if (!converter.too_many().empty()) return refuse(kind, converter.too_many());
  if (kind == ParseErrorKind::too_deep) {
    return refuse(kind, fmt::format("the statement nests deeper than {} levels", limits.depth));
  }
  return refuse(kind, fmt::format("the statement has more than {} parts", limits.nodes));
}

// Bison gives up on its own stack with "memory exhausted" when a text nests too deep.
bool is_depth_error(std::string_view message) {
  return message.starts_with("memory exhausted") || message.contains("stack depth limit");
}

std::optional<ParseError> check_text(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.text_bytes) {
    return ParseError{
        ParseErrorKind::too_large,
        fmt::format("the text has {} bytes, at most {} are read", text.size(), limits.text_bytes), 0};
  }
  if (text.contains('\0')) return ParseError{ParseErrorKind::bad_text, "the text holds a NUL byte", 0};
  if (!is_valid_utf8(text)) return ParseError{ParseErrorKind::bad_text, "the text is not valid UTF-8", 0};
  if (text.size() <= kUncountedBytes) return std::nullopt;
  const auto cost = scan_cost(text, {limits.tokens, limits.operator_steps});
  if (cost.tokens > limits.tokens) {
    return ParseError{ParseErrorKind::too_large,
                      fmt::format("the text has more than {} tokens", limits.tokens), 0};
  }
  if (cost.operator_steps > limits.operator_steps) {
    return ParseError{ParseErrorKind::too_large,
                      "the text has too long a run of operators or comment openings", 0};
  }
  return std::nullopt;
}

}  // namespace

std::expected<ParsedSql, ParseError> parse(std::string_view text, const ParseLimits& limits) {
  if (auto error = check_text(text, limits)) return std::unexpected(*std::move(error));
  Arena arena;
  auto terminated = arena.make_array<char>(text.size() + 1);
  if (!text.empty()) std::memcpy(terminated.data(), text.data(), text.size());
  text = {terminated.data(), text.size()};

  PgMemory memory;
  RawTree raw(text.data());
  if (const auto* error = raw.error()) {
    std::string message = error->message != nullptr ? error->message : "syntax error";
    auto kind = is_depth_error(message) ? ParseErrorKind::too_deep : ParseErrorKind::syntax;
    return refuse(kind, std::move(message), error->cursorpos);
  }
  const ::List* tree = raw.statements();
  auto count = static_cast<std::size_t>(list_length(tree));
  if (count > limits.statements) {
    return refuse(ParseErrorKind::too_large,
                  fmt::format("the text has {} statements, at most {} are read", count, limits.statements));
  }
  auto statements = arena.make_array<ParsedStatement>(count);
  TreeConverter converter(arena, limits);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* node = static_cast<const ::Node*>(tree->elements[i].ptr_value);
    if (nodeTag(node) != T_RawStmt) return refuse(ParseErrorKind::syntax, "the grammar gave no statement");
    statements[i] = converter.raw_statement(*reinterpret_cast<const ::RawStmt*>(node), text);
    if (auto failure = converter.failure()) return limit_error(*failure, converter, limits);
  }
  return TreeConverter::finish(std::move(arena), text, statements);
}

ParsedSql TreeConverter::finish(Arena arena, std::string_view text, List<ParsedStatement> statements) {
  ParsedSql parsed;
  parsed.arena_ = std::move(arena);
  parsed.text_ = text;
  parsed.statements_ = statements;
  return parsed;
}

ParsedStatement TreeConverter::raw_statement(const ::RawStmt& raw, std::string_view whole) {
  unknowns_.clear();
  highest_parameter_ = 0;
  auto nodes_before = nodes_;
  ParsedStatement out;
  out.body = statement(raw.stmt);

  auto begin = static_cast<std::size_t>(std::max(raw.stmt_location, 0));
  auto length = raw.stmt_len > 0 ? static_cast<std::size_t>(raw.stmt_len) : whole.size() - begin;
  auto text = whole.substr(begin, length);
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  auto first = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(first);
  text.remove_suffix(text.size() - 1 - std::min(text.find_last_not_of(kSpace), text.size() - 1));
  out.text = text;
  out.begin = static_cast<Location>(begin + first);
  out.unknowns = keep(unknowns_);
  out.nodes = nodes_ - nodes_before;
  out.highest_parameter = highest_parameter_;
  return out;
}

bool TreeConverter::fits(const ::List* in, std::uint32_t most, std::string_view what) {
  if (in == nullptr || static_cast<std::uint32_t>(in->length) <= most) return true;
  if (!failure_) {
    failure_ = ParseErrorKind::too_large;
    too_many_ = fmt::format("the statement has {} {}, at most {} are read", in->length, what, most);
  }
  return false;
}

void TreeConverter::unknown(std::string_view what, int location) {
  if (unknowns_.size() < kMaxUnknowns) unknowns_.push_back({what, location});
}

}  // namespace sluice::postgres::sql
