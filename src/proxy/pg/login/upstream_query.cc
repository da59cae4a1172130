#include "proxy/pg/login/upstream_query.h"

#include "proxy/pg/login/upstream_reader.h"
#include "wire/pg/backend.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {
namespace {

// Rows, and what surrounds them: thousands of roles, schemas and functions that a role may use.
constexpr int kMaxQueryMessages = 20'000;

TextRow text_row(const wire::pg::DataRow& row) {
  TextRow fields;
  for (const auto& value : row.columns) {
    fields.push_back(value ? std::optional<std::string>{as_text(*value)} : std::nullopt);
  }
  return fields;
}

}  // namespace

net::Task<Result<std::vector<TextRow>>> query_upstream(Upstream& upstream, std::string sql,
                                                       std::chrono::nanoseconds limit) {
  using namespace wire::pg;
  net::Deadline deadline{*upstream.stream, limit};
  std::string request;
  CO_CHECK_OK(encode_query(request, sql));
  CO_CHECK_OK(co_await upstream.stream->write_all(as_bytes(request)));
  UpstreamReader reader{*upstream.stream, "answer", kMaxQueryMessages};
  std::vector<TextRow> rows;
  std::optional<Error> error;
  for (;;) {
    CO_TRY(auto frame, co_await reader.next());
    switch (frame.type) {
      case BackendType::data_row: {
        CO_TRY(const auto row, DataRow::parse(frame.payload));
        rows.push_back(text_row(row));
        break;
      }
      case BackendType::error_response: {
        auto diagnostics = Diagnostics::parse(frame.payload);
        error = Error{Errc::unavailable, diagnostics ? fmt::format("the server refused the query: {} ({})",
                                                                   diagnostics->find('M').value_or(""),
                                                                   diagnostics->find('C').value_or(""))
                                                     : "the server refused the query"};
        break;
      }
      case BackendType::ready_for_query:
        if (error) co_return std::unexpected(*std::move(error));
        co_return rows;
      case BackendType::row_description:
      case BackendType::command_complete:
      case BackendType::notice_response:
      case BackendType::parameter_status: break;
      default:
        co_return fail(Errc::malformed, "the server sent {} in answer to a query", to_string(frame.type));
    }
  }
}

}  // namespace sluice::proxy::pg
