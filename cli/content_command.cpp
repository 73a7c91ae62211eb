// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/content/fetch.hpp"
#include "lab/content/publish.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/versions.hpp"
#include "runners/engine/progress.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::cli {
namespace {

namespace content = lab::content;
namespace image = lab::image;

struct Arguments {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> scenarios;
  content::SourceName source;
  std::string digest;
  std::filesystem::path images;
  std::optional<std::size_t> keep;
  bool json = false;
};

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20U); }

// Those that machines of these scenarios start from; without any, all in the cache. Each once.
Result<std::vector<image::GoldenImage>> wanted_images(const Arguments& arguments, const std::filesystem::path& cache) {
  if (arguments.scenarios.empty()) return image::list(cache);
  std::map<std::string, image::GoldenImage> wanted;
  for (const auto& file : arguments.scenarios) {
    PATCHLAB_ASSIGN(const auto scenario, runners::load_scenario(file, runners::ScenarioFor::learning));
    for (const auto& department : scenario.departments) {
      for (const auto& machine : department.machines) {
        if (machine.golden.domain) continue;
        PATCHLAB_ASSIGN(const auto built, image::newest_of(cache, machine.golden.recipe));
        PATCHLAB_ASSIGN(auto its, image::image_for(cache, built, department.name, machine.name));
        wanted.emplace(its.contents, std::move(its));
      }
    }
  }
  std::vector<image::GoldenImage> images;
  for (auto& [digest, one] : wanted) images.push_back(std::move(one));
  return images;
}

Json json_of(const content::Published& one) {
  return {{"name", one.name},
          {"digest", one.digest},
          {"bytes", one.bytes},
          {"new_bytes", one.new_bytes},
          {"stored_bytes", one.stored_bytes},
          {"blocks", one.blocks},
          {"new_blocks", one.new_blocks},
          {"mended_blocks", one.mended_blocks}};
}

ExitCode publish(const Arguments& arguments) {
  const auto cache = own_cache();
  if (!cache) return report(cache.error());
  const auto images = wanted_images(arguments, *cache);
  if (!images) return report(images.error());
  if (images->empty())
    return report(configuration_error(
                      fmt::format("there is no golden image in '{}' to publish", image::images_folder(*cache).string()),
                      "build one with 'patchlab image build', or name a scenario with machines of images"),
                  ExitCode::not_tested);
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  Json all = Json::array();
  for (const auto& one : *images) {
    progress.begin("image " + one.name, "publishing");
    const auto held = image::hold(one);
    const auto published = held ? content::publish(one, arguments.folder, interruption()) : held.error();
    progress.end("image " + one.name);
    if (!published) return report(published.error());
    all.push_back(json_of(*published));
    if (arguments.json) continue;
    say("{} {}: {:.1f} of {:.1f} MiB are new, {:.1f} MiB packed\n", published->name, published->digest,
        mib(published->new_bytes), mib(published->bytes), mib(published->stored_bytes));
    if (published->mended_blocks > 0) say("  {} blocks were damaged, and are mended\n", published->mended_blocks);
  }
  if (arguments.json) say_json("content-publish", {{"images", all}});
  return ExitCode::ok;
}

ExitCode fetch(const Arguments& arguments) {
  auto named = arguments.source;
  if (named.from.find("://") == std::string::npos) {
    const auto folder = absolute_path(named.from);
    if (!folder) return report(folder.error());
    named.from = folder->string();
  }
  const auto images = absolute_path(arguments.images);
  if (!images) return report(images.error());
  const auto source = content::open_source(named, interruption());
  if (!source) return report(source.error());
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  const auto fetched =
      content::fetch(**source, arguments.digest,
                     {*images, interruption(), [&](const std::string& sentence) { progress.say(sentence); }});
  if (!fetched) return report(fetched.error());
  if (arguments.json) {
    const auto& moved = fetched->moved;
    say_json("content-fetch", {{"name", fetched->index.name},
                               {"digest", arguments.digest},
                               {"folder", fetched->folder.string()},
                               {"was_there", fetched->was_there},
                               {"bytes", fetched->index.bytes()},
                               {"fetched_bytes", moved.fetched},
                               {"received_bytes", moved.received},
                               {"copied_bytes", moved.copied},
                               {"kept_bytes", moved.kept}});
  } else if (fetched->was_there) {
    say("image '{}' was there, and is intact\n", fetched->index.name);
  } else {
    say("{}\n", content::describe(*fetched));
  }
  return ExitCode::ok;
}

ExitCode trim(const Arguments& arguments) {
  const auto trimmed = content::trim(arguments.folder, arguments.keep, interruption());
  if (!trimmed) return report(trimmed.error());
  if (arguments.json)
    say_json("content-trim", {{"images", trimmed->images},
                              {"kept_images", trimmed->kept_images},
                              {"blocks", trimmed->blocks},
                              {"bytes", trimmed->bytes}});
  else
    say("{} images and {} blocks were removed, {:.1f} MiB; {} images stay\n", trimmed->images, trimmed->blocks,
        mib(trimmed->bytes), trimmed->kept_images);
  return ExitCode::ok;
}

}  // namespace

void add_content(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("content", "golden images for nodes of an executor, by digest and in blocks");
  group->require_subcommand(1);
  auto* publishing = group->add_subcommand("publish", "put images into a content folder: what is there already stays");
  publishing->add_option("folder", arguments->folder, "content folder; made when it is missing")->required();
  publishing->add_option("--scenario", arguments->scenarios,
                         "the images that its machines start from; may be given again; default: all in the cache");
  publishing->add_flag("--json", arguments->json, "as JSON");
  publishing->callback([arguments, &chosen] { chosen = [arguments] { return publish(*arguments); }; });
  auto* fetching = group->add_subcommand("fetch", "bring an image here, as a node does: of older images and of blocks");
  fetching->add_option("content", arguments->source.from, "content folder, or its URL")->required();
  fetching->add_option("digest", arguments->digest, "of the image, as publish says it")->required();
  fetching->add_option("--images", arguments->images, "folder of this host for images")->required();
  fetching->add_option("--ca-bundle", arguments->source.ca,
                       "certificates of those who sign the server's; default: the system's");
  fetching->add_flag("--json", arguments->json, "as JSON");
  fetching->callback([arguments, &chosen] { chosen = [arguments] { return fetch(*arguments); }; });
  auto* trimming = group->add_subcommand("trim", "remove from a content folder what no image in it needs");
  trimming->add_option("folder", arguments->folder, "content folder")->required();
  trimming->add_option("--keep", arguments->keep, "of each image, so many of those that were built last; default: all")
      ->check(CLI::Range(1, 10000));
  trimming->add_flag("--json", arguments->json, "as JSON");
  trimming->callback([arguments, &chosen] { chosen = [arguments] { return trim(*arguments); }; });
}

}  // namespace patchlab::cli
