// The OpenAPI 3.1 description of the API, made from the route table: what is not in the table is not
// described, and what is in it cannot be left out. Served at /api/v1/openapi.json and printed by `sluice
// openapi`; docs/openapi.json is a copy that a test keeps equal.
#pragma once

#include <string>
#include <string_view>

namespace sluice::admin {

std::string openapi_document();

// JSON object of all schemas by name (schemas.cc).
std::string_view schemas();

}  // namespace sluice::admin
