# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# Targets `format` (rewrites) and `check_format` (fails when something would be rewritten). The sources are what git knows, so that a
# new file is covered at once and build results never are. Without clang-format or git the targets say so when they are built.

find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
find_package(Git QUIET)

function(patchlab_format_target name options)
  if(CLANG_FORMAT AND GIT_FOUND)
    # A pipe needs a shell; NUL keeps any file name whole; -r: no sources, no call.
    add_custom_target(${name}
                      COMMAND sh -c "'${GIT_EXECUTABLE}' ls-files -z -- '*.cpp' '*.hpp' | xargs -0 -r '${CLANG_FORMAT}' --style=file ${options}"
                      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                      VERBATIM)
  else()
    add_custom_target(${name} COMMAND ${CMAKE_COMMAND} -E echo "patchlab: error: '${name}' needs git and clang-format"
                              COMMAND ${CMAKE_COMMAND} -E false)
  endif()
endfunction()

patchlab_format_target(format -i)
patchlab_format_target(check_format "--dry-run --Werror")
