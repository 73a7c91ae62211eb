// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab {

// SHA-256 (FIPS 180-4) as 64 lower-case hex digits. Identity of files, sets, images and records: names are only labels.
[[nodiscard]] std::string sha256(std::string_view bytes);
// Reads the file once, in blocks; error names the path.
[[nodiscard]] Result<std::string> sha256_of_file(const std::filesystem::path& path);
[[nodiscard]] bool is_sha256(std::string_view text);

// What others write digests with: only to hold a file against such a digest. What is ours is SHA-256.
enum class DigestKind { sha1, sha256, sha512 };
[[nodiscard]] Result<std::string> digest_of_file(const std::filesystem::path& path, DigestKind kind);

// The same of bytes that come piece by piece, of which nobody keeps the whole.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view bytes);
  [[nodiscard]] std::string finish();  // spent afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Feeds pieces one after another; each piece is length-prefixed so that ("ab","c") and ("a","bc") differ.
class DigestBuilder {
 public:
  DigestBuilder();
  ~DigestBuilder();
  DigestBuilder(DigestBuilder&&) noexcept;
  DigestBuilder& operator=(DigestBuilder&&) noexcept;
  DigestBuilder& add(std::string_view piece);
  [[nodiscard]] std::string finish();  // the builder is spent afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace patchlab
