// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/image_commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/refreshed.hpp"
#include "patches/deb/version.hpp"
#include "patches/set/machine_plan.hpp"
#include "promotion/deploy/in_production.hpp"
#include "promotion/desk/lab_book.hpp"
#include "runners/engine/refresh_image.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
namespace image = lab::image;
using namespace promotion;

struct Arguments {
  fs::path scenario;
  fs::path stage;  // empty: the scenario's
  std::vector<std::string> departments;
  runners::RefreshOptions options;  // of one of them
  bool promoted = false;
  bool json = false;
};

// What is to be put into the images of a department, and who has said so.
struct Wanted {
  fs::path stage;
  Handoff handoff;
  PromotionPlace place;
  std::vector<patches::Candidate> candidates;
  // By candidate: machines of production that have it, by line.
  std::map<std::string, std::map<std::string, std::uint64_t>> reported;
  std::map<std::string, std::string> left_out;  // other candidates of the promotion, by id: why
};

// What was done to one machine, or that there was nothing to do.
struct Answer {
  std::string machine;
  std::string name;  // of the image
  image::GoldenImage parent;
  std::optional<image::GoldenImage> refreshed;
  std::uint64_t version = 1;  // that it starts from now
  std::vector<std::string> candidates;
  std::map<std::string, std::string> left_out;
};

Result<void> choose(const Arguments& arguments, Wanted& wanted) {
  PATCHLAB_ASSIGN(auto candidates, promoted_candidates(wanted.handoff, patches::default_store()));
  for (const auto& candidate : wanted.handoff.candidates) {
    if (candidate.kind != "deb")
      wanted.left_out[candidate.id] =
          fmt::format("is a .{}, and only packages of Debian are put into images", candidate.kind);
  }
  if (arguments.promoted) {
    wanted.candidates = std::move(candidates);
    return {};
  }
  PATCHLAB_ASSIGN(const auto departments, deployed_of_stage(host_processes(), wanted.stage));
  const auto its = std::ranges::find(departments, wanted.handoff.department, &DeployedDepartment::department);
  const auto standing = in_production(wanted.handoff, its == departments.end() ? DeployedDepartment() : *its);
  for (auto& candidate : candidates) {
    const auto& one = *std::ranges::find(standing, candidate.id, &InProduction::candidate);
    if (!one.why_not.empty()) {
      wanted.left_out[candidate.id] = one.why_not;
      continue;
    }
    wanted.reported[candidate.id] = one.machines;
    wanted.candidates.push_back(std::move(candidate));
  }
  return {};
}

// Production is to have what was promoted; an image with something newer in it would test from a state that nobody has.
Result<void> refuse_newer(const Wanted& wanted, const runners::RefreshPlan& planned) {
  for (const auto& machine : planned.machines) {
    for (const auto& candidate : wanted.candidates) {
      for (const auto& file : candidate.files) {
        const auto key = patches::installed_key(machine.parent.packages, file.package, file.architecture);
        if (!key) continue;
        const auto& version = machine.parent.packages.at(*key);
        if (patches::compare_versions(version, file.version) <= 0) continue;
        return configuration_error(
            fmt::format("the golden image of '{}' has {} {}, and {} is promoted: nothing is made older",
                        machine.machine, *key, version, file.version),
            fmt::format(
                "let it go on from the version before: patchlab image show {0}/{1}, then patchlab image use {0}/{1} N "
                "--go-on",
                wanted.handoff.department, machine.machine));
      }
    }
  }
  return {};
}

const Json& part_of(const Json& json, const char* key) {
  static const Json none;
  const auto found = json.find(key);
  return found == json.end() ? none : *found;
}

// What was put into the image of a promotion that a rollback took back, and that nobody promoted again since. A package
// that is not promoted at all is newer than nothing.
Result<void> refuse_taken_back(const Wanted& wanted, const runners::RefreshPlan& planned, const fs::path& cache) {
  const auto& handoff = wanted.handoff;
  for (const auto& machine : planned.machines) {
    PATCHLAB_ASSIGN(const auto line, image::read_versions(cache, handoff.department, machine.machine));
    auto digest = machine.parent.digest;
    for (auto version = line.versions.rbegin(); version != line.versions.rend(); ++version) {
      if (version->image != digest) continue;
      const auto& told = version->provenance;
      const auto& parent = part_of(part_of(told, "image"), "parent");
      digest = parent.is_string() ? parent.get<std::string>() : std::string();
      const auto before = std::ranges::find(line.versions, digest, &image::ImageVersion::image);
      const auto& promotion = part_of(told, "promotion");
      const auto& serial = part_of(promotion, "serial");
      if (part_of(promotion, "ledger") != handoff.ledger || !serial.is_number_unsigned() ||
          !wanted.place.taken_back.contains(serial.get<std::uint64_t>()))
        continue;
      const auto rollback = wanted.place.taken_back.at(serial.get<std::uint64_t>());
      for (const auto& candidate : part_of(told, "candidates")) {
        const auto& put = part_of(candidate, "digest");
        const auto since =
            put.is_string() ? wanted.place.promoted.find(put.get<std::string>()) : wanted.place.promoted.end();
        if (since != wanted.place.promoted.end() && since->second >= rollback) continue;
        return configuration_error(
            fmt::format("version {} of the golden image of '{}' has {} of serial {}, which was taken back since",
                        version->number, machine.machine, part_of(candidate, "id").dump(), serial.dump()),
            fmt::format("let it go on from the version before: patchlab image use {}/{} {} --go-on", handoff.department,
                        machine.machine, before == line.versions.end() ? 1 : before->number));
      }
    }
  }
  return {};
}

Result<void> refuse_pinned(const std::string& department, const runners::RefreshPlan& planned, const fs::path& cache) {
  for (const auto& machine : planned.machines) {
    if (machine.candidates.empty()) continue;
    PATCHLAB_ASSIGN(const auto line, image::read_versions(cache, department, machine.machine));
    if (!line.pinned) continue;
    return configuration_error(
        fmt::format("'{}/{}' is to start from version {} of its golden image, whatever newer there is", department,
                    machine.machine, *line.pinned),
        fmt::format(
            "patchlab image use {0}/{1} newest lets it start from the newest again; patchlab image use {0}/{1} {2} "
            "--go-on lets it be refreshed from there",
            department, machine.machine, *line.pinned));
  }
  return {};
}

class Refresh {
 public:
  Refresh(const Wanted& wanted, const runners::RefreshPlan& planned, fs::path cache)
      : wanted_(wanted), planned_(planned), cache_(std::move(cache)) {}

  // An image into which the same went before needs no machine.
  [[nodiscard]] bool is_all_there() const {
    return std::ranges::all_of(planned_.machines, [&](const auto& machine) {
      const auto digest = image::refreshed_digest(machine.parent, machine.files);
      return machine.candidates.empty() || is_there(image::images_folder(cache_) / digest / "image.json");
    });
  }

  Result<void> keep_what_is_there() {
    std::vector<runners::NewDisk> disks;
    for (const auto& machine : planned_.machines) {
      if (machine.candidates.empty()) continue;
      const auto folder = image::images_folder(cache_) / image::refreshed_digest(machine.parent, machine.files);
      PATCHLAB_ASSIGN(const auto known, image::load(folder));
      PATCHLAB_TRY(image::verify(known));
      PATCHLAB_ASSIGN(auto not_taken, not_taken_in(known, machine));
      disks.push_back({&machine, {}, {}, std::move(not_taken)});
    }
    return keep(disks);
  }

  // All images first, and what names them last: a killed process leaves images that nobody starts from. What was gone
  // on from took two starts of a department to go on from: it must be what machines start from still.
  Result<void> keep(const std::vector<runners::NewDisk>& disks) {
    PATCHLAB_ASSIGN(const auto held, image::hold_cache(cache_, {.limit = std::chrono::hours(2),
                                                                .stop = interruption(),
                                                                .waiting = [](const std::string& holder) {
                                                                  warn("waiting for another image build: " + holder);
                                                                }}));
    std::vector<image::VersionLine> lines;
    for (const auto& disk : disks) {
      PATCHLAB_ASSIGN(auto line, image::versions_from(cache_, disk.machine->parent, wanted_.handoff.department,
                                                      disk.machine->machine));
      lines.push_back(std::move(line));
    }
    for (std::size_t i = 0; i < disks.size(); ++i) PATCHLAB_TRY(keep(disks[i], lines[i]));
    for (const auto& line : lines) {
      if (made_.contains(line.machine)) PATCHLAB_TRY(image::write_versions(cache_, line));
    }
    return {};
  }

  [[nodiscard]] Result<std::vector<Answer>> answers() const {
    std::vector<Answer> all;
    for (const auto& machine : planned_.machines) {
      if (const auto made = made_.find(machine.machine); made != made_.end()) {
        all.push_back(made->second);
        continue;
      }
      Answer answer{machine.machine, machine.parent.name, machine.parent, {}, 1, {}, left_out_of(machine)};
      PATCHLAB_ASSIGN(const auto line, image::read_versions(cache_, wanted_.handoff.department, machine.machine));
      PATCHLAB_ASSIGN(const auto* version, line.in_use(origin_of(machine.parent)));
      if (version != nullptr) answer.version = version->number;
      if (const auto found = not_taken_.find(machine.machine); found != not_taken_.end())
        answer.left_out = found->second;
      all.push_back(std::move(answer));
    }
    return all;
  }

 private:
  static const std::string& origin_of(const image::GoldenImage& image) {
    return image.is_built() ? image.digest : image.origin;
  }
  [[nodiscard]] std::map<std::string, std::string> left_out_of(const runners::RefreshedMachine& machine) const {
    auto all = wanted_.left_out;
    all.insert(machine.skipped.begin(), machine.skipped.end());
    return all;
  }

  // Its guest may have refused some of it, when the image was made. What the image says was put into it counts.
  [[nodiscard]] Result<std::map<std::string, std::string>> not_taken_in(
      const image::GoldenImage& known, const runners::RefreshedMachine& machine) const {
    const auto file = known.folder / "provenance.json";
    PATCHLAB_ASSIGN(const auto text, read_file(file));
    PATCHLAB_ASSIGN(const auto told, parse_json(text, file.string()));
    std::map<std::string, std::string> not_taken;
    for (const auto index : machine.candidates) {
      const auto& candidate = planned_.plan.candidates[index];
      const auto& put = part_of(told, "candidates");
      if (std::any_of(put.begin(), put.end(),
                      [&](const Json& one) { return part_of(one, "digest") == candidate.digest; }))
        continue;
      const auto& why = part_of(part_of(told, "left_out"), candidate.id.c_str());
      not_taken[candidate.id] =
          why.is_string() ? why.get<std::string>() : "is not said to be in the image that was made of the same before";
    }
    return not_taken;
  }

  Result<void> keep(const runners::NewDisk& disk, image::VersionLine& line) {
    const auto& machine = *disk.machine;
    Answer answer{machine.machine,     machine.parent.name, machine.parent, {}, line.next_number(), {},
                  left_out_of(machine)};
    for (const auto& [id, why] : disk.not_taken) answer.left_out[id] = why;
    Json candidates = Json::array();
    for (const auto index : machine.candidates) {
      const auto& candidate = planned_.plan.candidates[index];
      if (answer.left_out.contains(candidate.id)) continue;
      answer.candidates.push_back(candidate.id);
      Json files = Json::array();
      for (const auto& file : candidate.files) files.push_back({{"name", file.name}, {"sha256", file.sha256}});
      candidates.push_back({{"id", candidate.id}, {"digest", candidate.digest}, {"files", std::move(files)}});
    }
    if (answer.candidates.empty()) {
      not_taken_[machine.machine] = std::move(answer.left_out);
      return {};
    }
    const auto made = rfc3339(system_clock_source().wall());
    const auto provenance = provenance_of(machine, made, std::move(candidates), answer);
    PATCHLAB_ASSIGN(answer.refreshed, image::keep_refreshed(cache_, {machine.parent, machine.files, disk.disk,
                                                                     disk.dpkg_status, provenance, made}));
    line.versions.push_back({answer.version, answer.refreshed->digest, answer.refreshed->origin, provenance});
    made_[machine.machine] = std::move(answer);
    return {};
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> reported_of(const Answer& answer) const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& id : answer.candidates) {
      const auto known = wanted_.reported.find(id);
      if (known != wanted_.reported.end()) all.insert(known->second.begin(), known->second.end());
    }
    return all;
  }
  [[nodiscard]] Json provenance_of(const runners::RefreshedMachine& machine, const std::string& made, Json candidates,
                                   const Answer& answer) const {
    const auto& handoff = wanted_.handoff;
    return {{"schema", "patchlab/image-provenance/v1"},
            {"department", handoff.department},
            {"machine", machine.machine},
            {"image",
             {{"name", machine.parent.name},
              {"origin", origin_of(machine.parent)},
              {"parent", machine.parent.digest},
              {"parent_contents", machine.parent.contents}}},
            {"candidates", std::move(candidates)},
            {"left_out", answer.left_out},
            {"because", wanted_.reported.empty() ? "promoted" : "deployed"},
            {"reported", reported_of(answer)},
            {"promotion",
             {{"stage", wanted_.stage.string()},
              {"ledger", handoff.ledger},
              {"line", wanted_.place.line},
              {"statement", handoff.promotion},
              {"serial", handoff.serial},
              {"run", handoff.run},
              {"published", handoff.published},
              {"approved_by", handoff.approved_by}}},
            {"made", made},
            {"by", whoever_calls()},
            {"tool", "patchlab " PATCHLAB_VERSION}};
  }

  const Wanted& wanted_;
  const runners::RefreshPlan& planned_;
  fs::path cache_;
  std::map<std::string, Answer> made_;
  std::map<std::string, std::map<std::string, std::string>> not_taken_;  // by machines of which all was left out
};

void say_answers(const Wanted& wanted, const std::vector<Answer>& answers, bool as_json) {
  const auto& handoff = wanted.handoff;
  if (!as_json) {
    for (const auto& answer : answers) {
      const auto place = handoff.department + "/" + answer.machine;
      if (answer.refreshed) {
        say("{}: version {} of '{}', image {}, made of {}: {}\n", place, answer.version, answer.name,
            answer.refreshed->digest.substr(0, 16), answer.parent.digest.substr(0, 16), listed(answer.candidates));
      } else {
        say("{}: stays with version {} of '{}': nothing of this goes into it\n", place, answer.version, answer.name);
      }
      for (const auto& [id, why] : answer.left_out) say("  without {}: {}\n", id, why);
    }
    say("serial {} of run {}, line {} of the ledger of '{}'\n", handoff.serial, handoff.run, wanted.place.line,
        wanted.stage.string());
    return;
  }
  Json machines = Json::array();
  for (const auto& answer : answers) {
    Json one{{"machine", answer.machine},
             {"image", answer.name},
             {"state", answer.refreshed ? "refreshed" : "up-to-date"},
             {"version", answer.version},
             {"digest", answer.refreshed ? answer.refreshed->digest : answer.parent.digest},
             {"candidates", answer.candidates},
             {"left_out", answer.left_out}};
    if (answer.refreshed) one["parent"] = answer.parent.digest;
    machines.push_back(std::move(one));
  }
  say_json("image-refresh", {{"department", handoff.department},
                             {"stage", wanted.stage.string()},
                             {"serial", handoff.serial},
                             {"run", handoff.run},
                             {"promotion", handoff.promotion},
                             {"line", wanted.place.line},
                             {"because", wanted.reported.empty() ? "promoted" : "deployed"},
                             {"machines", std::move(machines)}});
}

// What nobody promoted, or production must not have, goes into no image.
Result<Wanted> wanted_of(const Arguments& arguments, const runners::Scenario& scenario) {
  Wanted wanted;
  PATCHLAB_ASSIGN(wanted.stage, absolute_path(arguments.stage.empty() ? scenario.stage : arguments.stage));
  PATCHLAB_ASSIGN(wanted.handoff, handoff_of(host_processes(), wanted.stage, scenario.departments.front().name));
  PATCHLAB_ASSIGN(wanted.place, place_of(wanted.stage, wanted.handoff));
  PATCHLAB_TRY(choose(arguments, wanted));
  return wanted;
}

std::optional<Error> why_refused(const Arguments& arguments, const Handoff& handoff) {
  if (!arguments.promoted) {
    if (handoff.rejected.empty()) return std::nullopt;
    return configuration_error(handoff.rejected, "an image of production is made of what production is to have");
  }
  return not_to_be_exported(handoff, ExportTo::files, system_clock_source().wall());
}

// Between the question and the answer lie two starts of a department.
Result<void> still_wanted(const Arguments& arguments, const Wanted& wanted) {
  PATCHLAB_ASSIGN(const auto now, handoff_of(host_processes(), wanted.stage, wanted.handoff.department));
  if (now.promotion != wanted.handoff.promotion)
    return configuration_error(fmt::format("something else was promoted in '{}' meanwhile", now.department),
                               "nothing was kept; try again");
  if (auto why = why_refused(arguments, now)) return std::move(*why);
  return {};
}

ExitCode refresh(const Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario);
  if (!scenario) return report(scenario.error());
  const auto narrowed = runners::scenario_to_refresh(*scenario, arguments.options);
  if (!narrowed) return report(narrowed.error());
  const auto cache = own_cache();
  if (!cache) return report(cache.error());
  const auto wanted = wanted_of(arguments, *narrowed);
  if (!wanted) return report_input(wanted.error(), ExitCode::bad_data);
  if (const auto why = why_refused(arguments, wanted->handoff)) return report(*why, ExitCode::policy);
  if (wanted->candidates.empty()) {
    for (const auto& [id, why] : wanted->left_out) say("without {}: {}\n", id, why);
    return report(configuration_error(
                      fmt::format("nothing of what was promoted in '{}' is known to be in production",
                                  wanted->handoff.department),
                      "patchlab deploy record writes down what machines have; --promoted takes all that was promoted"),
                  ExitCode::not_tested);
  }
  auto options = arguments.options;
  options.program = own_program();
  const auto tools = runners::this_host();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  const auto planned = runners::plan_refresh(*scenario, wanted->candidates, options, tools, *progress, stop);
  if (!planned) return report(planned.error());
  if (const auto fine = refuse_newer(*wanted, *planned); !fine) return report(fine.error());
  if (const auto fine = refuse_taken_back(*wanted, *planned, *cache); !fine) return report(fine.error());
  if (const auto fine = refuse_pinned(wanted->handoff.department, *planned, *cache); !fine) return report(fine.error());
  Refresh work(*wanted, *planned, *cache);
  const auto keep = [&](const std::vector<runners::NewDisk>& disks) -> Result<void> {
    PATCHLAB_TRY(still_wanted(arguments, *wanted));
    return work.keep(disks);
  };
  const auto done = work.is_all_there() ? work.keep_what_is_there()
                                        : runners::refresh_images(*planned, options, tools, *progress, stop, keep);
  progress.reset();
  if (!done) return report(done.error());
  const auto answers = work.answers();
  if (!answers) return report(answers.error());
  say_answers(*wanted, *answers, arguments.json);
  return ExitCode::ok;
}

// One after the other: what is in the way of one is in nobody else's. The first that failed says how it ends; that of
// one nothing is in production is less than that.
ExitCode refresh_each(const Arguments& arguments) {
  if (arguments.departments.size() > 1 && (arguments.json || !arguments.options.machines.empty()))
    return report(usage_error("--json and --machine are of one department, and several were named",
                              "name one with --department"));
  auto one = arguments;
  auto ended = ExitCode::ok;
  if (arguments.departments.empty()) return refresh(one);
  for (const auto& department : arguments.departments) {
    one.options.department = department;
    if (arguments.departments.size() > 1) say("{}:\n", department);
    const auto code = refresh(one);
    if (ended == ExitCode::ok || (ended == ExitCode::not_tested && code != ExitCode::ok)) ended = code;
    if (interruption().stop_requested()) break;
  }
  return ended;
}

}  // namespace

void add_image_refresh(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* refreshing = group.add_subcommand(
      "refresh", "put what was promoted and deployed into golden images: a new version, and the old one is kept");
  refreshing->add_option("scenario", arguments->scenario, "scenario whose machines start from the images")->required();
  refreshing
      ->add_option("--department", arguments->departments,
                   "the department; needed when there are several (may be given again: one after the other)")
      ->allow_extra_args(false);
  refreshing->add_option("--machine", arguments->options.machines, "only this machine (may be given again)")
      ->allow_extra_args(false);
  refreshing->add_option("--stage", arguments->stage, "stage folder; default: that of the scenario");
  refreshing->add_flag("--promoted", arguments->promoted,
                       "all that was promoted; default: what machines of production say that they have of it");
  refreshing->add_flag("--json", arguments->json, "as JSON");
  refreshing->callback([arguments, &chosen] { chosen = [arguments] { return refresh_each(*arguments); }; });
}

}  // namespace patchlab::cli
