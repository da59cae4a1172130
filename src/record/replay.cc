#include "record/replay.h"

#include "record/json.h"

namespace sluice::record {
namespace {

constexpr std::size_t kLongText = 60;  // characters; a longer fact gets a line of its own

std::string quoted(std::string_view text) {
  return Json{}.text(text).take();
}

// Control characters as \xNN: they must not reach a terminal. Lines are kept where the text stands by itself
// and each is indented, so that none can look like an event.
enum class Lines : std::uint8_t { escape, keep };
std::string visible(std::string_view text, Lines lines = Lines::escape) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool kept = lines == Lines::keep && (c == '\n' || c == '\t');
    if (kept || (byte >= 0x20 && byte != 0x7F)) {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

class Facts {
 public:
  explicit Facts(std::vector<Fact>& out) : out_(out) {}

  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, quoted(value), visible(value, Lines::keep));
  }
  void number(std::string_view name, std::uint64_t value) {
    add(name, std::to_string(value), std::to_string(value));
  }
  void flag(std::string_view name, bool value) {
    if (value) add(name, "true", "yes");
  }
  void time(std::string_view name, WallTime value) { text(name, format_time(value)); }
  void digest(std::string_view name, const Digest& value) {
    if (value != Digest{}) text(name, to_hex(value));
  }
  void list(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    Json json;
    json.open('[');
    std::string plain;
    for (const auto& value : values) {
      json.text(value);
      plain += (plain.empty() ? "" : ", ") + visible(value);
    }
    add(name, json.close(']').take(), plain);
  }
  void add(std::string_view name, std::string json, std::string plain) {
    out_.push_back({std::string{name}, std::move(json), std::move(plain)});
  }

 private:
  std::vector<Fact>& out_;
};

// ---------------------------------------------------------------- parts of events

void add_collections(Facts& facts, const Operation& op) {
  if (op.collections.empty()) return;
  Json json;
  json.open('[');
  std::string plain;
  for (const auto& c : op.collections) {
    json.open('{').key("name").text(c.name).key("access").open('[');
    if (has(c.access, Access::read)) json.text("read");
    if (has(c.access, Access::write)) json.text("write");
    if (has(c.access, Access::define)) json.text("define");
    json.close(']').key("all_fields").flag(c.all_fields).key("output").open('[');
    for (const auto& f : c.output_fields) json.text(f);
    json.close(']').key("tested").open('[');
    for (const auto& f : c.tested_fields) json.text(f);
    json.close(']').close('}');
    plain += (plain.empty() ? "" : ", ") + visible(c.name);
  }
  facts.add("collections", json.close(']').take(), plain);
}

void add_searches(Facts& facts, const Operation& op) {
  if (op.searches.empty()) return;
  Json json;
  json.open('[');
  std::string plain;
  for (const auto& s : op.searches) {
    json.open('{')
        .key("collection")
        .text(s.collection)
        .key("field")
        .text(s.field)
        .key("metric")
        .text(s.metric);
    if (s.dimension) json.key("dimension").number(*s.dimension);
    if (s.query_digest) json.key("query_digest").text(to_hex(*s.query_digest));
    json.key("returns_score").flag(s.returns_score).close('}');
    plain += fmt::format("{}{}.{} by {}", plain.empty() ? "" : ", ", visible(s.collection), visible(s.field),
                         visible(s.metric));
  }
  facts.add("searches", json.close(']').take(), plain);
}

void add_operation(Facts& facts, const SegmentContext::Statement& statement) {
  const auto& op = *statement.op;
  facts.text("verb", to_string(op.verb));
  std::vector<std::string> also;
  for (const auto verb : op.also) also.emplace_back(to_string(verb));
  facts.list("also", also);
  facts.text("class", op.statement_class);
  facts.text("statement", op.text);
  facts.digest("statement_digest", statement.text_digest);
  add_collections(facts, op);
  add_searches(facts, op);
  if (op.records.max) facts.number("stated_limit", *op.records.max);
  if (op.records_per_row != 1) facts.number("records_per_row", op.records_per_row);
  facts.flag("rows_hold_many", op.rows_hold_many);
  facts.flag("returns_vectors", op.returns_vectors);
  facts.flag("returns_scores", op.returns_scores);
  facts.list("functions", op.functions);
  facts.text("not_understood", op.unknown_reason);
}

std::string_view name_of(Ruling::Effect effect) {
  switch (effect) {
    case Ruling::Effect::permit: return "permit";
    case Ruling::Effect::deny: return "deny";
    case Ruling::Effect::review: return "review";
  }
  return {};
}

void add_masks(Facts& facts, const MaskSet& masks) {
  if (masks.empty()) return;
  Json json;
  json.open('[');
  std::string plain;
  auto add = [&](std::string_view collection, std::string_view what, Mask mask, std::string_view rule) {
    json.open('{')
        .key("collection")
        .text(collection)
        .key("field")
        .text(what)
        .key("mask")
        .text(to_string(mask));
    json.key("rule").text(rule).close('}');
    plain += fmt::format("{}{}.{} {}", plain.empty() ? "" : ", ", visible(collection), visible(what),
                         to_string(mask));
  };
  for (const auto& m : masks.fields) add(m.collection, m.field, m.mask, m.rule);
  for (const auto& m : masks.vectors) add(m.collection, "(vectors)", m.mask, m.rule);
  for (const auto& m : masks.detects) {
    for (const auto& detector : m.detectors) add(m.collection, "(" + detector + ")", m.mask, m.rule);
  }
  facts.add("masks", json.close(']').take(), plain);
}

void add_ruling(Facts& facts, const SegmentContext::Decided& decided) {
  const auto& ruling = *decided.ruling;
  facts.text("effect", name_of(ruling.effect));
  facts.list("rules", ruling.rules);
  facts.list("shadow", ruling.shadow);
  facts.list("budgets", ruling.budgets);
  if (ruling.obligations.max_records) facts.number("max_records", *ruling.obligations.max_records);
  facts.text("bound_rule", ruling.obligations.bound_rule);
  facts.flag("clamped", ruling.obligations.clamp);
  add_masks(facts, *ruling.obligations.masks);
  facts.number("policy_version", ruling.policy_version);
  facts.digest("policy_digest", decided.policy_digest);
}

void add_params(Facts& facts, const IntentEntry& intent) {
  if (intent.params_bound == 0) return;
  facts.number("params_bound", intent.params_bound);
  Json json;
  json.open('[');
  std::string plain;
  for (const auto& p : intent.params) {
    plain += plain.empty() ? "" : ", ";
    switch (p.form) {
      case ParamForm::null:
        json.null();
        plain += "null";
        break;
      case ParamForm::text:
        json.text(p.value);
        plain += visible(p.value);
        break;
      case ParamForm::bytes:
        json.open('{').key("bytes").text(to_base64(as_bytes(p.value))).close('}');
        plain += fmt::format("({} bytes)", p.value.size());
        break;
      case ParamForm::vector:
        json.open('{').key("vector").number(p.dimension).key("digest").text(to_hex(p.digest)).close('}');
        plain += fmt::format("(vector of {})", p.dimension);
        break;
      case ParamForm::hidden:
        json.open('{').key("hidden").flag(true).key("digest").text(to_hex(p.digest)).close('}');
        plain += "(hidden)";
        break;
    }
  }
  facts.add("params", json.close(']').take(), plain);
}

Result<void> add_ids(Facts& facts, std::string_view section) {
  if (section.empty()) return {};
  Json json;
  json.open('[');
  std::string plain;
  CHECK_OK(read_ids(section, [&](std::string_view collection, std::string_view id) {
    json.open('{').key("collection").text(collection).key("id").text(id).close('}');
    plain += fmt::format("{}{} {}", plain.empty() ? "" : ", ", visible(collection), visible(id));
  }));
  facts.add("record_ids", json.close(']').take(), plain);
  return {};
}

Result<void> add_rows(Facts& facts, std::string_view section) {
  if (section.empty()) return {};
  Json json;
  json.open('[');
  std::string plain;
  bool in_result = false;
  auto line = [&](std::string row) { plain += (plain.empty() ? "" : "\n") + std::move(row); };
  RowsReader reader;
  reader.columns = [&](std::span<const std::string_view> names) {
    if (in_result) json.close(']').close('}');
    in_result = true;
    json.open('{').key("columns").open('[');
    std::string row;
    for (auto name : names) {
      json.text(name);
      row += (row.empty() ? "" : " | ") + visible(name);
    }
    json.close(']').key("rows").open('[');
    line(std::move(row));
  };
  reader.row = [&](std::span<const Cell> cells) {
    json.open('[');
    std::string row;
    for (const auto& cell : cells) {
      if (&cell != cells.data()) row += " | ";
      if (cell.form == CellForm::null) {
        json.null();
        row += "null";
      } else if (cell.form == CellForm::bytes || cell.cut()) {
        json.open('{').key(cell.form == CellForm::bytes ? "bytes" : "text");
        json.text(cell.form == CellForm::bytes ? to_base64(as_bytes(cell.value)) : std::string{cell.value});
        json.key("size").number(cell.full_size).close('}');
        row += cell.form == CellForm::bytes
                   ? fmt::format("({} bytes)", cell.full_size)
                   : fmt::format("{}... ({} bytes)", visible(cell.value), cell.full_size);
      } else {
        json.text(cell.value);
        row += visible(cell.value);
      }
    }
    json.close(']');
    line(std::move(row));
  };
  CHECK_OK(read_rows(section, reader));
  if (in_result) json.close(']').close('}');
  facts.add("rows", json.close(']').take(), plain);
  return {};
}

std::string_view name_of(RowsState state) {
  switch (state) {
    case RowsState::none: return "none";
    case RowsState::complete: return "complete";
    case RowsState::partial: return "partial";
  }
  return {};
}

// ---------------------------------------------------------------- events, one function per payload

struct Describer {
  Facts facts;
  const Entry& entry;
  const SegmentContext& context;

  Result<void> operator()(const Opened& v) {
    facts.number("epoch", v.epoch);
    facts.flag("after_crash", v.after_crash);
    if (v.torn_bytes > 0) facts.number("torn_bytes", v.torn_bytes);
    if (v.lost_entries > 0) facts.number("lost_entries", v.lost_entries);
    if (v.unfinished > 0) facts.number("unfinished", v.unfinished);
    if (v.open_sessions > 0) facts.number("open_sessions", v.open_sessions);
    facts.text("software", v.software);
    return {};
  }
  Result<void> operator()(const Closed& v) {
    facts.number("epoch", v.epoch);
    return {};
  }
  Result<void> operator()(const CarriedEntry& v) {
    facts.number("sessions", v.carried.sessions.size());
    facts.number("operations", v.carried.operations.size());
    return {};
  }
  Result<void> operator()(const ClockStepped& v) {
    facts.time("from", v.from);
    facts.time("to", v.to);
    return {};
  }
  Result<void> operator()(const ShardAdded& v) {
    facts.number("shard", v.shard);
    facts.text("log_id", to_hex(v.log_id));
    return {};
  }
  Result<void> operator()(const SessionStart& v) {
    const auto& f = v.facts;
    facts.text("principal", f.principal->name);
    facts.text("kind", f.principal->kind == PrincipalKind::machine ? "machine" : "human");
    facts.list("groups", f.principal->groups);
    facts.list("roles", f.principal->roles);
    facts.text("owner", f.principal->owner);
    facts.text("connection", f.connection);
    facts.text("system", f.system);
    facts.text("role", f.role);
    facts.text("upstream_user", f.upstream_user);
    facts.text("database", f.database);
    facts.text("client",
               f.client_address.empty() ? "" : fmt::format("{}:{}", f.client_address, f.client_port));
    facts.text("client_name", f.client_name);
    facts.text("token_id", f.token_id);
    facts.flag("tls", f.tls);
    return {};
  }
  Result<void> operator()(const SessionEnd& v) {
    facts.text("reason", to_string(v.reason));
    facts.text("detail", v.detail);
    facts.number("operations", v.operations);
    facts.number("entries", v.entries);
    return {};
  }
  Result<void> operator()(const SessionRefused& v) {
    facts.text("connection", v.connection);
    facts.text("principal", v.principal);
    facts.text("client", v.client_address);
    facts.text("client_name", v.client_name);
    facts.text("reason", v.reason);
    return {};
  }
  Result<void> operator()(const StatementPart& v) {
    facts.number("bytes", v.text.size());
    return {};
  }
  Result<void> operator()(const StatementEntry&) {
    TRY(auto statement, context.statement(entry.header.seq));
    add_operation(facts, statement);
    return {};
  }
  Result<void> operator()(const MaskSetEntry& v) {
    add_masks(facts, v.masks);
    return {};
  }
  Result<void> operator()(const RulingEntry&) {
    TRY(auto decided, context.ruling(entry.header.seq));
    add_ruling(facts, decided);
    return {};
  }
  Result<void> operator()(const IntentEntry& v) {
    TRY(auto statement, context.statement(v.statement));
    TRY(auto decided, context.ruling(v.ruling));
    add_operation(facts, statement);
    if (v.limit) facts.number("limit", *v.limit);
    add_params(facts, v);
    if (v.params_digest) facts.digest("params_digest", *v.params_digest);
    add_ruling(facts, decided);
    facts.text("review", v.review);
    facts.text("upstream_user", v.upstream_user);
    return {};
  }
  Result<void> operator()(const ChunkEntry& v) {
    facts.number("records", v.records);
    facts.number("bytes", v.bytes);
    facts.digest("digest", v.digest);
    return {};
  }
  Result<void> operator()(const RowsEntry& v) { return add_rows(facts, v.section); }
  Result<void> operator()(const RecordIdsEntry& v) { return add_ids(facts, v.section); }
  Result<void> operator()(const OutcomeEntry& v) {
    facts.text("status", to_string(v.status));
    facts.text("error_class", v.error_class);
    facts.number("records", v.records);
    facts.number("bytes", v.bytes);
    facts.digest("reply_digest", v.reply_digest);
    facts.number("duration_us", v.duration_ns / 1000);
    if (v.masked > 0) facts.number("masked", v.masked);
    facts.text("ids", to_string(v.ids_state));
    if (v.ids_state != IdsState::none) {
      facts.number("ids_seen", v.ids_seen);
      facts.number("ids_kept", v.ids_kept);
    }
    CHECK_OK(add_ids(facts, v.ids));
    facts.text("rows_recorded", name_of(v.rows_state));
    if (v.rows_state != RowsState::none) {
      facts.number("rows_seen", v.rows_seen);
      facts.number("rows_kept", v.rows_kept);
    }
    return add_rows(facts, v.rows);
  }
  Result<void> operator()(const DenialEntry& v) {
    if (v.statement) {
      TRY(auto statement, context.statement(*v.statement));
      add_operation(facts, statement);
    }
    facts.text("request", v.text);
    if (v.ruling) {
      TRY(auto decided, context.ruling(*v.ruling));
      add_ruling(facts, decided);
    }
    facts.text("reason", to_string(v.reason));
    facts.text("rule", v.rule);
    facts.text("message", v.message);
    facts.text("hint", v.hint);
    return {};
  }
  Result<void> operator()(const Unfinished& v) {
    facts.number("intent", v.intent);
    return {};
  }
  Result<void> operator()(const ReviewRequested& v) {
    facts.text("review", v.review);
    facts.text("rule", v.rule);
    facts.text("requester", v.requester);
    facts.text("summary", v.summary);
    facts.digest("binding", v.binding);
    facts.number("approvals", v.approvals);
    facts.number("uses", v.uses);
    facts.time("expires", v.expires);
    return {};
  }
  Result<void> operator()(const ReviewDecided& v) {
    facts.text("review", v.review);
    facts.text("approver", v.approver);
    facts.text("verdict", to_string(v.verdict));
    facts.text("comment", v.comment);
    facts.flag("final", v.final);
    return {};
  }
  Result<void> operator()(const ReviewUsed& v) {
    facts.text("review", v.review);
    facts.number("uses_left", v.uses_left);
    return {};
  }
  Result<void> operator()(const PolicyLoaded& v) {
    facts.number("version", v.version);
    facts.digest("digest", v.digest);
    facts.number("rules", v.rules);
    facts.text("source", v.source);
    return {};
  }
  Result<void> operator()(const PolicyRejected& v) {
    facts.text("file", v.file);
    facts.number("line", v.line);
    facts.number("column", v.column);
    facts.text("message", v.message);
    facts.number("kept_version", v.kept_version);
    return {};
  }
  Result<void> operator()(const AdminAction& v) {
    facts.text("actor", v.actor);
    facts.text("action", v.action);
    facts.text("subject", v.subject);
    facts.text("detail", v.detail);
    facts.text("client", v.client_address);
    facts.text("result", v.succeeded ? "done" : "refused");
    return {};
  }
  Result<void> operator()(const TokenEvent& v) {
    facts.text("token_id", v.token_id);
    facts.text("principal", v.principal);
    facts.text("actor", v.actor);
    facts.text("reason", v.reason);
    if (v.expires) facts.time("expires", *v.expires);
    return {};
  }
  Result<void> operator()(const Incident& v) {
    facts.text("code", v.code);
    facts.text("detail", v.detail);
    return {};
  }
};

}  // namespace

Result<Event> describe(const Entry& entry, const Payload& payload, const SegmentContext& context) {
  Event event{.header = entry.header};
  Describer describer{Facts{event.facts}, entry, context};
  CHECK_OK(std::visit(describer, payload));
  return event;
}

std::string to_json(const Event& event) {
  Json json;
  const auto& h = event.header;
  json.open('{').key("shard").number(h.shard).key("seq").number(h.seq).key("time").text(format_time(h.time));
  json.key("kind").text(to_string(h.kind));
  if (h.session.value != 0) json.key("session").text(to_string(h.session));
  if (h.operation.value != 0) json.key("operation").text(format_operation(h.session, h.operation));
  // Facts have an object of their own: a name among them never meets one of the event.
  json.key("facts").open('{');
  for (const auto& fact : event.facts) json.key(fact.name).raw(fact.json);
  return json.close('}').close('}').take();
}

std::string to_text(const Event& event) {
  const auto& h = event.header;
  std::string out = fmt::format("{}  {}", format_time(h.time), to_string(h.kind));
  if (h.operation.value != 0) out += fmt::format("  #{}", h.operation.value);
  std::string below;
  for (const auto& fact : event.facts) {
    if (fact.text.size() <= kLongText && fact.text.find('\n') == std::string::npos) {
      out += fmt::format("  {}={}", fact.name, fact.text);
      continue;
    }
    below += fmt::format("    {}: ", fact.name);
    for (char c : fact.text) below += c == '\n' ? std::string{"\n      "} : std::string(1, c);
    below += '\n';
  }
  return out + "\n" + below;
}

std::string to_json(const FoundOperation& o) {
  Json json;
  json.open('{').key("shard").number(o.shard).key("seq").number(o.seq).key("time").text(format_time(o.time));
  json.key("session")
      .text(to_string(o.session))
      .key("operation")
      .text(format_operation(o.session, o.operation));
  json.key("principal").text(o.principal).key("connection").text(o.connection).key("system").text(o.system);
  json.key("verb").text(to_string(o.verb)).key("also").open('[');
  for (const auto verb : o.also) json.text(to_string(verb));
  json.close(']').key("class").text(o.statement_class).key("collections").open('[');
  for (const auto& relation : o.relations) json.text(relation);
  json.close(']')
      .key("statement")
      .text(o.text)
      .key("decision")
      .text(to_string(o.decision))
      .key("rule")
      .text(o.rule);
  if (!o.reason.empty()) json.key("reason").text(o.reason);
  if (!o.review.empty()) json.key("review").text(o.review);
  if (!o.status.empty()) {
    json.key("status").text(o.status).key("error_class").text(o.error_class).key("records").number(o.records);
    json.key("bytes").number(o.bytes).key("masked").number(o.masked).key("ids").text(o.ids);
    json.key("duration_us").number(static_cast<std::uint64_t>(o.duration.count()) / 1000);
  }
  return json.close('}').take();
}

std::string to_json(const FoundSession& s) {
  Json json;
  json.open('{')
      .key("id")
      .text(to_string(s.id))
      .key("shard")
      .number(s.shard)
      .key("principal")
      .text(s.principal);
  json.key("kind").text(s.kind).key("connection").text(s.connection).key("system").text(s.system);
  json.key("role").text(s.role).key("upstream_user").text(s.upstream_user);
  json.key("client_address").text(s.client_address).key("client_name").text(s.client_name);
  json.key("token_id").text(s.token_id).key("started").text(format_time(s.started)).key("ended");
  if (s.ended) {
    json.text(format_time(*s.ended)).key("end_reason").text(s.end_reason);
  } else {
    json.null();
  }
  return json.key("operations").number(s.operations).key("denials").number(s.denials).close('}').take();
}

Result<SessionPlace> find_session(const std::filesystem::path& folder, SessionId session) {
  TRY(auto shards, list_shards(folder));
  for (auto shard : shards) {
    TRY(auto reader, ShardReader::open(folder / shard_name(shard)));
    for (;;) {
      TRY(auto entry, reader.next());
      if (!entry) break;
      if (entry->header.kind == Kind::session_start && entry->header.session == session) {
        return SessionPlace{.shard = shard, .segment = reader.segment()};
      }
    }
  }
  return fail(Errc::not_found, "there is no session {} in the record", to_string(session));
}

Result<void> replay_session(const std::filesystem::path& folder, SessionPlace place, SessionId session,
                            const std::function<bool(const Event&)>& each) {
  TRY(auto reader, ShardReader::open_at(folder / shard_name(place.shard), place.segment));
  SegmentContext context;
  for (;;) {
    TRY(auto entry, reader.next());
    if (!entry) return {};
    TRY(auto payload, context.take(*entry, reader.segment()));
    if (entry->header.session != session) continue;
    TRY(auto event, describe(*entry, payload, context));
    if (!each(event) || entry->header.kind == Kind::session_end) return {};
  }
}

}  // namespace sluice::record
