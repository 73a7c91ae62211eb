// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/sandbox.hpp"

namespace patchlab {

ProcessSpec in_sandbox(const Sandbox& sandbox, const std::vector<std::string>& words) {
  ProcessSpec spec;
  spec.program = "bwrap";
  spec.arguments = {"--unshare-all",
                    "--die-with-parent",
                    "--new-session",
                    "--clearenv",
                    "--setenv",
                    "PATH",
                    "/usr/bin:/usr/local/bin",
                    "--ro-bind",
                    "/usr",
                    "/usr",
                    "--symlink",
                    "usr/lib",
                    "/lib",
                    "--symlink",
                    "usr/lib64",
                    "/lib64"};
  const auto add = [&](std::initializer_list<std::string> more) { spec.arguments.insert(spec.arguments.end(), more); };
  if (sandbox.devices) add({"--dev", "/dev"});
  add({"--tmpfs", "/tmp"});
  for (const auto& [outside, inside] : sandbox.readable) add({"--ro-bind", outside.string(), inside});
  for (const auto& [outside, inside] : sandbox.writable) add({"--bind", outside.string(), inside});
  add({"--"});
  spec.arguments.insert(spec.arguments.end(), words.begin(), words.end());
  return spec;
}

bool is_without_sandbox(const ProcessOutcome& outcome) { return outcome.errors.starts_with("bwrap:"); }

}  // namespace patchlab
