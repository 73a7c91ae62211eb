// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <iostream>
#include <string>

#include "lab/network/namespace.hpp"

namespace patchlab::test {

// Runs `inside` in the worker of a fresh cell and returns the cell's exit code: what `inside` returned, or 99 when
// there was no cell. The calling process must have one thread.
inline int run_in_cell(const std::function<int()>& inside, const lab::network::CellNamespaces& wanted = {}) {
  std::cout.flush();
  const pid_t outer = ::fork();
  if (outer == 0) {
    const auto entered = lab::network::enter_cell_namespaces(wanted);
    if (!entered) std::cerr << entered.error().message << std::endl;
    const int code = entered ? inside() : 99;
    std::cerr.flush();
    ::_exit(code);
  }
  int status = 0;
  while (::waitpid(outer, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Empty when this host can make cells with taps; else why not, for GTEST_SKIP.
inline std::string why_no_cells() {
  if (const auto can = lab::network::can_enter_cell_namespaces(); !can) return can.error().message;
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "/dev/net/tun cannot be opened";
  return {};
}

}  // namespace patchlab::test
