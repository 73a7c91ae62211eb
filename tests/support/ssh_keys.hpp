// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::promotion::testing {

// Keys in a folder of their own, made by ssh-keygen when they are first asked for by name.
class SshKeys {
 public:
  SshKeys() {
    std::string name = (std::filesystem::temp_directory_path() / "patchlab-keys-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~SshKeys() { static_cast<void>(remove_tree(folder_)); }
  SshKeys(const SshKeys&) = delete;
  SshKeys& operator=(const SshKeys&) = delete;

  // Of the private key; the public one is beside it.
  [[nodiscard]] std::filesystem::path file(const std::string& name,
                                           const std::vector<std::string>& type = {"-t", "ed25519"}) const {
    const auto file = folder_ / name;
    if (is_there(file)) return file;
    std::vector<std::string> arguments{"-q", "-N", "", "-C", name, "-f", file.string()};
    arguments.insert(arguments.end(), type.begin(), type.end());
    ProcessSpec spec;
    spec.program = "ssh-keygen";
    spec.arguments = arguments;
    const auto outcome = host_processes().run(spec);
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << outcome.errors;
    return file;
  }
  // "ssh-ed25519 AAAA..."
  [[nodiscard]] std::string line(const std::string& name,
                                 const std::vector<std::string>& type = {"-t", "ed25519"}) const {
    const auto text = read_file(file(name, type).string() + ".pub").value();
    return text.substr(0, text.find(' ', text.find(' ') + 1));
  }
  [[nodiscard]] std::string sign(const std::string& name, const std::string& name_space,
                                 const std::string& bytes) const {
    auto signature = make_signature(host_processes(), file(name), name_space, bytes);
    EXPECT_TRUE(signature) << signature.error().message;
    return signature ? *signature : std::string();
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace patchlab::promotion::testing
