# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# One static library per folder, one test executable per area. Settings and warnings are INTERFACE targets linked privately,
# so that they never reach third-party code.

add_library(patchlab_settings INTERFACE)
target_compile_features(patchlab_settings INTERFACE cxx_std_20)
target_include_directories(patchlab_settings INTERFACE ${PROJECT_SOURCE_DIR})

add_library(patchlab_warnings INTERFACE)
target_compile_options(patchlab_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
                                                   -Wnon-virtual-dtor -Woverloaded-virtual
                                                   # members left out of a designated initializer mean their default
                                                   -Wno-missing-field-initializers)
if(PATCHLAB_WERROR)
  target_compile_options(patchlab_warnings INTERFACE -Werror)
endif()

# The heavy standard and JSON headers are compiled once; every library and test reuses that one precompiled header.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/patchlab_pch.cpp CONTENT "// owns the shared precompiled header\n")
add_library(patchlab_pch STATIC ${CMAKE_BINARY_DIR}/patchlab_pch.cpp)
target_link_libraries(patchlab_pch PRIVATE patchlab_settings patchlab_warnings fmt::fmt nlohmann_json::nlohmann_json)
set(patchlab_headers <algorithm> <array> <chrono> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <string>
                     <string_view> <thread> <variant> <vector> <fmt/format.h> "${PROJECT_SOURCE_DIR}/lab/core/json_instances.hpp")
target_precompile_headers(patchlab_pch PRIVATE ${patchlab_headers})

# What those headers declare and do not define: everything links it in the place of the JSON library.
add_library(patchlab_json STATIC ${PROJECT_SOURCE_DIR}/lab/core/json_instances.cpp)
target_compile_options(patchlab_json PRIVATE $<$<NOT:$<CONFIG:Release,RelWithDebInfo>>:-O2>)
target_link_libraries(patchlab_json PUBLIC nlohmann_json::nlohmann_json PRIVATE patchlab_settings patchlab_warnings)

# Tests read gmock as well: a third of a second in each of their hundred units. Made where the first test needs it.
function(patchlab_test_headers name)
  if(NOT TARGET patchlab_test_pch)
    add_library(patchlab_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/test_main.cpp)
    target_link_libraries(patchlab_test_main PUBLIC GTest::gmock PRIVATE patchlab_settings patchlab_warnings)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/patchlab_test_pch.cpp CONTENT "// owns the tests' precompiled header\n")
    add_library(patchlab_test_pch STATIC ${CMAKE_BINARY_DIR}/patchlab_test_pch.cpp)
    target_link_libraries(patchlab_test_pch PRIVATE patchlab_settings patchlab_warnings fmt::fmt nlohmann_json::nlohmann_json GTest::gmock)
    target_precompile_headers(patchlab_test_pch PRIVATE ${patchlab_headers} <gmock/gmock.h>)
  endif()
  target_precompile_headers(${name} REUSE_FROM patchlab_test_pch)
endfunction()

# patchlab_library(lab_core SOURCES a.cpp b.cpp [LIBS public...] [PRIVATE_LIBS private...] [APART] [HEADERS <heavy.hpp>...])
# APART: the sources use the same names in their unnamed namespaces (each check has its Parameters), so each is its own unit.
# HEADERS: heavy ones of others that most of its sources read; it gets a precompiled header of its own then.
function(patchlab_library name)
  cmake_parse_arguments(ARG "APART" "" "SOURCES;LIBS;PRIVATE_LIBS;HEADERS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(ARG_APART)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  add_library(patchlab::${name} ALIAS ${name})
  target_link_libraries(${name} PUBLIC fmt::fmt patchlab_json ${ARG_LIBS}
                                PRIVATE patchlab_settings patchlab_warnings ${ARG_PRIVATE_LIBS})
  if(ARG_HEADERS)
    target_precompile_headers(${name} PRIVATE ${patchlab_headers} ${ARG_HEADERS})
  else()
    target_precompile_headers(${name} REUSE_FROM patchlab_pch)
  endif()
endfunction()

set(PATCHLAB_TEST_FOLDER "" CACHE STRING "where unit tests write their files, in place of TMPDIR; run-tests takes memory")

# patchlab_test(checks_test SOURCES a_test.cpp [LIBS ...] [LABEL unit]): one executable, each TEST found by ctest, labelled.
# APART: these sources use the same names as others in their unnamed namespaces, so each of them is its own unit; ALL of them.
# WHOLE: the executable is one test, for suites that set up once what takes long. Skipped when it ends with 77 (tests/support/test_main.cpp).
# PLACES: how many of ctest's places it takes; with one or more it needs the golden images. Two for those labelled vm: run-tests
# gives ctest three for each processor. More at once take longer altogether, as starved guests are asked again. One place more is for
# what is quick: unit tests, and what mostly waits for real servers, one test at a time.
function(patchlab_test name)
  cmake_parse_arguments(ARG "WHOLE" "LABEL;TIMEOUT;PLACES" "APART;SOURCES;LIBS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  # Ends what hangs; how long work takes is bounded nowhere, as a test may have a fraction of a processor.
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 240)
  endif()
  if(NOT ARG_PLACES AND ARG_LABEL STREQUAL vm)
    set(ARG_PLACES 2)
  endif()
  set(properties LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  if(PATCHLAB_TEST_FOLDER AND ARG_LABEL STREQUAL unit)
    list(APPEND properties ENVIRONMENT TMPDIR=${PATCHLAB_TEST_FOLDER})
  endif()
  # Machines with the longest first, and beside them what is quick. ctest keeps no place free for a test that needs
  # several: golden_images (tests/e2e) leaves enough of them at once for the longest.
  if(ARG_PLACES OR ARG_LABEL STREQUAL e2e)
    list(APPEND properties FIXTURES_REQUIRED golden_images)  # tests/e2e makes them
  endif()
  if(ARG_PLACES)
    list(APPEND properties PROCESSORS ${ARG_PLACES} COST ${ARG_TIMEOUT})
  elseif(ARG_LABEL STREQUAL integration)
    list(APPEND properties RESOURCE_LOCK servers)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  if(ARG_APART STREQUAL ALL)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  elseif(ARG_APART)
    set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  target_link_libraries(${name} PRIVATE patchlab_settings patchlab_warnings ${ARG_LIBS} patchlab_test_main)
  patchlab_test_headers(${name})
  target_compile_definitions(${name} PRIVATE PATCHLAB_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARG_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties} SKIP_RETURN_CODE 77)
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
  endif()
endfunction()
