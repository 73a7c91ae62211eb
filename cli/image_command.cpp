// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/answers.hpp"
#include "cli/image_commands.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/builder.hpp"
#include "lab/image/recipe.hpp"
#include "runners/engine/progress.hpp"

namespace patchlab::cli {
namespace {

namespace image = lab::image;

struct Arguments {
  std::filesystem::path recipes;
  std::vector<std::string> names;
  bool json = false;
};

double seconds(Milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

// Those of the folder that we are in, as in a checkout; else those that patchlab came with.
Result<std::filesystem::path> recipes_of(const Arguments& arguments) {
  const std::filesystem::path here = "scenarios/images";
  if (!arguments.recipes.empty()) return arguments.recipes;
  if (is_folder(here)) return here;
  PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
  return share / here;
}

ExitCode build(const Arguments& arguments) {
  const auto recipes = recipes_of(arguments);
  if (!recipes) return report(recipes.error());
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  image::BuildRequest request;
  request.recipes = *recipes;
  request.names = arguments.names;
  request.stop = interruption();
  request.progress = [&](const image::BuildEvent& event) {
    progress.say(fmt::format("image {}: {}", event.image, event.text));
  };
  if (!arguments.names.empty()) {
    const auto book = image::read_recipes(*recipes);
    if (!book) return report(book.error());
    std::vector<std::string> known;
    for (const auto& recipe : book->recipes) known.push_back(recipe.name);
    const auto what = fmt::format("is not in '{}'", recipes->string());
    if (const auto found = check_choice("recipe", arguments.names, what, known); !found)
      return report(found.error(), ExitCode::usage);
  }
  const auto built = image::build(host_processes(), request);
  if (!built) return report(built.error());
  if (arguments.json) {
    say_json("image-build", image_build_json(*built));
    return ExitCode::ok;
  }
  std::vector<std::vector<Cell>> rows{{{"IMAGE", {}}, {"ROLE", {}}, {"DIGEST", {}}, {"", {}}}};
  for (const auto& one : *built) {
    rows.push_back({{one.image.name, {}},
                    {one.image.role, {}},
                    {one.image.digest.substr(0, 16), {}},
                    {one.was_there ? "was there" : fmt::format("built in {:.1f} s", seconds(one.took)), {}}});
  }
  write_out(table(rows));
  return ExitCode::ok;
}

ExitCode list(const Arguments& arguments) {
  const auto images = image::list(cache_folder());
  if (!images) return report_input(images.error(), ExitCode::bad_data);
  const auto lines = image::all_versions(cache_folder());
  if (!lines) return report_input(lines.error(), ExitCode::bad_data);
  if (arguments.json) {
    Json all = Json::array();
    for (const auto& one : *images) all.push_back(one);
    Json versions = Json::array();
    for (const auto& line : *lines) versions.push_back(version_line_json(line));
    say_json("image-list", {{"images", all}, {"versions", versions}});
    return ExitCode::ok;
  }
  std::vector<std::vector<Cell>> rows{
      {{"IMAGE", {}}, {"ROLE", {}}, {"DIGEST", {}}, {"SUITE", {}}, {"BUILT", {}}, {"MADE OF", {}}}};
  for (const auto& one : *images) {
    rows.push_back({{one.name, {}},
                    {one.role, {}},
                    {one.digest.substr(0, 16), {}},
                    {one.suite, {}},
                    {one.built, {}},
                    {one.is_built() ? "its recipe" : one.parent.substr(0, 16), {}}});
  }
  write_out(table(rows));
  for (const auto& line : *lines) {
    if (line.versions.empty()) continue;
    say("{}/{} starts from {}\n", line.department, line.machine, starts_from(line));
    for (const auto& version : line.versions) say("  version {}: {}\n", version.number, version.image.substr(0, 16));
  }
  return ExitCode::ok;
}

ExitCode verify(const Arguments& arguments) {
  const auto images = image::list(cache_folder());
  if (!images) return report_input(images.error(), ExitCode::bad_data);
  auto code = ExitCode::ok;
  std::vector<VerifiedImage> verified;
  for (const auto& one : *images) {
    const auto intact = image::verify(one);
    verified.push_back({one, intact ? std::string() : intact.error().message});
    if (!arguments.json) say("{} {} {}\n", one.name, one.digest.substr(0, 16), intact ? "intact" : "CHANGED");
    if (!intact) code = report_input(intact.error(), ExitCode::bad_data);
  }
  if (arguments.json) say_json("image-verify", image_verify_json(verified));
  if (!verified.empty()) return code;
  return report(configuration_error(fmt::format("there is no golden image in '{}' to verify",
                                                image::images_folder(cache_folder()).string()),
                                    "build one with 'patchlab image build', or set PATCHLAB_CACHE"),
                ExitCode::not_tested);
}

}  // namespace

void add_image(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("image", "build, list, verify and refresh golden images, import machines");
  group->require_subcommand(1);
  auto* building = group->add_subcommand("build", "build the stand-in images that are missing");
  building->add_option("names", arguments->names, "recipes; all when none is given");
  building->add_option("--recipes", arguments->recipes,
                       "folder of recipes; default: scenarios/images, else those that patchlab came with");
  building->add_flag("--json", arguments->json, "as JSON");
  building->callback([arguments, &chosen] { chosen = [arguments] { return build(*arguments); }; });
  auto* listing = group->add_subcommand("list", "what is in the cache");
  listing->add_flag("--json", arguments->json, "as JSON");
  listing->callback([arguments, &chosen] { chosen = [arguments] { return list(*arguments); }; });
  add_image_import(*group, chosen);
  add_image_refresh(*group, chosen);
  add_image_versions(*group, chosen);
  auto* verifying = group->add_subcommand("verify", "read every image again and compare its digests");
  verifying->add_flag("--json", arguments->json, "as JSON");
  verifying->callback([arguments, &chosen] { chosen = [arguments] { return verify(*arguments); }; });
}

}  // namespace patchlab::cli
