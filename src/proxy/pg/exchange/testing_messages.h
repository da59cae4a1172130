// For tests: messages of both sides, made in one call, and transcripts, which show a stream of messages as
// one short text a message:
//
//   EXPECT_EQ(transcript_of<wire::pg::frame_frontend>(query("SELECT 1") + sync()),
//             Transcript({"Query SELECT 1", "Sync"}));
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/pg/backend.h"
#include "wire/pg/encode.h"
#include "wire/pg/frontend.h"

namespace sluice::proxy::pg::testing {

using Transcript = std::vector<std::string>;

// --- what the client says ---

inline std::string query(std::string_view sql) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_query(out, sql));
  return out;
}
inline std::string parse(std::string_view name, std::string_view sql) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_parse(out, name, sql));
  return out;
}
inline std::string bind(std::string_view statement, std::vector<wire::pg::Format> formats = {},
                        std::string_view portal = "") {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_bind(out, portal, statement, {}, {}, formats));
  return out;
}
inline std::string describe(wire::pg::NamedObject object, std::string_view name) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_describe(out, object, name));
  return out;
}
inline std::string execute(std::int32_t max_rows = 0, std::string_view portal = "") {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_execute(out, portal, max_rows));
  return out;
}
inline std::string close(wire::pg::NamedObject object, std::string_view name) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_close(out, object, name));
  return out;
}
inline std::string sync() {
  std::string out;
  wire::pg::encode_sync(out);
  return out;
}
inline std::string copy_data(std::string_view bytes) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_copy_data(out, as_bytes(bytes)));
  return out;
}

// --- what the server says ---

inline std::string fields(const std::vector<std::string>& names) {
  std::vector<wire::pg::FieldDescription> list;
  for (const auto& name : names) list.push_back({.name = name, .type_oid = 25});
  std::string out;
  EXPECT_TRUE(wire::pg::encode_row_description(out, list));
  return out;
}
inline std::string row(const std::vector<std::string>& cells) {
  std::vector<wire::pg::Value> values;
  for (const auto& cell : cells) values.emplace_back(as_bytes(cell));
  std::string out;
  EXPECT_TRUE(wire::pg::encode_data_row(out, values));
  return out;
}
inline std::string complete(std::string_view tag) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_command_complete(out, tag));
  return out;
}
inline std::string ready(wire::pg::TransactionStatus status = wire::pg::TransactionStatus::idle) {
  std::string out;
  wire::pg::encode_ready_for_query(out, status);
  return out;
}
inline std::string error(std::string_view sqlstate, std::string_view position = {}) {
  std::string out;
  wire::pg::ErrorFields failure;
  failure.sqlstate = sqlstate;
  failure.message = "the server says no";
  failure.position = position;
  wire::pg::encode_error_response(out, failure);
  return out;
}
inline std::string notice(std::string_view message, std::string_view detail = {}) {
  std::string out;
  wire::pg::ErrorFields fields;
  fields.severity = wire::pg::Severity::notice;
  fields.sqlstate = "00000";
  fields.message = message;
  fields.detail = detail;
  wire::pg::encode_notice_response(out, fields);
  return out;
}
inline std::string parse_complete() {
  std::string out;
  wire::pg::encode_parse_complete(out);
  return out;
}
inline std::string bind_complete() {
  std::string out;
  wire::pg::encode_bind_complete(out);
  return out;
}
inline std::string close_complete() {
  std::string out;
  wire::pg::encode_close_complete(out);
  return out;
}
inline std::string portal_suspended() {
  std::string out;
  wire::pg::encode_portal_suspended(out);
  return out;
}
inline std::string no_data() {
  return {"n\0\0\0\4", 5};
}
inline std::string notification(std::string_view payload) {
  std::string out{"A\0\0\0", 4};
  out.push_back(static_cast<char>(4 + 4 + 2 + payload.size() + 1));
  out.append("\0\0\0\1c\0", 6).append(payload).push_back('\0');
  return out;
}
inline std::string copy_done() {
  std::string out;
  wire::pg::encode_copy_done(out);
  return out;
}
inline std::string copy_out_response() {  // of text, with one column
  return {"H\0\0\0\x09\0\0\1\0\0", 10};
}
inline std::string copy_in_response() {  // of text, with one column
  return {"G\0\0\0\x09\0\0\1\0\0", 10};
}

// --- transcripts ---

inline std::string line_of(const wire::pg::FrontendFrame& frame) {
  using namespace wire::pg;
  switch (frame.type) {
    case FrontendType::query: return fmt::format("Query {}", Query::parse(frame.payload)->sql);
    case FrontendType::parse: {
      const auto message = Parse::parse(frame.payload);
      return fmt::format("Parse {}:{}", message->statement, message->sql);
    }
    case FrontendType::bind: {
      const auto message = Bind::parse(frame.payload);
      std::vector<int> formats;
      for (std::size_t i = 0; i < message->result_formats.size(); ++i)
        formats.push_back(static_cast<int>(message->result_formats[i]));
      return fmt::format("Bind {}{}{} [{}]", message->portal, message->portal.empty() ? "" : "=",
                         message->statement, fmt::join(formats, ","));
    }
    case FrontendType::execute: {
      const auto message = Execute::parse(frame.payload);
      return fmt::format("Execute {}{}{}", message->portal, message->portal.empty() ? "" : " ",
                         message->max_rows);
    }
    case FrontendType::close: return fmt::format("Close {}", Close::parse(frame.payload)->name);
    case FrontendType::copy_data: return fmt::format("CopyData {}", as_text(frame.payload));
    default: return std::string{to_string(frame.type)};
  }
}

// Of an error or a notice: what is for people, in one line.
inline std::string message_of(Bytes payload) {
  const auto message = wire::pg::Diagnostics::parse(payload);
  std::string out{message->find('M').value_or("?")};
  for (const char field : {'D', 'H'}) {
    if (const auto more = message->find(field)) out.append(" | ").append(*more);
  }
  return out;
}

inline std::string line_of(const wire::pg::BackendFrame& frame) {
  using namespace wire::pg;
  switch (frame.type) {
    case BackendType::row_description: {
      const auto message = RowDescription::parse(frame.payload);
      std::vector<std::string> names;
      for (const auto& field : message->fields) names.emplace_back(field.name);
      return fmt::format("Fields {}", fmt::join(names, "|"));
    }
    case BackendType::data_row: {
      const auto message = DataRow::parse(frame.payload);
      std::vector<std::string> cells;
      for (const auto& cell : message->columns) cells.emplace_back(cell ? as_text(*cell) : "(null)");
      return fmt::format("Row {}", fmt::join(cells, "|"));
    }
    case BackendType::command_complete:
      return fmt::format("Complete {}", CommandComplete::parse(frame.payload)->tag);
    case BackendType::ready_for_query: return fmt::format("Ready {}", as_text(frame.payload));
    case BackendType::error_response: {
      const auto message = Diagnostics::parse(frame.payload);
      const auto position = message->find('P');
      return fmt::format("{} {}{}", message->find('V').value_or("?"), message->find('C').value_or("?"),
                         position ? fmt::format(" at {}", *position) : "");
    }
    case BackendType::notice_response: return fmt::format("Notice {}", message_of(frame.payload));
    case BackendType::copy_data: return fmt::format("CopyData {}", as_text(frame.payload));
    default: return std::string{to_string(frame.type)};
  }
}

// `bytes` must be whole messages.
template <auto frame_next>
Transcript transcript_of(std::string_view bytes) {
  Transcript lines;
  while (!bytes.empty()) {
    const auto frame = frame_next(as_bytes(bytes), 1 << 30);
    if (!frame || !frame->complete()) {
      lines.push_back(fmt::format("{} bytes of no message", bytes.size()));
      break;
    }
    lines.push_back(line_of(*frame));
    bytes.remove_prefix(static_cast<std::size_t>(frame->size));
  }
  return lines;
}

}  // namespace sluice::proxy::pg::testing
