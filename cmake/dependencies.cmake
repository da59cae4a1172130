# Everything comes from Debian's packages (tools/setup/debian.sh installs them). Nothing is vendored, and nothing
# here asks for a version that only Debian 12 has.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(vectorscan REQUIRED IMPORTED_TARGET libhs)

if(TARGET yaml-cpp::yaml-cpp)
  add_library(dep_yaml ALIAS yaml-cpp::yaml-cpp)
else()
  add_library(dep_yaml INTERFACE)
  target_link_libraries(dep_yaml INTERFACE yaml-cpp)
endif()

# libpg_query reads one PostgreSQL major's grammar and hands out that server's parse nodes, so the server headers
# must be of the same major: 15 on Debian 12, 17 on Debian 13. The header carries the number.
find_path(PG_QUERY_INCLUDE_DIR pg_query.h REQUIRED)
find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
file(STRINGS ${PG_QUERY_INCLUDE_DIR}/pg_query.h pg_major_line REGEX "define PG_MAJORVERSION ")
string(REGEX REPLACE ".*\"([0-9]+)\".*" "\\1" PG_QUERY_MAJOR "${pg_major_line}")
find_path(PG_SERVER_INCLUDE_DIR nodes/parsenodes.h
          PATHS /usr/include/postgresql/${PG_QUERY_MAJOR}/server REQUIRED NO_DEFAULT_PATH)
add_library(dep_pg_query INTERFACE)
target_include_directories(dep_pg_query SYSTEM INTERFACE ${PG_QUERY_INCLUDE_DIR})
target_link_libraries(dep_pg_query INTERFACE ${PG_QUERY_LIBRARY})

find_package(GTest REQUIRED)
if(NOT SLUICE_FUZZ)
  find_package(benchmark REQUIRED)
endif()
