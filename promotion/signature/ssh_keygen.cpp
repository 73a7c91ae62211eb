// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/signature/ssh_keygen.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::promotion {
namespace {

namespace fs = std::filesystem;

// ssh-keygen reads keys and signatures from files only. 0700, removed when it goes.
class OwnFolder {
 public:
  static Result<OwnFolder> make() {
    std::error_code code;
    const auto parent = fs::temp_directory_path(code);
    if (code) return infrastructure_error("there is no temporary folder: " + code.message());
    auto name = (parent / "patchlab-signature-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return errno_error(fmt::format("creating '{}'", name), errno);
    return OwnFolder(name);
  }
  ~OwnFolder() {
    if (!path_.empty()) static_cast<void>(remove_tree(path_));
  }
  OwnFolder(OwnFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  OwnFolder& operator=(OwnFolder&&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  explicit OwnFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

constexpr const char* missing_hint = "install the package 'openssh-client' (9.1 or later)";

ProcessSpec ssh_keygen(std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.program = "ssh-keygen";
  spec.arguments = std::move(arguments);
  // Times in its files are UTC because they end in Z; what it prints is for us.
  spec.extra_environment = {{"TZ", "UTC"}, {"LC_ALL", "C"}};
  spec.time_limit = std::chrono::seconds(30);
  spec.output_limit = 1U << 20U;
  spec.private_files = true;
  return spec;
}

// The last line that says something, printable.
std::string last_words(const std::string& text) {
  auto rest = trimmed(text, " \t\r\n");
  if (const auto end = rest.rfind('\n'); end != std::string_view::npos) rest.remove_prefix(end + 1);
  return printable(trimmed(rest));
}

Result<void> write_inputs(const fs::path& folder, const std::string& signers, const std::string& signature) {
  PATCHLAB_TRY(write_file_atomically(folder / "allowed_signers", signers, 0600));
  return write_file_atomically(folder / "signature", signature, 0600);
}

}  // namespace

ProcessSpec verify_spec(const fs::path& folder, const SignatureCheck& check) {
  auto spec =
      ssh_keygen({"-Y", "verify", "-f", (folder / "allowed_signers").string(), "-I", check.name, "-n", check.name_space,
                  "-s", (folder / "signature").string(), "-O", "verify-time=" + ssh_time(check.time)});
  spec.input = check.bytes;
  return spec;
}

Result<std::string> verify_signature(ProcessRunner& processes, const SignatureCheck& check) {
  PATCHLAB_ASSIGN(const auto folder, OwnFolder::make());
  PATCHLAB_TRY(write_inputs(folder.path(), check.signers, check.signature).while_doing("verifying a signature"));
  const auto outcome = processes.run(verify_spec(folder.path(), check));
  if (outcome.succeeded()) return std::string();
  if (!std::holds_alternative<Exited>(outcome.end))
    return infrastructure_error(fmt::format("ssh-keygen {}", outcome.describe()), missing_hint);
  const auto said = last_words(outcome.errors.empty() ? outcome.output : outcome.errors);
  return said.empty() ? fmt::format("ssh-keygen ended with {}", outcome.describe()) : said;
}

Result<std::vector<std::string>> find_principals(ProcessRunner& processes, const std::string& signers,
                                                 const std::string& signature,
                                                 std::chrono::system_clock::time_point time) {
  PATCHLAB_ASSIGN(const auto folder, OwnFolder::make());
  PATCHLAB_TRY(write_inputs(folder.path(), signers, signature).while_doing("looking for who signed"));
  const auto outcome =
      processes.run(ssh_keygen({"-Y", "find-principals", "-f", (folder.path() / "allowed_signers").string(), "-s",
                                (folder.path() / "signature").string(), "-O", "verify-time=" + ssh_time(time)}));
  if (!std::holds_alternative<Exited>(outcome.end))
    return infrastructure_error(fmt::format("ssh-keygen {}", outcome.describe()), missing_hint);
  std::vector<std::string> names;
  if (!outcome.succeeded()) return names;
  std::string_view rest = outcome.output;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (const auto name = trimmed(rest.substr(0, end)); !name.empty()) names.emplace_back(name);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return names;
}

ProcessSpec sign_spec(const fs::path& key, const std::string& name_space, const fs::path& file, Milliseconds limit) {
  // Not by standard input: without a terminal it would be read as the PIN of a security key, and nothing be signed.
  auto spec = ssh_keygen({"-Y", "sign", "-f", key.string(), "-n", name_space, file.string()});
  spec.time_limit = limit;
  spec.own_session = true;
  return spec;
}

Result<std::string> make_signature(ProcessRunner& processes, const fs::path& key, const std::string& name_space,
                                   std::string_view bytes, Milliseconds limit) {
  PATCHLAB_ASSIGN(const auto folder, OwnFolder::make());
  const auto file = folder.path() / "statement";
  PATCHLAB_TRY(write_file_atomically(file, bytes, 0600).while_doing("signing"));
  PATCHLAB_ASSIGN(const auto key_file, absolute_path(key));
  const auto outcome = processes.run(sign_spec(key_file, name_space, file, limit));
  if (std::holds_alternative<NotStarted>(outcome.end))
    return infrastructure_error(fmt::format("ssh-keygen {}", outcome.describe()), missing_hint);
  if (!outcome.succeeded()) {
    const auto said = last_words(outcome.errors);
    return configuration_error(fmt::format("ssh-keygen did not sign with '{}': {}", printable(key.string()),
                                           said.empty() ? outcome.describe() : said + " (" + outcome.describe() + ")"),
                               "a key with a passphrase must be in the agent (ssh-add), a security key must be plugged "
                               "in and touched; or sign "
                               "elsewhere with 'patchlab decide --print'");
  }
  return read_file(fs::path(file) += ".sig", 1U << 20U).while_doing("reading what ssh-keygen signed");
}

}  // namespace patchlab::promotion
