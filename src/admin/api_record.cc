// /api/v1/record: whether the record can be written, and whether it is whole.
#include "admin/handlers.h"
#include "admin/page.h"

namespace sluice::admin::handlers {

Answer record_status(Control& control, const Call&) {
  const auto status = control.parts().record.status();
  return json_response(json::object{{"writable", status.writable},
                                    {"problem", status.problem},
                                    {"dir", status.dir},
                                    {"durability", status.durability},
                                    {"segments", status.segments},
                                    {"entries", status.entries},
                                    {"bytes", status.bytes},
                                    {"tree_root", status.tree_root},
                                    {"public_key", status.public_key}});
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
