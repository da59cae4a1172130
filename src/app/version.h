// What this program is: its version and the libraries that it runs with.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

namespace sluice::app {

inline constexpr std::string_view kVersion = SLUICE_VERSION;  // of CMakeLists.txt

boost::json::object version_facts();

}  // namespace sluice::app
