// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/builder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/build_commands.hpp"
#include "lab/image/initramfs.hpp"
#include "lab/image/kernel.hpp"

namespace patchlab::lab::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

// Everything that decides the digests, read once.
struct Inputs {
  RecipeBook book;
  std::vector<Recipe> wanted;
  ReleaseSource source;
  std::string base_digest;
  std::vector<std::string> digests;  // of `wanted`
};

Result<Inputs> read_inputs(ProcessRunner& runner, const BuildRequest& request) {
  Inputs inputs;
  PATCHLAB_ASSIGN(inputs.book, read_recipes(request.recipes));
  PATCHLAB_ASSIGN(inputs.wanted, select_recipes(inputs.book, request.names));
  PATCHLAB_ASSIGN(inputs.source, host_release_source(runner, request.cache));
  PATCHLAB_ASSIGN(const auto packages_digest, sha256_of_file(inputs.source.index));
  PATCHLAB_ASSIGN(inputs.base_digest, base_digest(inputs.book.base, packages_digest));
  for (const auto& recipe : inputs.wanted) {
    PATCHLAB_ASSIGN(auto digest, recipe_digest(recipe, inputs.base_digest));
    inputs.digests.push_back(std::move(digest));
  }
  return inputs;
}

bool is_present(const fs::path& cache, const std::string& digest) {
  return is_there(images_folder(cache) / digest / "image.json");
}

Result<void> set_mode(const fs::path& path, ::mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0)
    return errno_error(fmt::format("changing the mode of '{}'", path.string()), errno);
  return {};
}

Result<void> rename_path(const fs::path& from, const fs::path& to) {
  std::error_code trouble;
  fs::rename(from, to, trouble);
  if (trouble)
    return infrastructure_error(
        fmt::format("renaming '{}' to '{}': {}", from.string(), to.string(), trouble.message()));
  return {};
}

Result<void> move_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code trouble;
  fs::rename(from, to, trouble);
  if (!trouble) return {};
  trouble.clear();
  fs::copy_file(from, to, trouble);  // another file system
  if (trouble)
    return infrastructure_error(fmt::format("copying '{}' to '{}': {}", from.string(), to.string(), trouble.message()));
  return {};
}

// One run of `build` in which something is missing: owns the scratch folder and the lock.
class Builder {
 public:
  Builder(ProcessRunner& runner, const BuildRequest& request, Inputs inputs)
      : runner_(runner), request_(request), inputs_(std::move(inputs)), started_(system_clock_source().now()) {}
  ~Builder() {
    if (!place_.scratch.empty()) runner_.run(remove_command(host_, place_.scratch));
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Result<std::vector<BuiltImage>> run();

 private:
  Result<void> prepare();
  Result<void> make_scratch();
  Result<void> make_base();
  Result<void> make_kernel(const fs::path& folder);
  Result<void> make_overlays();
  Result<BuiltImage> make_image(const Recipe& recipe, const std::string& digest, std::stop_token stop);
  Result<void> make_disk(const Recipe& recipe, const fs::path& folder, std::stop_token stop);
  Result<void> describe(const Recipe& recipe, const std::string& digest, const fs::path& folder);
  Result<void> run_program(const std::string& image, ProcessSpec spec, std::stop_token stop);
  void say(const std::string& image, const std::string& text);

  [[nodiscard]] fs::path base_folder() const { return request_.cache / "image-bases" / inputs_.base_digest; }
  [[nodiscard]] fs::path overlays() const { return place_.scratch / "overlays"; }

  ProcessRunner& runner_;
  const BuildRequest& request_;
  Inputs inputs_;
  Milliseconds started_;
  std::optional<FileLock> lock_;
  BuildHost host_;
  BuildPlace place_;
  std::mutex talking_;
};

void Builder::say(const std::string& image, const std::string& text) {
  const std::lock_guard guard(talking_);
  if (request_.progress) request_.progress({image, text, system_clock_source().now() - started_});
}

Result<void> Builder::run_program(const std::string& image, ProcessSpec spec, std::stop_token stop) {
  // mmdebstrap says what it does in lines that begin with "I: "; its hooks are our own business.
  spec.on_error_line = [this, image](const std::string& line) {
    if (line.rfind("I: ", 0) == 0 && line.find("hook") == std::string::npos &&
        line.find("skipping") == std::string::npos)
      say(image, line.substr(3));
  };
  const auto output = run_for_output(runner_, spec, stop);
  if (!output) return Error(output.error()).while_doing(fmt::format("building image '{}'", image));
  return {};
}

Result<void> Builder::make_scratch() {
  const char* temporary = std::getenv("TMPDIR");
  const fs::path parent = temporary != nullptr && *temporary != '\0' ? temporary : "/var/tmp";
  // One name per user and cache: what a killed build left is found, and no two builds meet, since each holds the lock
  // of its cache.
  PATCHLAB_ASSIGN(const auto cache, absolute_path(request_.cache));
  place_.scratch = parent / fmt::format("patchlab-images-{}-{}", ::geteuid(), sha256(cache.string()).substr(0, 8));
  runner_.run(remove_command(host_, place_.scratch));
  if (::mkdir(place_.scratch.c_str(), 0711) != 0) {
    auto error = errno_error(fmt::format("creating '{}'", place_.scratch.string()), errno);
    place_.scratch.clear();
    return error;
  }
  return set_mode(place_.scratch, 0711);
}

Result<void> Builder::prepare() {
  for (const auto& folder : {images_folder(request_.cache), request_.cache / "image-bases"})
    PATCHLAB_TRY(create_folders(folder));
  // As long as a build of all images takes on a slow host.
  const FileLock::Patience patience{
      .limit = std::chrono::hours(2), .stop = request_.stop, .waiting = [this](const std::string& holder) {
        say("base", "waiting for another image build: " + holder);
      }};
  PATCHLAB_ASSIGN(lock_, hold_cache(request_.cache, patience));
  remove_half_made(images_folder(request_.cache));
  remove_half_made(request_.cache / "image-bases");
  PATCHLAB_ASSIGN(host_.mode, build_mode(runner_));
  host_.codename = inputs_.source.codename;
  PATCHLAB_ASSIGN(const auto options, run_for_output(runner_, apt_options_command()));
  host_.apt_options = parse_apt_options(options);
  PATCHLAB_TRY(make_scratch());
  return write_file_atomically(place_.sources(), sources_line(inputs_.source, keyring));
}

Result<void> Builder::make_kernel(const fs::path& folder) {
  say("base", "making the initramfs");
  PATCHLAB_TRY(create_folders(place_.kernel_files()));
  PATCHLAB_ASSIGN(const auto packages, entries_of(place_.packages()));
  for (const auto& package : packages) {
    if (package.extension() == ".deb")
      PATCHLAB_TRY(run_program("base", unpack_command(package, place_.kernel_files()), request_.stop));
  }
  const auto& base = inputs_.book.base;
  PATCHLAB_ASSIGN(const auto initramfs,
                  make_initramfs(place_.kernel_files() / "bin" / "busybox", base.folder / "initramfs" / "init",
                                 place_.kernel_files(), base.modules));
  PATCHLAB_TRY(write_file_atomically(folder / "initrd", initramfs));
  for (const auto& entry : entries_of(place_.kernel_files() / "boot").value_or({})) {
    if (!entry.filename().string().starts_with("vmlinuz-")) continue;
    PATCHLAB_ASSIGN(const auto packed, read_file(entry));
    PATCHLAB_ASSIGN(const auto kernel, unpacked_kernel(packed));
    return write_file_atomically(folder / "kernel", kernel);
  }
  return infrastructure_error(fmt::format("the package '{}' has no kernel in /boot", base.kernel_package));
}

Result<void> Builder::make_base() {
  if (is_there(base_folder() / "base.tar")) return {};
  say("base",
      fmt::format("installing the common packages of Debian '{}' (mode {})", host_.codename, to_string(host_.mode)));
  const auto fresh = base_folder().parent_path() / (".new-" + inputs_.base_digest);
  PATCHLAB_TRY(create_folders(fresh));
  PATCHLAB_TRY(
      run_program("base", base_command(host_, place_, inputs_.book.base, place_.scratch / "base.tar"), request_.stop));
  PATCHLAB_TRY(make_kernel(fresh));
  PATCHLAB_TRY(move_or_copy(place_.scratch / "base.tar", fresh / "base.tar"));
  // Older bases serve nobody: their images are finished.
  for (const auto& entry : entries_of(base_folder().parent_path()).value_or({})) {
    if (entry != fresh) static_cast<void>(remove_tree(entry));
  }
  return rename_path(fresh, base_folder());
}

Result<void> Builder::make_overlays() {
  PATCHLAB_TRY(create_folders(overlays()));
  std::set<fs::path> layers{inputs_.book.base.folder};
  for (const auto& recipe : inputs_.wanted) layers.insert(recipe.layers.begin(), recipe.layers.end());
  for (const auto& layer : layers) {
    if (!is_there(layer / "files")) continue;
    PATCHLAB_TRY(
        run_program("base", overlay_command(layer, overlays() / (layer.filename().string() + ".tar")), request_.stop));
  }
  return {};
}

Result<void> Builder::make_disk(const Recipe& recipe, const fs::path& folder, std::stop_token stop) {
  const auto tar = place_.scratch / (recipe.name + ".tar");
  const auto raw = place_.scratch / (recipe.name + ".raw");
  say(recipe.name, "installing the packages of the role");
  PATCHLAB_TRY(run_program(
      recipe.name, role_command(host_, place_, inputs_.book.base, recipe, base_folder() / "base.tar", overlays(), tar),
      stop));
  say(recipe.name, "making the disk");
  PATCHLAB_TRY(run_program(recipe.name,
                           disk_command(host_, tar, raw, folder / "dpkg-status", inputs_.book.base.disk_mib), stop));
  PATCHLAB_TRY(run_program(recipe.name, qcow2_command(raw, folder / "disk.qcow2"), stop));
  std::error_code ignored;
  fs::remove(raw, ignored);
  return {};
}

Result<void> Builder::describe(const Recipe& recipe, const std::string& digest, const fs::path& folder) {
  GoldenImage image;
  image.digest = digest;
  image.name = recipe.name;
  image.role = recipe.role;
  image.description = recipe.description;
  image.cmdline = inputs_.book.base.cmdline;
  image.memory_mib = recipe.memory_mib;
  image.hostname = recipe.hostname;
  image.address = recipe.address;
  image.services = recipe.services;
  image.ready = recipe.ready;
  image.system = recipe.system;
  image.credentials = recipe.credentials;
  image.built = rfc3339(system_clock_source().wall());
  image.suite = host_.codename;
  PATCHLAB_ASSIGN(const auto own_base, base_digest(inputs_.book.base, ""));
  PATCHLAB_ASSIGN(image.recipe, recipe_digest(recipe, own_base));
  PATCHLAB_ASSIGN(const auto status, read_file(folder / "dpkg-status"));
  image.packages = parse_dpkg_status(status);
  for (const char* name : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
    PATCHLAB_ASSIGN(image.sha256[name], sha256_of_file(folder / name));
    PATCHLAB_TRY(set_mode(folder / name, 0444));
  }
  PATCHLAB_TRY(write_file_atomically(folder / "image.json", pretty(Json(image))));
  return set_mode(folder / "image.json", 0444);
}

Result<BuiltImage> Builder::make_image(const Recipe& recipe, const std::string& digest, std::stop_token stop) {
  const auto folder = images_folder(request_.cache) / digest;
  const auto began = system_clock_source().now();
  const bool was_there = is_present(request_.cache, digest);
  if (!was_there) {
    const auto fresh = images_folder(request_.cache) / (".new-" + digest);
    PATCHLAB_TRY(create_folders(fresh));
    PATCHLAB_TRY(make_disk(recipe, fresh, stop));
    for (const char* name : {"kernel", "initrd"}) {
      std::error_code trouble;
      fs::copy_file(base_folder() / name, fresh / name, trouble);
      if (trouble)
        return infrastructure_error(
            fmt::format("copying '{}': {}", (base_folder() / name).string(), trouble.message()));
    }
    PATCHLAB_TRY(describe(recipe, digest, fresh));
    PATCHLAB_TRY(rename_path(fresh, folder));
    PATCHLAB_TRY(set_mode(folder, 0555));
  }
  PATCHLAB_ASSIGN(auto image, load(folder));
  const auto took = system_clock_source().now() - began;
  if (!was_there) say(recipe.name, fmt::format("ready after {:.1f} s", static_cast<double>(took.count()) / 1000));
  return BuiltImage{std::move(image), was_there, took};
}

Result<std::vector<BuiltImage>> Builder::run() {
  const FilesForAll files;  // mmdebstrap works as users that are not ours
  PATCHLAB_TRY(prepare());
  PATCHLAB_TRY(make_base());
  PATCHLAB_TRY(make_overlays());
  std::vector<std::optional<Result<BuiltImage>>> results(inputs_.wanted.size());
  std::atomic<std::size_t> next{0};
  std::stop_source failed;  // the first failure ends the others, and so does the caller
  const std::stop_callback forward(request_.stop, [&] { failed.request_stop(); });
  const auto work = [&] {
    for (std::size_t i = next++; i < results.size() && !failed.stop_requested(); i = next++) {
      results[i] = make_image(inputs_.wanted[i], inputs_.digests[i], failed.get_token());
      if (!*results[i]) failed.request_stop();
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < std::max(1U, request_.jobs); ++i) workers.emplace_back(work);
  }
  std::vector<BuiltImage> images;
  std::optional<Error> trouble;
  for (auto& result : results) {
    if (result && *result) images.push_back(std::move(**result));
    // An image that was only cancelled because another one failed is not the news.
    else if (result && (!trouble || trouble->error_class == ErrorClass::cancelled))
      trouble = result->error();
  }
  if (trouble) return *trouble;
  if (images.size() != results.size()) return Error{ErrorClass::cancelled, "building images: cancelled", {}};
  return images;
}

}  // namespace

Result<BuildMode> build_mode(ProcessRunner& runner) {
  if (::geteuid() == 0) return BuildMode::root;
  const auto works = [&](std::vector<std::string> arguments, const char* program) {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = std::move(arguments);
    spec.time_limit = std::chrono::seconds(30);
    return runner.run(spec).succeeded();
  };
  if (works({"--user", "--map-auto", "--map-root-user", "--", "true"}, "unshare")) return BuildMode::unshare;
  if (works({"--version"}, "fakechroot") && works({"--version"}, "fakeroot")) return BuildMode::fakechroot;
  return configuration_error("an ordinary user needs a range of user ids, or fakechroot, to build images",
                             "install 'uidmap' and add a line for the user to /etc/subuid and /etc/subgid, or install "
                             "'fakechroot' and 'fakeroot'");
}

Result<std::vector<CurrentImage>> current_images(ProcessRunner& runner, const BuildRequest& request) {
  PATCHLAB_ASSIGN(const auto inputs, read_inputs(runner, request));
  std::vector<CurrentImage> images;
  for (std::size_t i = 0; i < inputs.wanted.size(); ++i) {
    images.push_back({inputs.wanted[i].name, inputs.digests[i], is_present(request.cache, inputs.digests[i])});
  }
  return images;
}

Result<std::vector<BuiltImage>> build(ProcessRunner& runner, const BuildRequest& request) {
  PATCHLAB_ASSIGN(auto inputs, read_inputs(runner, request));
  const auto present = [&](const std::string& digest) { return is_present(request.cache, digest); };
  if (!std::all_of(inputs.digests.begin(), inputs.digests.end(), present))
    return Builder(runner, request, std::move(inputs)).run();
  std::vector<BuiltImage> images;
  for (const auto& digest : inputs.digests) {
    PATCHLAB_ASSIGN(auto image, load(images_folder(request.cache) / digest));
    images.push_back({std::move(image), true, {}});
  }
  return images;
}

}  // namespace patchlab::lab::image
