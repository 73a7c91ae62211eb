// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/versions.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* line_schema = "patchlab/image-versions/v1";
constexpr auto most = std::numeric_limits<std::int32_t>::max();

fs::path versions_folder(const fs::path& cache) { return cache / "image-versions"; }

fs::path file_of(const fs::path& cache, const std::string& department, const std::string& machine) {
  return versions_folder(cache) / department / (machine + ".json");
}

// False only when it is certain: who may not look would otherwise take the image of the recipe for today's.
Result<bool> was_made(const fs::path& path) {
  std::error_code trouble;
  const auto status = fs::status(path, trouble);
  if (status.type() == fs::file_type::not_found) return false;
  if (trouble)
    return errno_error(fmt::format("looking for versions of an image in '{}'", path.string()), trouble.value());
  return true;
}

ImageVersion version_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  ImageVersion version;
  version.number = static_cast<std::uint64_t>(reader.integer("version", 2, most));
  const auto is_digest = [](const std::string& text) {
    return is_sha256(text) ? std::string() : std::string("must be a SHA-256");
  };
  version.image = reader.text("image", is_digest);
  version.origin = reader.text("origin", is_digest);
  version.provenance = reader.raw("provenance");
  version.dropped = reader.boolean_or("dropped", false);
  if (!version.provenance.is_object()) reader.problem("provenance", "must be an object");
  reader.finish();
  return version;
}

}  // namespace

const ImageVersion* VersionLine::find(std::uint64_t number) const {
  const auto found = std::ranges::find(versions, number, &ImageVersion::number);
  return found == versions.end() ? nullptr : &*found;
}

void VersionLine::go_back_to(std::uint64_t number) {
  for (auto& version : versions) {
    if (version.number >= number) version.dropped = version.number > number;
  }
  pinned.reset();
}

Result<const ImageVersion*> VersionLine::in_use(const std::string& origin) const {
  if (pinned == 1) return nullptr;
  if (pinned) {
    const auto* version = find(*pinned);
    if (version != nullptr && version->origin == origin) return version;
    return configuration_error(
        fmt::format(
            "'{}/{}' is to start from version {}, which does not go back to the image that its recipe makes now",
            department, machine, *pinned),
        fmt::format("start from the newest: patchlab image use {}/{} newest", department, machine));
  }
  const ImageVersion* newest = nullptr;
  for (const auto& version : versions) {
    if (version.origin == origin && !version.dropped) newest = &version;
  }
  return newest;
}

void to_json(Json& json, const VersionLine& line) {
  Json versions = Json::array();
  for (const auto& one : line.versions) {
    versions.push_back(
        {{"version", one.number}, {"image", one.image}, {"origin", one.origin}, {"provenance", one.provenance}});
    if (one.dropped) versions.back()["dropped"] = true;
  }
  json = {{"schema", line_schema},
          {"department", line.department},
          {"machine", line.machine},
          {"versions", std::move(versions)}};
  if (line.pinned) json["pinned"] = *line.pinned;
}

Result<VersionLine> version_line_from_json(const Json& json, const std::string& file_name) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  VersionLine line;
  if (reader.text("schema") != line_schema) reader.problem("schema", fmt::format("must be '{}'", line_schema));
  const auto is_name = [](const std::string& text) {
    return is_scenario_name(text) ? std::string() : std::string(scenario_name_rule);
  };
  line.department = reader.text("department", is_name);
  line.machine = reader.text("machine", is_name);
  const auto& versions = reader.raw("versions");
  if (!versions.is_array()) reader.problem("versions", "must be a list");
  for (std::size_t i = 0; versions.is_array() && i < versions.size(); ++i) {
    const auto pointer = fmt::format("{}/{}", reader.at("versions"), i);
    auto version = version_from(versions[i], pointer, problems);
    if (!line.versions.empty() && version.number <= line.versions.back().number)
      problems.push_back({pointer + "/version", "must be greater than that of the one before"});
    line.versions.push_back(std::move(version));
  }
  if (reader.has("pinned")) {
    line.pinned = static_cast<std::uint64_t>(reader.integer("pinned", 1, most));
    if (*line.pinned != 1 && line.find(*line.pinned) == nullptr)
      reader.problem("pinned", "must be one of the versions");
  }
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return line;
}

Result<VersionLine> read_versions(const fs::path& cache, const std::string& department, const std::string& machine) {
  const auto file = file_of(cache, department, machine);
  PATCHLAB_ASSIGN(const auto made, was_made(file));
  if (!made) return VersionLine{department, machine, {}, {}};
  PATCHLAB_ASSIGN(const auto text, read_file(file));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string()));
  PATCHLAB_ASSIGN(auto line, version_line_from_json(json, file.string()));
  if (line.department == department && line.machine == machine) return line;
  return problems_error(file.string(), {{"/machine", fmt::format("must be of '{}/{}'", department, machine)}});
}

Result<VersionLine> versions_from(const fs::path& cache, const GoldenImage& parent, const std::string& department,
                                  const std::string& machine) {
  PATCHLAB_ASSIGN(auto line, read_versions(cache, department, machine));
  const auto& origin = parent.is_built() ? parent.digest : parent.origin;
  PATCHLAB_ASSIGN(const auto* version, line.in_use(origin));
  const auto& starts_from = version == nullptr ? origin : version->image;
  if (!line.pinned && starts_from == parent.digest) return line;
  return configuration_error(
      fmt::format("'{}/{}' starts from another image than the one that was gone on from: somebody has made a version "
                  "of it meanwhile, or told it another one",
                  department, machine),
      fmt::format("nothing was kept; patchlab image show {}/{} says what there is, then try again", department,
                  machine));
}

Result<std::vector<VersionLine>> all_versions(const fs::path& cache) {
  std::vector<VersionLine> lines;
  PATCHLAB_ASSIGN(const auto made, was_made(versions_folder(cache)));
  if (!made) return lines;
  PATCHLAB_ASSIGN(auto departments, entries_of(versions_folder(cache)));
  std::ranges::sort(departments);
  for (const auto& department : departments) {
    if (!is_folder(department)) continue;
    PATCHLAB_ASSIGN(auto files, entries_of(department));
    std::ranges::sort(files);
    for (const auto& file : files) {
      if (file.extension() != ".json" || !is_scenario_name(file.stem().string())) continue;
      PATCHLAB_ASSIGN(auto line, read_versions(cache, department.filename().string(), file.stem().string()));
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

Result<void> write_versions(const fs::path& cache, const VersionLine& line) {
  const auto file = file_of(cache, line.department, line.machine);
  PATCHLAB_TRY(create_folders(file.parent_path()));
  // Who may pass through the cache may read which version is today's, as the images themselves: a desk of another user.
  for (const auto& folder : {versions_folder(cache), file.parent_path()}) {
    if (::chmod(folder.c_str(), 0755) != 0)
      return errno_error(fmt::format("opening '{}' to readers", folder.string()), errno);
  }
  return write_file_atomically(file, pretty(Json(line)), 0644);
}

Result<GoldenImage> image_for(const fs::path& cache, const GoldenImage& built, const std::string& department,
                              const std::string& machine) {
  PATCHLAB_ASSIGN(const auto line, read_versions(cache, department, machine));
  PATCHLAB_ASSIGN(const auto* version, line.in_use(built.digest));
  if (version == nullptr) return built;
  const auto folder = images_folder(cache) / version->image;
  if (!is_there(folder / "image.json")) {
    return configuration_error(
        fmt::format("version {} of the golden image of '{}/{}' is not in '{}' any more", version->number, department,
                    machine, images_folder(cache).string()),
        fmt::format("start from another one: patchlab image use {}/{} 1 is the image from the recipe", department,
                    machine));
  }
  PATCHLAB_ASSIGN(auto image, load(folder));
  if (image.origin == version->origin) return image;
  return configuration_error(fmt::format("'{}' does not go back to the image that version {} of '{}/{}' goes back to",
                                         folder.string(), version->number, department, machine),
                             "patchlab image verify says whether somebody changed it");
}

}  // namespace patchlab::lab::image
