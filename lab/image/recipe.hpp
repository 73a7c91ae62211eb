// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/guest_system.hpp"

namespace patchlab::lab::image {

// What every stand-in image shares: the Debian packages below the roles, the kernel, and what the initramfs loads, in
// order.
struct BaseRecipe {
  std::filesystem::path folder;
  std::vector<std::string> packages;
  std::string kernel_package;
  std::string initramfs_package;     // brings a static /bin/busybox
  std::vector<std::string> modules;  // without .ko, in the order of loading
  std::string cmdline;               // of the kernel; address, gateway and host name are added per machine
  std::int64_t disk_mib = 0;         // size of the root file system; the file is sparse
  bool operator==(const BaseRecipe&) const = default;
};

// An account of the image that checks may use. Laboratory only: these are no secrets, they are printed in the
// repository.
struct Credential {
  std::string id;
  std::string user;
  std::string password;
  std::string purpose;
  bool operator==(const Credential&) const = default;
};

struct ReadyPorts {
  std::vector<std::uint16_t> tcp;
  std::vector<std::uint16_t> udp;
  bool operator==(const ReadyPorts&) const = default;
};

// One stand-in golden image as data: scenarios/images/<name>/image.json. A recipe that extends another one takes over
// every member it does not name; files and setup scripts of both are applied, the extended one's first.
struct Recipe {
  std::string name;  // of its folder
  std::string role;
  std::string description;
  std::vector<std::string> packages;
  std::int64_t memory_mib = 0;
  std::string hostname;
  std::string address;                // in the address plan that the shipped recipes share; scenarios may say otherwise
  std::vector<std::string> services;  // init script names that must run
  GuestSystem system;                 // how the guest is driven
  ReadyPorts ready;
  std::vector<Credential> credentials;
  std::vector<std::filesystem::path> layers;  // its own folder last
  bool operator==(const Recipe&) const = default;
};

struct RecipeBook {
  BaseRecipe base;
  std::vector<Recipe> recipes;  // by name
};

// Pure parts, for tests. `parent` is null unless the document says "extends".
[[nodiscard]] Result<BaseRecipe> parse_base(const Json& json, const std::filesystem::path& file);
[[nodiscard]] Result<Recipe> parse_recipe(const Json& json, const std::filesystem::path& file, const Recipe* parent);

// Reads `folder`/common/base.json and every `folder`/*/image.json.
[[nodiscard]] Result<RecipeBook> read_recipes(const std::filesystem::path& folder);
// Recipes by name, in the order asked for; all when `names` is empty. An unknown name is an error that lists the known
// ones.
[[nodiscard]] Result<std::vector<Recipe>> select_recipes(const RecipeBook& book, const std::vector<std::string>& names);

// SHA-256 over everything of ours that decides what the base, or an image on it, contains: members, files with their
// executable bit, scripts. `packages_digest` stands for the release suite's package index, so that an image is rebuilt
// when the suite changes.
[[nodiscard]] Result<std::string> base_digest(const BaseRecipe& base, const std::string& packages_digest);
[[nodiscard]] Result<std::string> recipe_digest(const Recipe& recipe, const std::string& base_digest);

// The same of the recipe in this folder, as it is now, whatever the suite offers: another one means that somebody
// changed the recipe, or what it stands on.
[[nodiscard]] Result<std::string> own_digest(const std::filesystem::path& folder);

// Regular files and symbolic links below `folder`, relative, sorted. Empty when there is no such folder.
[[nodiscard]] Result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& folder);

}  // namespace patchlab::lab::image
