// All messages of the PostgreSQL protocol, both directions.
#pragma once

#include "wire/pg/backend.h"   // IWYU pragma: export
#include "wire/pg/frontend.h"  // IWYU pragma: export
