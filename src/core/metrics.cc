#include "core/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <variant>

namespace sluice::metrics {
namespace {

using Metric = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

struct Family {
  std::string help;
  std::map<Labels, Metric> metrics;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
};

// Never destroyed: threads may still count while the process ends.
Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

template <class T, class Make>
T& find_or_make(std::string_view name, std::string_view help, Labels labels, Make make) {
  auto& all = registry();
  std::lock_guard lock(all.mutex);
  auto& family = all.families[std::string(name)];
  if (family.help.empty()) family.help = help;
  auto at = family.metrics.find(labels);
  if (at == family.metrics.end()) at = family.metrics.emplace(std::move(labels), make()).first;
  return *std::get<std::unique_ptr<T>>(at->second);  // one name, one kind: anything else is a bug
}

void fill(prometheus::ClientMetric& out, const Counter& counter) {
  out.counter.value = static_cast<double>(counter.value());
}
void fill(prometheus::ClientMetric& out, const Gauge& gauge) {
  out.gauge.value = static_cast<double>(gauge.value());
}
void fill(prometheus::ClientMetric& out, const Histogram& histogram) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.count(i);
    const bool rest = i == histogram.bounds().size();
    out.histogram.bucket.push_back(
        {total, rest ? std::numeric_limits<double>::infinity()
                     : static_cast<double>(histogram.bounds()[i]) * histogram.scale()});
  }
  out.histogram.sample_count = total;
  out.histogram.sample_sum = static_cast<double>(histogram.sum()) * histogram.scale();
}

}  // namespace

Histogram::Histogram(std::span<const std::uint64_t> bounds, double scale)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1), scale_(scale) {}

void Histogram::observe(std::uint64_t value) {
  const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::span<const std::uint64_t> duration_bounds() {
  static constexpr std::array<std::uint64_t, 14> kBounds = {
      50'000,     100'000,    250'000,     500'000,     1'000'000,     2'500'000,     5'000'000,
      10'000'000, 25'000'000, 100'000'000, 500'000'000, 1'000'000'000, 5'000'000'000, 10'000'000'000};
  return kBounds;
}

Counter& counter(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Counter>(name, help, std::move(labels), [] { return std::make_unique<Counter>(); });
}
Gauge& gauge(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Gauge>(name, help, std::move(labels), [] { return std::make_unique<Gauge>(); });
}
Histogram& histogram(std::string_view name, std::string_view help, Labels labels,
                     std::span<const std::uint64_t> bounds, double scale) {
  return find_or_make<Histogram>(name, help, std::move(labels),
                                 [&] { return std::make_unique<Histogram>(bounds, scale); });
}

std::string render() {
  std::vector<prometheus::MetricFamily> families;
  {
    auto& all = registry();
    std::lock_guard lock(all.mutex);
    for (const auto& [name, family] : all.families) {
      prometheus::MetricFamily out;
      out.name = name;
      out.help = family.help;
      for (const auto& [labels, metric] : family.metrics) {
        constexpr std::array kTypes = {prometheus::MetricType::Counter, prometheus::MetricType::Gauge,
                                       prometheus::MetricType::Histogram};
        out.type = kTypes[metric.index()];
        prometheus::ClientMetric one;
        for (const auto& [key, value] : labels) one.label.push_back({key, value});
        std::visit([&](const auto& m) { fill(one, *m); }, metric);
        out.metric.push_back(std::move(one));
      }
      families.push_back(std::move(out));
    }
  }
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace sluice::metrics
