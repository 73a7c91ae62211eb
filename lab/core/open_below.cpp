// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/open_below.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace patchlab {

Result<InputFile> open_input_below(const std::filesystem::path& folder, const std::filesystem::path& relative) {
  const auto shown = folder / relative;
  if (shown.native().find('\0') != std::string::npos)
    return configuration_error("a path with a NUL character in it cannot be opened");
  const FileDescriptor below(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!below.valid()) return input_error(folder, errno);
  ::open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // a pipe is not waited for
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  FileDescriptor file(static_cast<int>(::syscall(SYS_openat2, below.get(), relative.c_str(), &how, sizeof how)));
  if (!file.valid()) return input_error(shown, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("looking at '" + shown.string() + "'", errno);
  if (!S_ISREG(info.st_mode))
    return configuration_error(fmt::format("'{}' is no regular file", shown.string()), "look who made it");
  return InputFile{std::move(file), static_cast<std::uintmax_t>(info.st_size)};
}

Result<std::string> sha256_of_open(const InputFile& input, const std::string& name) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> block(1U << 20U);
  for (;;) {
    const auto count = ::read(input.file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + name + "'", errno);
    if (count == 0) break;
    EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(count));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), bytes.data(), &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

}  // namespace patchlab
