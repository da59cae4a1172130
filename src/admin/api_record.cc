// /api/v1/record: whether the record can be written, and whether it is whole.
#include "admin/handlers.h"
#include "admin/page.h"

namespace sluice::admin::handlers {

Answer record_status(Control& control, const Call&) {
  const auto status = control.parts().record.status();
  json::array shards;
  for (const auto& shard : status.shards) {
    shards.push_back(json::object{{"shard", shard.shard},
                                  {"log_id", shard.log_id},
                                  {"segments", shard.segments},
                                  {"entries", shard.entries},
                                  {"signed_entries", shard.signed_entries},
                                  {"signed_root", shard.signed_root}});
  }
  return json_response(json::object{{"writable", status.writable},
                                    {"problem", status.problem},
                                    {"dir", status.dir},
                                    {"durability", status.durability},
                                    {"segments", status.segments},
                                    {"entries", status.entries},
                                    {"bytes", status.bytes},
                                    {"public_key", status.public_key},
                                    {"shards", std::move(shards)}});
}

Answer list_events(Control& control, const Call& call) {
  TRY(const auto query, foreign_page_query(call.request));
  TRY(const auto page,
      control.parts().record.events(query_value(call.request, "kind"), query.after, query.limit));
  return foreign_page_response(page.items, page.next_cursor);
}

// Reads every segment: runs beside the control thread.
Answer verify_record(Control& control, const Call&) {
  TRY(const auto report, control.parts().record.verify());
  return json_response(json::object{{"intact", report.intact},
                                    {"segments", report.segments},
                                    {"entries", report.entries},
                                    {"unfinished", report.unfinished},
                                    {"problems", to_json(report.problems)}});
}

}  // namespace sluice::admin::handlers
