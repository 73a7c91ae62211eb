// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::promotion {

inline constexpr std::uintmax_t largest_object = 256U << 20U;
inline constexpr const char* damaged_hint = "compare with a copy of the ledger's folder; it must never be edited";

// Called before each step that changes something, with its name; tests interrupt there. Empty in the product.
using BeforeStep = std::function<void(const std::string& step)>;

// Files by the SHA-256 of their bytes: <folder>/<digest>, and <folder>/<digest>.sig for the signature of one. Written
// once, whole or not at all, synced; never changed. One writer at a time: whoever holds the lock of the ledger.
class ObjectFolder {
 public:
  explicit ObjectFolder(std::filesystem::path folder, BeforeStep before_step = {})
      : folder_(std::move(folder)), before_step_(std::move(before_step)) {}

  // Its digest. The same bytes again change nothing; a file of that name with other bytes is an error.
  [[nodiscard]] Result<std::string> put(const std::string& bytes) const;
  enum class Older { keep, replace };
  // `older`: what to do with another signature, which an append that was interrupted may have left.
  [[nodiscard]] Result<void> put_signature(const std::string& digest, const std::string& signature, Older older) const;

  // The bytes, compared with the name. An error when it is missing, changed, or no regular file.
  [[nodiscard]] Result<std::string> get(const std::string& digest) const;
  [[nodiscard]] Result<std::string> signature(const std::string& digest) const;
  [[nodiscard]] bool has(const std::string& digest) const;
  [[nodiscard]] std::filesystem::path path(const std::string& digest) const { return folder_ / digest; }

  // Reads everything. The digests that are there; an error for what is damaged or does not belong there.
  [[nodiscard]] Result<std::vector<std::string>> verify() const;
  // Removes what an interrupted put left: nothing that was ever named.
  [[nodiscard]] Result<void> remove_leftovers() const;

 private:
  void step(const char* name) const {
    if (before_step_) before_step_(name);
  }
  [[nodiscard]] Result<void> write_new(const std::string& name, const std::string& bytes) const;

  std::filesystem::path folder_;
  BeforeStep before_step_;
};

// Of a folder: files that were to be renamed and were not.
[[nodiscard]] Result<void> remove_temporary_files(const std::filesystem::path& folder);

}  // namespace patchlab::promotion
