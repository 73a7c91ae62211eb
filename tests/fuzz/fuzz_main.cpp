// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// One program for all targets, made by libFuzzer; the variable PATCHLAB_FUZZ_TARGET says which one it feeds.
// tests/fuzz/run builds it, writes the seeds and runs it for each target for a while.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.hpp"

namespace {
const patchlab::fuzz::Target* target = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*words*/) {
  const char* name = std::getenv("PATCHLAB_FUZZ_TARGET");
  target = name == nullptr ? nullptr : patchlab::fuzz::find_target(name);
  if (target != nullptr) return 0;
  std::fprintf(stderr, "PATCHLAB_FUZZ_TARGET is '%s'; targets are:", name == nullptr ? "" : name);
  for (const auto& one : patchlab::fuzz::targets()) std::fprintf(stderr, " %s", one.name);
  std::fprintf(stderr, "\n");
  std::exit(64);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
