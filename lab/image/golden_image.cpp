// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/golden_image.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* image_schema = "patchlab/image/v1";
constexpr std::array<const char*, 4> content_files{"disk.qcow2", "dpkg-status", "initrd", "kernel"};
constexpr const char* provenance_file = "provenance.json";  // of one that patches were put into

std::map<std::string, std::string> read_texts(JsonReader& parent, const std::string& key,
                                              std::vector<JsonProblem>& problems) {
  std::map<std::string, std::string> texts;
  JsonReader reader(parent.raw(key), parent.at(key), problems);
  if (!parent.raw(key).is_object()) return texts;
  for (const auto& [name, value] : parent.raw(key).items()) texts[name] = reader.text(name);
  return texts;
}

std::vector<std::uint16_t> ports_of(const Json& json, const char* key) {
  std::vector<std::uint16_t> ports;
  if (!json.is_object() || !json.contains(key) || !json[key].is_array()) return ports;
  for (const auto& port : json[key]) {
    if (port.is_number_unsigned()) ports.push_back(port.get<std::uint16_t>());
  }
  return ports;
}

std::vector<Credential> credentials_of(const Json& json, const std::string& pointer,
                                       std::vector<JsonProblem>& problems) {
  std::vector<Credential> credentials;
  if (!json.is_array()) return credentials;
  for (std::size_t i = 0; i < json.size(); ++i) {
    JsonReader reader(json[i], fmt::format("{}/{}", pointer, i), problems);
    credentials.push_back({reader.text("id"), reader.text("user"), reader.text("password"), reader.text("purpose")});
    reader.finish();
  }
  return credentials;
}

Error not_an_image(const fs::path& folder, const std::string& why) {
  return configuration_error(fmt::format("golden image '{}': {}", folder.string(), why),
                             "remove the folder and build the image again with 'patchlab image build'");
}

// A cache that is no folder: "cache/images" is not found there, either.
bool is_other_file(const fs::path& cache) {
  std::error_code trouble;
  return fs::exists(fs::symlink_status(cache, trouble)) && !is_folder(cache);
}

Result<void> verify_permissions(const fs::path& path) {
  std::error_code trouble;
  const auto permissions = fs::status(path, trouble).permissions();
  if (trouble) return infrastructure_error(fmt::format("reading '{}': {}", path.string(), trouble.message()));
  constexpr auto writable = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  if ((permissions & writable) != fs::perms::none)
    return not_an_image(path.parent_path(), fmt::format("'{}' is writable", path.filename().string()));
  return {};
}

}  // namespace

std::string machine_words(const std::string& address, unsigned prefix, const std::string& gateway,
                          const std::string& hostname) {
  return fmt::format("patchlab.address={}/{} patchlab.gateway={} patchlab.hostname={}", address, prefix, gateway,
                     hostname);
}

void to_json(Json& json, const GoldenImage& image) {
  auto credentials = Json::array();
  for (const auto& one : image.credentials) {
    credentials.push_back({{"id", one.id}, {"user", one.user}, {"password", one.password}, {"purpose", one.purpose}});
  }
  json = Json{{"schema", image_schema},
              {"digest", image.digest},
              {"name", image.name},
              {"role", image.role},
              {"description", image.description},
              {"cmdline", image.cmdline},
              {"memory_mib", image.memory_mib},
              {"hostname", image.hostname},
              {"address", image.address},
              {"services", image.services},
              {"ready", {{"tcp", image.ready.tcp}, {"udp", image.ready.udp}}},
              {"system", image.system},
              {"credentials", std::move(credentials)},
              {"packages", image.packages},
              {"sha256", image.sha256},
              {"built", image.built},
              {"suite", image.suite},
              {"recipe", image.recipe}};
  if (image.is_built()) return;
  json["parent"] = image.parent;
  json["origin"] = image.origin;
}

Result<GoldenImage> golden_image_from_json(const Json& json, const fs::path& folder) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  GoldenImage image;
  if (reader.text("schema") != image_schema) reader.problem("schema", fmt::format("must be '{}'", image_schema));
  image.digest = reader.text("digest");
  image.name = reader.text("name");
  image.role = reader.text("role");
  image.description = reader.text("description");
  image.cmdline = reader.text("cmdline");
  image.memory_mib = reader.integer("memory_mib", 1, 1 << 20);
  image.hostname = reader.text("hostname");
  image.address = reader.text("address");
  image.services = reader.texts_or_empty("services");
  image.ready = {ports_of(reader.raw("ready"), "tcp"), ports_of(reader.raw("ready"), "udp")};
  // Images from before this was asked are still in caches, and all of them are Debian.
  if (reader.has("system")) image.system = guest_system_from(reader.raw("system"), reader.at("system"), problems);
  image.credentials = credentials_of(reader.raw("credentials"), reader.at("credentials"), problems);
  image.packages = read_texts(reader, "packages", problems);
  image.sha256 = read_texts(reader, "sha256", problems);
  image.built = reader.text("built");
  image.suite = reader.text("suite");
  image.recipe = reader.text_or("recipe", "");
  image.parent = reader.text_or("parent", "");
  image.origin = reader.text_or("origin", "");
  if (image.parent.empty() != image.origin.empty()) reader.problem("origin", "must be there with 'parent'");
  if (!image.is_built() && !image.sha256.contains(provenance_file))
    reader.problem("sha256", fmt::format("must have '{}'", provenance_file));
  reader.finish();
  if (!problems.empty()) return problems_error((folder / "image.json").string(), problems);
  image.folder = folder;
  image.disk = folder / "disk.qcow2";
  image.kernel = folder / "kernel";
  image.initrd = folder / "initrd";
  image.dpkg_status = folder / "dpkg-status";
  return image;
}

fs::path images_folder(const fs::path& cache) { return cache / "images"; }

Result<GoldenImage> load(const fs::path& folder) {
  PATCHLAB_ASSIGN(const auto text, read_file(folder / "image.json"));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, (folder / "image.json").string()));
  PATCHLAB_ASSIGN(auto image, golden_image_from_json(json, folder));
  image.contents = sha256(text);
  if (image.digest != folder.filename().string())
    return not_an_image(folder, fmt::format("image.json says digest '{}'", image.digest));
  return image;
}

Result<std::vector<GoldenImage>> list(const fs::path& cache) {
  std::vector<GoldenImage> images;
  std::error_code trouble;
  // Not there yet is one thing, and not to be read another.
  if (fs::status(images_folder(cache), trouble).type() == fs::file_type::not_found && !is_other_file(cache))
    return images;
  PATCHLAB_ASSIGN(const auto entries, entries_of(images_folder(cache)));
  for (const auto& entry : entries) {
    if (!is_sha256(entry.filename().string()) || !is_folder(entry)) continue;
    PATCHLAB_ASSIGN(auto image, load(entry));
    images.push_back(std::move(image));
  }
  std::sort(images.begin(), images.end(), [](const GoldenImage& a, const GoldenImage& b) {
    return a.name != b.name ? a.name < b.name : a.built > b.built;
  });
  return images;
}

Result<GoldenImage> newest(const fs::path& cache, const std::string& name) {
  PATCHLAB_ASSIGN(const auto images, list(cache));
  for (const auto& image : images) {
    if (image.name == name && image.is_built()) return image;
  }
  return configuration_error(fmt::format("there is no golden image '{}' in '{}'", name, images_folder(cache).string()),
                             fmt::format("build it with 'patchlab image build {}'", name));
}

Result<GoldenImage> newest_of(const fs::path& cache, const fs::path& folder) {
  PATCHLAB_ASSIGN(const auto own, own_digest(folder));
  const auto name = folder.filename().string();
  PATCHLAB_ASSIGN(const auto images, list(cache));
  bool was_another = false;
  for (const auto& image : images) {
    if (image.name != name || !image.is_built()) continue;
    if (image.recipe.empty() || image.recipe == own) return image;
    was_another = true;
  }
  return configuration_error(
      fmt::format("there is no golden image of the recipe '{}'{} in '{}'", folder.string(),
                  was_another ? " as it is now" : "", images_folder(cache).string()),
      fmt::format("build it with 'patchlab image build {} --recipes {}'", name, folder.parent_path().string()));
}

Result<void> verify(const GoldenImage& image) {
  PATCHLAB_TRY(verify_permissions(image.folder / "image.json"));
  PATCHLAB_ASSIGN(const auto described, sha256_of_file(image.folder / "image.json"));
  if (described != image.contents)
    return not_an_image(image.folder,
                        fmt::format("'image.json' has changed: expected {}, found {}", image.contents, described));
  std::vector<std::string> files(content_files.begin(), content_files.end());
  if (!image.is_built()) files.emplace_back(provenance_file);
  for (const auto& name : files) {
    const auto expected = image.sha256.find(name);
    if (expected == image.sha256.end())
      return not_an_image(image.folder, fmt::format("image.json has no digest of '{}'", name));
    PATCHLAB_TRY(verify_permissions(image.folder / name));
    PATCHLAB_ASSIGN(const auto found, sha256_of_file(image.folder / name));
    if (found != expected->second) {
      return not_an_image(image.folder,
                          fmt::format("'{}' has changed: expected {}, found {}", name, expected->second, found));
    }
  }
  return {};
}

Result<FileLock> hold(const GoldenImage& image) {
  return FileLock::take(image.folder / "image.json", FileLock::Mode::shared, FileLock::at_once())
      .while_doing(fmt::format("holding golden image '{}'", image.name));
}

Result<FileLock> hold_cache(const fs::path& cache, const FileLock::Patience& patience) {
  return FileLock::take(cache / "image-build.lock", FileLock::Mode::exclusive, patience);
}

void remove_half_made(const fs::path& folder) {
  for (const auto& entry : entries_of(folder).value_or({})) {
    if (entry.filename().string().starts_with(".new-")) static_cast<void>(remove_tree(entry));
  }
}

InstalledSet parse_dpkg_status(std::string_view text) {
  InstalledSet installed;
  std::string package, architecture, version;
  bool is_installed = false;
  const auto close_paragraph = [&] {
    if (is_installed && !package.empty()) installed[package + ":" + architecture] = version;
    package.clear();
    is_installed = false;
  };
  const auto field = [](std::string_view line, std::string_view name, std::string& value) {
    if (line.substr(0, name.size()) == name) value = line.substr(name.size());
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) close_paragraph();
    field(line, "Package: ", package);
    field(line, "Architecture: ", architecture);
    field(line, "Version: ", version);
    if (line.substr(0, 8) == "Status: ") is_installed = line.find(" ok installed") != std::string_view::npos;
  }
  close_paragraph();
  return installed;
}

}  // namespace patchlab::lab::image
