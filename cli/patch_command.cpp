// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "patches/bytes/file_kind.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/definitions/definitions.hpp"

namespace patchlab::cli {
namespace {

constexpr std::uintmax_t largest_ca_bundle = 16U << 20U;

struct Arguments {
  std::filesystem::path path;
  bool json = false;
  std::filesystem::path ca_bundle;
  bool allow_unsigned = false;
};

// "key          value" lines; what a package does not state is left out.
void print_fact(const char* key, const std::string& value) {
  if (!value.empty()) say("{:<12} {}\n", key, value);
}

void print_facts(const char* key, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    print_fact(key, value);
    key = "";
  }
}

void print(const patches::WindowsPackage& package, const std::string& signature) {
  print_fact("kind", to_string(package.kind));
  print_fact("package", package.name);
  print_fact("version", package.version);
  print_fact("architecture", package.architecture);
  print_fact("language", package.language);
  print_fact("title", package.title);
  print_fact("kb", package.kb);
  print_fact("release type", package.release_type);
  print_facts("windows", package.os_versions);
  print_fact("restart", package.restart);
  print_fact("removable", package.removable);
  print_facts("installs", package.packages);
  print_facts("stays", package.permanent_packages);
  if (!package.parts.empty()) print_fact("made of", fmt::format("{} packages", package.parts.size()));
  print_fact("brings stack", package.servicing_stack);
  print_fact("needs stack", package.needs_servicing_stack);
  print_facts("needs", package.prerequisites);
  print_facts("supersedes", package.supersedes);
  print_facts("superseded", package.superseded_by);
  print_fact("product code", package.product_code);
  print_fact("upgrade code", package.upgrade_code);
  for (const auto& products : package.replaces) {
    print_fact("replaces",
               fmt::format("products of {}{}{}{}{}", products.upgrade_code, products.from.empty() ? "" : " from ",
                           products.from, products.to.empty() ? "" : " to ", products.to));
  }
  print_fact("patch code", package.patch_code);
  print_facts("patches", package.target_products);
  print_facts("note", package.notes);
  print_fact("signature", signature);
  print_fact("sha256", package.sha256);
  say("unpacked     {} bytes in {} entries\n", package.unpacked_bytes, package.entries);
}

patches::SignaturePolicy policy_of(const Arguments& arguments) {
  return {arguments.ca_bundle, arguments.allow_unsigned ? patches::Unsigned::allow : patches::Unsigned::refuse};
}

// Looking is not taking in: without a CA bundle the signature is only mentioned.
ExitCode inspect_windows(const Arguments& arguments) {
  const auto name = arguments.path.string();
  const auto package = patches::inspect_windows_file(arguments.path, name);
  if (!package) return report_input(package.error(), ExitCode::bad_data);
  std::optional<patches::Signature> signature;
  if (!arguments.ca_bundle.empty() && package->carries_signature) {
    auto checked = patches::Authenticode(host_processes(), policy_of(arguments))
                       .check(arguments.path, name, patches::Carries::yes);
    if (!checked) return report(checked.error());
    signature = std::move(*checked);
  }
  if (arguments.json) {
    Json json = *package;
    if (signature) json["signature"] = *signature;
    say_json("windows-package", json);
    return ExitCode::ok;
  }
  print(*package, signature                    ? describe(*signature)
                  : package->carries_signature ? "there is one (name a CA bundle to verify it)"
                                               : "none");
  return ExitCode::ok;
}

// Before anything else reads it: a program that does would wait for a pipe.
Result<void> check_ca_bundle(const Arguments& arguments) {
  if (arguments.ca_bundle.empty()) return {};
  auto text = read_file(arguments.ca_bundle, largest_ca_bundle);
  if (!text) return std::move(text).error().while_doing("reading the CA bundle");
  return {};
}

ExitCode inspect(const Arguments& arguments) {
  if (const auto usable = check_ca_bundle(arguments); !usable) return report(usable.error());
  if (const auto known = patches::check_is_package(arguments.path); !known)
    return report_input(known.error(), ExitCode::bad_data);
  if (patches::is_windows_package(arguments.path)) return inspect_windows(arguments);
  const auto file = patches::inspect_deb(arguments.path);
  if (!file) return report_input(file.error(), ExitCode::bad_data);
  const auto definitions =
      patches::definitions_in(arguments.path, host_processes(), patches::default_store().root() / "incoming");
  if (!definitions) return report_input(definitions.error(), ExitCode::bad_data);
  if (arguments.json) {
    Json json = *file;
    json["definitions"] = *definitions;
    say_json("deb-package", json);
    return ExitCode::ok;
  }
  say("package      {}\nversion      {}\narchitecture {}\ndepends      {}\nsha256       {}\nunpacked     {} bytes in "
      "{} entries\n",
      file->package, file->version, file->architecture, file->depends, file->sha256, file->unpacked_bytes,
      file->entries);
  if (patches::is_called_as_definitions(file->package)) say("{}\n", describe(*definitions));
  return ExitCode::ok;
}

ExitCode add(const Arguments& arguments) {
  if (const auto usable = check_ca_bundle(arguments); !usable) return report(usable.error());
  const patches::Authenticode authenticode(host_processes(), policy_of(arguments));
  const auto candidate = patches::load_candidate(arguments.path, patches::default_store(), {}, &authenticode);
  if (!candidate) return report_input(candidate.error(), ExitCode::bad_data);
  if (arguments.json) {
    say_json("candidate", *candidate);
    return ExitCode::ok;
  }
  say("{} {} ({} files)\n", candidate->id, candidate->digest, candidate->files.size());
  for (const auto& file : candidate->files) {
    if (file.signature) print_fact(file.name.c_str(), describe(*file.signature));
  }
  return ExitCode::ok;
}

}  // namespace

void add_patch(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("patch", "look at a patch file, or put a candidate into the content store");
  group->require_subcommand(1);
  auto* inspecting = group->add_subcommand(
      "inspect", "what a .deb, .msu, .cab, .msi, .msp or .exe says of itself, after reading all of it");
  inspecting->add_option("file", arguments->path, "package file")->required();
  inspecting->add_flag("--json", arguments->json, "as JSON");
  inspecting->add_option("--ca-bundle", arguments->ca_bundle,
                         "verify a Windows package's signature against these certificates (PEM)");
  inspecting->callback([arguments, &chosen] { chosen = [arguments] { return inspect(*arguments); }; });
  auto* adding = group->add_subcommand("add", "verify a candidate and store its files by digest");
  adding->add_option("path", arguments->path, "folder with candidate.json, or one package file")->required();
  adding->add_flag("--json", arguments->json, "as JSON");
  adding->add_option("--ca-bundle", arguments->ca_bundle,
                     "certificates (PEM) that the signatures of Windows packages must lead to");
  adding->add_flag("--allow-unsigned", arguments->allow_unsigned,
                   "accept Windows packages without a signature, and note that");
  adding->callback([arguments, &chosen] { chosen = [arguments] { return add(*arguments); }; });
}

}  // namespace patchlab::cli
