// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/apt_repository.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "patches/deb/control.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr unsigned for_all = 0644;

// Programs that are not there are said to be so, with their package.
Result<std::string> output_of(ProcessRunner& processes, const ProcessSpec& spec, const std::string& package,
                              const std::string& hint) {
  const auto outcome = processes.run(spec);
  if (outcome.succeeded()) return outcome.output;
  if (std::holds_alternative<NotStarted>(outcome.end))
    return configuration_error(fmt::format("{} {}", spec.program, outcome.describe()), "apt-get install " + package);
  const auto said = printable(std::string(trimmed(outcome.errors)));
  return configuration_error(fmt::format("{}: {}{}", spec.program, outcome.describe(), said.empty() ? "" : ": " + said),
                             hint);
}

ProcessSpec ftparchive(const fs::path& folder, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.program = "apt-ftparchive";
  // SHA-256 alone: a client asks by the strongest hash that Release lists, and by-hash has each index under one.
  spec.arguments = {"-q"};
  for (const char* other : {"MD5", "SHA1", "SHA512"}) {
    spec.arguments.emplace_back("-o");
    spec.arguments.push_back(fmt::format("APT::FTPArchive::{}=false", other));
  }
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.working_folder = folder;
  spec.extra_environment = {{"LC_ALL", "C"}, {"TZ", "UTC"}};
  spec.output_limit = 256U << 20U;
  return spec;
}

std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> all;
  std::size_t at = 0;
  while (at < text.size()) {
    auto end = text.find("\n\n", at);
    if (end == std::string::npos) end = text.size();
    auto paragraph = std::string(trimmed(text.substr(at, end - at), "\n"));
    if (!paragraph.empty()) all.push_back(std::move(paragraph));
    at = end + 2;
  }
  return all;
}

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, " ")); }

}  // namespace

Result<std::string> openpgp_fingerprint(const std::string& text) {
  constexpr const char* hint =
      "gpg --list-secret-keys --with-colons lists fingerprints (lines 'fpr'); make a key with: gpg --quick-gen-key "
      "'patches <you@example.org>' ed25519 sign";
  if (text.empty())
    return usage_error("--to apt needs --key FINGERPRINT: apt takes nothing from a repository that nobody signed",
                       hint);
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    digits += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const bool is_one =
      (digits.size() == 40 || digits.size() == 64) && digits.find_first_not_of("0123456789ABCDEF") == std::string::npos;
  if (!is_one)
    return usage_error(fmt::format("--key '{}' is no full fingerprint of an OpenPGP key: 40 or 64 hexadecimal digits",
                                   printable(text)),
                       hint);
  return digits;
}

std::string release_time(std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch());
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(seconds.count())));
}

ProcessSpec packages_spec(const fs::path& folder) { return ftparchive(folder, {"packages", "pool"}); }

ProcessSpec release_spec(const fs::path& folder, const std::string& suite, const std::string& architectures) {
  std::vector<std::string> arguments;
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, std::string>>{{"Origin", "patchlab"},
                                                                  {"Label", "patchlab"},
                                                                  {"Suite", suite},
                                                                  {"Codename", suite},
                                                                  {"Architectures", architectures},
                                                                  {"Components", "main"},
                                                                  {"Acquire-By-Hash", "yes"}}) {
    arguments.emplace_back("-o");
    arguments.push_back(fmt::format("APT::FTPArchive::Release::{}={}", key, value));
  }
  arguments.insert(arguments.end(), {"release", "dists/" + suite});
  return ftparchive(folder, std::move(arguments));
}

ProcessSpec clearsign_spec(const std::string& fingerprint, const std::string& text) {
  ProcessSpec spec;
  spec.program = "gpg";
  spec.arguments = {"--batch", "--no-tty",    "--local-user", fingerprint, "--digest-algo",
                    "SHA512",  "--clearsign", "--output",     "-"};
  spec.input = text;
  spec.own_session = true;
  spec.private_files = true;
  spec.time_limit = std::chrono::minutes(2);  // a key on a card waits for a touch
  return spec;
}

std::string suite_of(const Handoff& handoff) {
  // No department can be called so: its name has no dot.
  return handoff.ring ? handoff.department + "." + handoff.ring->name : handoff.department;
}

Result<std::map<std::string, std::string>> packages_by_architecture(const std::string& packages,
                                                                    const std::set<std::string>& digests) {
  struct One {
    std::string order;
    std::string architecture;
    std::string text;
  };
  std::vector<One> all;
  std::set<std::string> architectures;
  auto missing = digests;
  for (const auto& paragraph : paragraphs_of(packages)) {
    PATCHLAB_ASSIGN(const auto stanzas, patches::parse_control(paragraph).while_doing("what apt-ftparchive printed"));
    if (stanzas.size() != 1) return configuration_error("apt-ftparchive printed a paragraph that is none");
    const auto& stanza = stanzas.front();
    const auto digest = patches::field(stanza, "SHA256");
    if (!digests.contains(digest))
      return configuration_error(
          fmt::format("apt-ftparchive describes a file that was not promoted: {}", printable(digest)));
    missing.erase(digest);
    const auto architecture = patches::field(stanza, "Architecture");
    if (!patches::is_architecture(architecture))
      return configuration_error(fmt::format("the architecture '{}' cannot be one", printable(architecture)));
    if (architecture != "all") architectures.insert(architecture);
    all.push_back({patches::field(stanza, "Package") + " " + digest, architecture, paragraph});
  }
  if (!missing.empty())
    return configuration_error(
        fmt::format("apt-ftparchive takes {} for no package, though it was promoted", *missing.begin()),
        "look at it with: patchlab patch inspect FILE");
  std::ranges::sort(all, {}, &One::order);
  if (architectures.empty()) architectures.insert("amd64");  // as the lab's machines are
  std::map<std::string, std::string> by_architecture;
  for (const auto& architecture : architectures) {
    auto& text = by_architecture[architecture];
    for (const auto& one : all) {
      if (one.architecture == "all" || one.architecture == architecture) text += one.text + "\n\n";
    }
  }
  return by_architecture;
}

Result<std::string> release_of(const std::string& release, const Handoff& handoff,
                               std::chrono::system_clock::time_point now) {
  const auto date = release.find("\nDate: ");
  const auto end = date == std::string::npos ? date : release.find('\n', date + 1);
  if (end == std::string::npos) return configuration_error("apt-ftparchive wrote a Release without a date");
  // apt takes nothing from a release that is dated in the future (Acquire::Check-Date).
  auto dated = release.substr(0, end + 1);
  const auto opens = handoff.window ? parse_rfc3339(handoff.window->opens) : std::nullopt;
  if (opens && *opens > now) dated = release.substr(0, date) + fmt::format("\nDate: {}\n", release_time(*opens));
  std::string fields;
  if (const auto not_after = parse_rfc3339(handoff.not_after))
    fields += fmt::format("Valid-Until: {}\n", release_time(*not_after));
  fields += fmt::format("Patchlab-Promotion: {}\nPatchlab-Serial: {}\nPatchlab-Ledger: {} {}:{}\n", handoff.promotion,
                        handoff.serial, handoff.ledger, handoff.head.size, handoff.head.hash);
  if (handoff.ring) fields += fmt::format("Patchlab-Ring: {}\n", handoff.ring->name);
  return dated + fields + release.substr(end + 1);
}

Result<void> write_apt_repository(ProcessRunner& processes, const Handoff& handoff, const std::string& fingerprint,
                                  std::chrono::system_clock::time_point now, const fs::path& folder) {
  PATCHLAB_TRY(create_folders(folder / "pool"));
  std::set<std::string> digests;
  for (const auto& candidate : parts_for(handoff, ExportTo::apt).go) {
    for (const auto& file : candidate.files) {
      if (!digests.insert(file.sha256).second) continue;  // of two candidates
      // By digest: the name of a file can be anything, and apt names what it fetches by the package.
      PATCHLAB_TRY(copy_tested(handoff, file, folder / "pool" / (file.sha256 + ".deb")));
    }
  }
  PATCHLAB_ASSIGN(const auto described, output_of(processes, packages_spec(folder), "apt-utils",
                                                  "patchlab patch inspect FILE says what is wrong with a package"));
  PATCHLAB_ASSIGN(const auto indexes, packages_by_architecture(described, digests));
  const auto dist = folder / "dists" / suite_of(handoff);
  std::vector<std::string> architectures;
  for (const auto& [architecture, text] : indexes) {
    const auto place = dist / "main" / ("binary-" + architecture);
    PATCHLAB_TRY(create_folders(place));
    PATCHLAB_TRY(write_file_atomically(place / "Packages", text, for_all));
    architectures.push_back(architecture);
  }
  PATCHLAB_ASSIGN(const auto bare, output_of(processes, release_spec(folder, suite_of(handoff), joined(architectures)),
                                             "apt-utils", "apt-ftparchive of Debian 12 or later is needed"));
  PATCHLAB_ASSIGN(const auto release, release_of(bare, handoff, now));
  PATCHLAB_ASSIGN(
      const auto in_release,
      output_of(processes, clearsign_spec(fingerprint, release), "gnupg",
                "the secret half of the key must be in the key ring (GNUPGHOME), and its passphrase in the agent: try "
                "gpg --local-user " +
                    fingerprint + " --clearsign /dev/null"));
  if (!in_release.starts_with("-----BEGIN PGP SIGNED MESSAGE-----"))
    return configuration_error("gpg ended well and signed nothing", "try gpg --clearsign by hand");
  PATCHLAB_TRY(write_file_atomically(dist / "InRelease", in_release, for_all));
  // A client that read InRelease before a mirror switched to the next version must never get the index of that under
  // the plain name: by hash it gets the one that it read of, or none.
  for (const auto& [architecture, text] : indexes) {
    const auto place = dist / "main" / ("binary-" + architecture) / "by-hash" / "SHA256";
    PATCHLAB_TRY(create_folders(place));
    PATCHLAB_TRY(write_file_atomically(place / sha256(text), text, for_all));
  }
  return {};
}

}  // namespace patchlab::promotion
