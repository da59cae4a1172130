#include "app/version.h"

#include <curl/curl.h>

#include <boost/json/value.hpp>
#include <boost/version.hpp>

namespace sluice::app {

boost::json::object version_facts() {
  const auto* curl = curl_version_info(CURLVERSION_NOW);
  return {{"version", kVersion},
          {"compiler", __VERSION__},
          {"boost", fmt::format("{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000)},
          {"libcurl", curl->version},
          {"tls", curl->ssl_version == nullptr ? "" : curl->ssl_version}};
}

}  // namespace sluice::app
