// What is looked at, rather than counted where it happens, for /metrics: sessions, reviews, record, policy.
// Called about once a second on the control thread.
#pragma once

#include <filesystem>

#include "app/policy_watch.h"
#include "app/record_set.h"
#include "proxy/pg/session/server.h"
#include "review/reviews.h"

namespace sluice::app {

struct Measured {
  const proxy::pg::Server& postgres;
  const review::Reviews& reviews;
  const RecordSet& record;
  const PolicyWatch& policy;
  std::filesystem::path record_folder;
};
void measure(const Measured& parts);

// sluice_build_info{version="…"} 1, once.
void announce_build();

}  // namespace sluice::app
