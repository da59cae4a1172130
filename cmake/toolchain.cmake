# Language level, warnings, hardening and sanitizers: the same for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  # What lets clones and build folders share objects: paths under the checkout are relative (basedir), and the
  # precompiled header counts by the digest that compile_pch.sh writes.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  # CMake's own form hides the header's path behind -Xclang, where ccache takes it for text that must be the same in
  # every clone, and includes the header's source a second time, which its guards make nothing of.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
endif()

add_link_options(-fuse-ld=lld-19)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=unused-result
                    -Werror=return-type -Werror=switch -Wno-missing-field-initializers
                    -Wno-gnu-statement-expression
                    $<$<COMPILE_LANGUAGE:CXX>:-fpch-instantiate-templates>)
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-omit-frame-pointer -g1 -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  if(SLUICE_SANITIZE MATCHES "address")
    # Debug at -O1: an ASan build at -O0 is several times slower and finds nothing more.
    add_compile_options(-O1)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-O2 -g1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection=full -ftrivial-auto-var-init=zero -D_GLIBCXX_ASSERTIONS)
  set(CMAKE_CXX_FLAGS_RELEASE "")  # no -DNDEBUG: our asserts guard invariants of a security product
  set(CMAKE_C_FLAGS_RELEASE "")
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
  # A transaction runs through a little of everything, once, with the kernel's work in between: what it costs is fetching
  # code. So calls are inlined across files, and what nobody calls is left out.
  add_compile_options(-flto=thin -ffunction-sections -fdata-sections)
  add_link_options(-flto=thin -Wl,--gc-sections -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto-cache)
  # And the code is laid out as it runs: what a profile of the benchmarks and the demo has counted (`make profile`). A
  # function that has changed since is compiled without, so an old profile costs speed and nothing else. The path is
  # relative so that clones share compiled objects.
  if(SLUICE_PROFILE)
    add_compile_options(-fprofile-generate=${CMAKE_BINARY_DIR}/counts)
    add_link_options(-fprofile-generate=${CMAKE_BINARY_DIR}/counts)
  else()
    file(RELATIVE_PATH profile ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/cmake/release.profdata)
    add_compile_options(-fprofile-use=${profile} -fsplit-machine-functions
                        -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled)
    add_link_options(-fsplit-machine-functions)
  endif()
endif()
if(SLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(SLUICE_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
