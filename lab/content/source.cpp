// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/source.hpp"

#include <fmt/format.h>

#include "lab/content/curl_source.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;

class FolderSource final : public Source {
 public:
  explicit FolderSource(std::string folder) : folder_(std::move(folder)) {}
  Result<std::optional<std::string>> read(const std::string& name, std::size_t most) override {
    const auto path = fs::path(folder_) / name;
    if (status_of(path).type() == fs::file_type::not_found) return std::optional<std::string>();
    auto bytes = read_file(path, most, Links::refuse);
    if (bytes) return std::optional(std::move(*bytes));
    // Whoever asked has named nothing wrong.
    return infrastructure_error(bytes.error().message, bytes.error().hint);
  }
  [[nodiscard]] const std::string& shown() const override { return folder_; }

 private:
  const std::string folder_;
};

}  // namespace

std::string wrong_with_source(const std::string& from) {
  if (is_url(from)) return wrong_with_url(from);
  if (fs::path(from).is_absolute() && from.find('\0') == std::string::npos) return {};
  return "must be the absolute path of a folder, or a URL that begins with https://";
}

Result<std::unique_ptr<Source>> open_source(const SourceName& name, std::stop_token stop) {
  if (const auto wrong = wrong_with_source(name.from); !wrong.empty())
    return configuration_error(fmt::format("content cannot be read from '{}': it {}", name.from, wrong));
  if (is_url(name.from)) return curl_source(name, std::move(stop));
  if (!is_folder(name.from))
    return configuration_error(fmt::format("the content folder '{}' is not there", name.from),
                               "mount it, or make it with 'patchlab content publish'");
  return std::unique_ptr<Source>(std::make_unique<FolderSource>(name.from));
}

}  // namespace patchlab::lab::content
