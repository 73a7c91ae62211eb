// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/recipe.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/network/address.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* base_schema = "patchlab/image-base/v1";
constexpr const char* recipe_schema = "patchlab/image-recipe/v1";
// Raised when the builder itself makes different images from the same recipes.
constexpr const char* builder_version = "2";

// Names that end up in commands and file names: Debian package, module, host and role names all fit.
bool is_plain_name(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '+';
  };
  return !text.empty() && text.front() != '-' && text.front() != '.' && std::all_of(text.begin(), text.end(), fits);
}

std::string why_no_plain_name(const std::string& name) {
  return is_plain_name(name) ? "" : fmt::format("'{}' is not a name: letters, digits and '-_.+' are allowed", name);
}

enum class Least { none, one };

std::vector<std::string> plain_names(JsonReader& reader, const std::string& key, Least least) {
  std::set<std::string> seen;
  auto names = reader.texts_or_empty(key, [&seen](const std::string& name) {
    if (auto trouble = why_no_plain_name(name); !trouble.empty()) return trouble;
    return seen.insert(name).second ? "" : fmt::format("names '{}' twice", name);
  });
  const bool is_empty = !reader.has(key) || (reader.raw(key).is_array() && reader.raw(key).empty());
  if (least == Least::one && is_empty) reader.problem(key, "needs at least one name, as [\"bind9\"]");
  return names;
}

void require_schema(JsonReader& reader, const std::string& expected) {
  (void)reader.text_or("$schema", "");
  (void)reader.text("schema", [&expected](const std::string& schema) {
    return schema == expected ? "" : fmt::format("is '{}', expected '{}'", schema, expected);
  });
}

std::vector<std::uint16_t> read_ports(JsonReader& reader, const std::string& key) {
  std::vector<std::uint16_t> ports;
  if (!reader.has(key)) return ports;
  const auto& list = reader.raw(key);
  if (!list.is_array()) {
    reader.problem(key, fmt::format("must be a list of port numbers, found {}", list.type_name()));
    return ports;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& port = list[i];
    if (port.is_number_integer() && port >= 1 && port <= 65535)
      ports.push_back(port.get<std::uint16_t>());
    else
      reader.problem(key, i, fmt::format("must be a port number from 1 to 65535, found {}", port.dump()));
  }
  return ports;
}

ReadyPorts read_ready(JsonReader& parent) {
  ReadyPorts ready;
  auto reader = parent.object("ready");
  ready.tcp = read_ports(reader, "tcp");
  ready.udp = read_ports(reader, "udp");
  reader.finish();
  return ready;
}

std::vector<Credential> read_credentials(JsonReader& parent, std::vector<JsonProblem>& problems) {
  std::vector<Credential> credentials;
  const auto& list = parent.raw("credentials");
  if (!list.is_array()) {
    parent.problem("credentials", fmt::format("must be a list, found {}", list.type_name()));
    return credentials;
  }
  std::set<std::string> ids;
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonReader reader(list[i], fmt::format("{}/{}", parent.at("credentials"), i), problems);
    auto id = reader.text("id", [&ids](const std::string& text) {
      if (text.empty()) return std::string("must not be empty: checks ask for it by that");
      return ids.insert(text).second ? "" : fmt::format("'{}' is there twice", text);
    });
    credentials.push_back({std::move(id), reader.text("user", not_empty("the name of the account")),
                           reader.text("password"), reader.text_or("purpose", "")});
    reader.finish();
  }
  return credentials;
}

// The members of a recipe; those already taken over from a parent are optional.
void read_members(JsonReader& reader, Recipe& recipe, bool inherited, std::vector<JsonProblem>& problems) {
  const auto wanted = [&](const char* key) { return !inherited || reader.has(key); };
  if (wanted("role")) recipe.role = reader.text("role", why_no_plain_name);
  if (wanted("description")) recipe.description = reader.text("description", not_empty("it is what people read"));
  if (wanted("packages")) recipe.packages = plain_names(reader, "packages", Least::one);
  if (wanted("memory_mib")) recipe.memory_mib = reader.integer("memory_mib", 128, 65536);
  if (wanted("hostname")) recipe.hostname = reader.text("hostname", why_no_plain_name);
  if (wanted("address")) {
    recipe.address = reader.text("address", [](const std::string& address) {
      return network::Ipv4::parse(address) ? ""
                                           : fmt::format("'{}' is not an IPv4 address such as 10.20.0.10", address);
    });
  }
  if (wanted("services")) recipe.services = plain_names(reader, "services", Least::one);
  if (wanted("ready")) recipe.ready = read_ready(reader);
  if (reader.has("system")) recipe.system = guest_system_from(reader.raw("system"), reader.at("system"), problems);
  if (reader.has("credentials")) recipe.credentials = read_credentials(reader, problems);
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, "\n")); }

Result<void> add_file(DigestBuilder& digest, const fs::path& path, const std::string& label) {
  std::error_code trouble;
  const auto status = fs::symlink_status(path, trouble);
  if (trouble) return infrastructure_error(fmt::format("reading '{}': {}", path.string(), trouble.message()));
  digest.add(label);
  if (fs::is_symlink(status)) {
    digest.add("link").add(fs::read_symlink(path, trouble).string());
    return {};
  }
  const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
  PATCHLAB_ASSIGN(const auto text, read_file(path));
  digest.add(executable ? "program" : "file").add(text);
  return {};
}

// files/, the setup script and, for the base, the initramfs: what stands beside a recipe and gets into the image.
Result<void> add_layer(DigestBuilder& digest, const fs::path& folder) {
  PATCHLAB_ASSIGN(const auto files, files_below(folder / "files"));
  for (const auto& file : files) PATCHLAB_TRY(add_file(digest, folder / "files" / file, "files/" + file.string()));
  for (const char* script : {"setup", "initramfs/init"}) {
    if (is_there(folder / script)) PATCHLAB_TRY(add_file(digest, folder / script, script));
  }
  return {};
}

Result<Json> read_document(const fs::path& file) { return read_json_file(file).while_doing("reading an image recipe"); }

// Reads one recipe and, before it, the ones it extends.
class BookReader {
 public:
  explicit BookReader(fs::path folder) : folder_(std::move(folder)) {}

  Result<const Recipe*> read(const std::string& name) {
    if (const auto known = recipes_.find(name); known != recipes_.end()) return &known->second;
    const auto file = folder_ / name / "image.json";
    if (!open_.insert(name).second)
      return configuration_error(fmt::format("{}: /extends: the recipes extend each other in a circle", file.string()));
    PATCHLAB_ASSIGN(const auto json, read_document(file));
    const Recipe* parent = nullptr;
    if (json.is_object() && json.contains("extends") && json["extends"].is_string()) {
      const auto wanted = json["extends"].get<std::string>();
      if (!is_plain_name(wanted) || !is_there(folder_ / wanted / "image.json")) {
        return configuration_error(fmt::format("{}: /extends: there is no recipe '{}'", file.string(), wanted));
      }
      PATCHLAB_ASSIGN(parent, read(wanted));
    }
    PATCHLAB_ASSIGN(auto recipe, parse_recipe(json, file, parent));
    return &recipes_.emplace(name, std::move(recipe)).first->second;
  }

  [[nodiscard]] std::vector<Recipe> all() const {
    std::vector<Recipe> recipes;
    for (const auto& [name, recipe] : recipes_) recipes.push_back(recipe);
    return recipes;
  }

 private:
  fs::path folder_;
  std::map<std::string, Recipe> recipes_;
  std::set<std::string> open_;
};

}  // namespace

Result<BaseRecipe> parse_base(const Json& json, const fs::path& file) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  BaseRecipe base;
  base.folder = file.parent_path();
  require_schema(reader, base_schema);
  base.packages = plain_names(reader, "packages", Least::one);
  base.kernel_package = reader.text("kernel_package", why_no_plain_name);
  base.initramfs_package = reader.text("initramfs_package", why_no_plain_name);
  base.modules = plain_names(reader, "modules", Least::none);
  base.cmdline = reader.text("cmdline", not_empty("the kernel needs at least root=/dev/vda"));
  base.disk_mib = reader.integer("disk_mib", 512, 65536);
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  return base;
}

Result<Recipe> parse_recipe(const Json& json, const fs::path& file, const Recipe* parent) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  Recipe recipe = parent != nullptr ? *parent : Recipe{};
  recipe.name = file.parent_path().filename().string();
  recipe.layers.push_back(file.parent_path());
  require_schema(reader, recipe_schema);
  (void)reader.text_or("extends", "", why_no_plain_name);
  read_members(reader, recipe, parent != nullptr, problems);
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  return recipe;
}

Result<RecipeBook> read_recipes(const fs::path& folder) {
  const auto base_file = folder / "common" / "base.json";
  PATCHLAB_ASSIGN(const auto json, read_document(base_file));
  RecipeBook book;
  PATCHLAB_ASSIGN(book.base, parse_base(json, base_file));
  BookReader reader(folder);
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
  for (const auto& entry : entries) {
    if (is_there(entry / "image.json")) PATCHLAB_TRY(reader.read(entry.filename().string()));
  }
  book.recipes = reader.all();
  return book;
}

Result<std::vector<Recipe>> select_recipes(const RecipeBook& book, const std::vector<std::string>& names) {
  if (names.empty()) return book.recipes;
  std::vector<Recipe> chosen;
  for (const auto& name : names) {
    const auto found =
        std::find_if(book.recipes.begin(), book.recipes.end(), [&](const Recipe& r) { return r.name == name; });
    if (found == book.recipes.end()) {
      std::vector<std::string> known;
      for (const auto& recipe : book.recipes) known.push_back(recipe.name);
      return configuration_error(fmt::format("there is no image recipe '{}'", name),
                                 fmt::format("known recipes: {}", fmt::join(known, ", ")));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

Result<std::string> base_digest(const BaseRecipe& base, const std::string& packages_digest) {
  DigestBuilder digest;
  digest.add("base").add(builder_version).add(packages_digest);
  digest.add(joined(base.packages)).add(base.kernel_package).add(base.initramfs_package).add(joined(base.modules));
  digest.add(base.cmdline).add(std::to_string(base.disk_mib));
  PATCHLAB_TRY(add_layer(digest, base.folder));
  return digest.finish();
}

Result<std::string> recipe_digest(const Recipe& recipe, const std::string& base_digest) {
  DigestBuilder digest;
  digest.add("image")
      .add(base_digest)
      .add(recipe.name)
      .add(recipe.role)
      .add(recipe.description)
      .add(joined(recipe.packages));
  digest.add(std::to_string(recipe.memory_mib)).add(recipe.hostname).add(recipe.address).add(joined(recipe.services));
  for (const auto* ports : {&recipe.ready.tcp, &recipe.ready.udp})
    digest.add(fmt::format("{}", fmt::join(*ports, " ")));
  digest.add(Json(recipe.system).dump());
  for (const auto& one : recipe.credentials) digest.add(one.id).add(one.user).add(one.password).add(one.purpose);
  for (const auto& layer : recipe.layers) {
    digest.add("layer");
    PATCHLAB_TRY(add_layer(digest, layer));
  }
  return digest.finish();
}

Result<std::string> own_digest(const fs::path& folder) {
  PATCHLAB_ASSIGN(const auto book, read_recipes(folder.parent_path()));
  PATCHLAB_ASSIGN(const auto recipes, select_recipes(book, {folder.filename().string()}));
  PATCHLAB_ASSIGN(const auto base, base_digest(book.base, ""));  // as the builder writes it into image.json
  return recipe_digest(recipes.front(), base);
}

Result<std::vector<fs::path>> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code trouble;
  if (!fs::exists(folder, trouble)) return files;
  for (auto at = fs::recursive_directory_iterator(folder, trouble);
       !trouble && at != fs::recursive_directory_iterator(); at.increment(trouble)) {
    const auto status = at->symlink_status(trouble);
    if (fs::is_directory(status)) continue;
    if (!fs::is_symlink(status) && !fs::is_regular_file(status))
      return configuration_error(fmt::format("'{}' is neither file, folder nor link", at->path().string()));
    files.push_back(at->path().lexically_relative(folder));
  }
  if (trouble) return infrastructure_error(fmt::format("listing '{}': {}", folder.string(), trouble.message()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace patchlab::lab::image
