// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab::lab::content {

// Where content is read from. Nothing that it says is believed: who asks compares digests. Any thread.
class Source {
 public:
  virtual ~Source() = default;
  // What is there under a name (block_name, index_name). Nothing: there is none of that name. An error (infrastructure)
  // when it cannot be had, or is longer than `most` bytes.
  [[nodiscard]] virtual Result<std::optional<std::string>> read(const std::string& name, std::size_t most) = 0;
  [[nodiscard]] virtual const std::string& shown() const = 0;  // for people
};

struct SourceName {
  std::string from;          // an absolute path of a folder, or a URL
  std::filesystem::path ca;  // PEM file of those who sign the server's certificate; empty: the system's
  bool operator==(const SourceName&) const = default;
};

// What is wrong with it, as a sentence; empty: nothing. A URL is https, or http of this host; it names no user, and
// nothing stands behind its path.
[[nodiscard]] std::string wrong_with_source(const std::string& from);

// A configuration error when it is wrong, or there is no such folder. Servers are verified, redirects are not followed,
// no proxy is asked, and one that sends less than 1 KiB a second for half a minute is given up. `stop` ends what is
// under way.
[[nodiscard]] Result<std::unique_ptr<Source>> open_source(const SourceName& name, std::stop_token stop = {});

}  // namespace patchlab::lab::content
