// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/questions.hpp"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "lab/core/text.hpp"
#include "lab/guest/windows/collectors.hpp"
#include "lab/guest/windows/host_state.hpp"
#include "lab/guest/windows/servicing.hpp"
#include "lab/guest/windows/windows_adapter.hpp"

namespace patchlab::lab::guest::recording {
namespace {

using windows::Command;

constexpr const char* release_key = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
constexpr const char* code_page_key = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage";
constexpr const char* language_key = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language";

class Questions {
 public:
  void add(const std::string& id, Command command, const windows::Values& values = {}) {
    add_line(id, windows::commands()[static_cast<std::size_t>(command)].by, windows::line_of(command, values));
  }
  void add_value(const std::string& id, const char* key, const char* value) {
    add(id, Command::registry_value, {{"key", key}, {"value", value}});
  }
  void add_line(const std::string& id, const std::string& by, const std::string& line) {
    // What is not one of the adapter's, or does more than ask, never gets into a list of questions.
    const auto known = windows::command_in(by, line);
    if (!known || !windows::is_only_asking(*known))
      throw std::logic_error(fmt::format("'{}' is no question that a recording may ask", line));
    if (!lines_.insert(line).second) return;
    Asked asked{id, known->command, by, line, {}, false};
    if (known->command == Command::acl)
      asked.saves = fmt::format("C:\\patchlab\\acl-{}.txt", known->values.at("number"));
    if (known->command == Command::copy_log) {
      asked.saves = "C:\\patchlab\\" + known->values.at("file");
      asked.only_tail = true;
    }
    for (int again = 2; !ids_.insert(asked.id).second; ++again) asked.id = fmt::format("{}-{}", id, again);
    all_.push_back(std::move(asked));
  }
  std::vector<Asked> take() { return std::move(all_); }

 private:
  std::vector<Asked> all_;
  std::set<std::string> lines_;
  std::set<std::string> ids_;
};

// Of questions that have a number for a name.
std::string id_of(const windows::Question& question) {
  const auto known = windows::command_in("job", question.line);
  if (known && known->command == Command::acl) return "acl-" + plain_id(known->values.at("path"));
  if (known && known->command == Command::errors_logged) return "errors-" + plain_id(known->values.at("log"));
  return plain_id(question.section);
}

}  // namespace

std::string plain_id(std::string_view text) {
  std::string id;
  for (const char c : lower_case(text)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_plain)
      id += c;
    else if (!id.empty() && id.back() != '-')
      id += '-';
  }
  while (id.ends_with('-')) id.pop_back();
  return id;
}

std::vector<Asked> recorded_questions() {
  Questions all;
  all.add("os-info", Command::os_info);
  all.add("interfaces", Command::interfaces);
  all.add("architecture", Command::architecture);
  all.add_value("release-major", release_key, "CurrentMajorVersionNumber");
  all.add_value("release-version", release_key, "CurrentVersion");
  all.add_value("release-build", release_key, "CurrentBuildNumber");
  all.add_value("release-revision", release_key, "UBR");
  all.add_value("release-product", release_key, "ProductName");
  all.add_value("code-page-oem", code_page_key, "OEMCP");
  all.add_value("code-page-ansi", code_page_key, "ACP");
  all.add_value("language", language_key, "InstallLanguage");
  all.add("boot-event", Command::boot_event);
  all.add("servicing-keys", Command::servicing_keys);
  all.add("service-states", Command::service_states);
  all.add("drives", Command::drives);
  all.add("adapters", Command::adapters);
  all.add("quick-fixes", Command::quick_fixes);
  all.add("memory", Command::memory);
  all.add("memory-pools", Command::memory_pools);
  all.add("process-usage", Command::process_usage);
  all.add("disk-usage", Command::disk_usage);
  all.add("packages", Command::packages);
  all.add("package-states", Command::package_states);
  all.add("package-visibility", Command::package_visibility);
  all.add("package-errors", Command::package_errors);
  all.add("servicing-failures", Command::servicing_failures);
  all.add("products-64", Command::products_64);
  all.add("products-32", Command::products_32);
  all.add("product-languages-64", Command::product_languages_64);
  all.add("product-languages-32", Command::product_languages_32);
  for (const auto& [section, command] : windows::pending_questions()) all.add("pending-" + plain_id(section), command);
  for (const auto& question : windows::state_questions(windows::watched_paths()))
    all.add_line(id_of(question), "job", question.line);
  for (const auto& question : windows::collector_questions()) all.add_line(id_of(question), "job", question.line);
  for (const auto& question : windows::evidence_questions()) all.add_line(id_of(question), "job", question.line);
  return all.take();
}

std::vector<Asked> name_questions() {
  Questions all;
  constexpr const char* parameters = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
  all.add_value("name-host", parameters, "Hostname");
  all.add_value("name-host-next", parameters, "NV Hostname");
  all.add_value("name-domain", parameters, "Domain");
  all.add_value("name-domain-next", parameters, "NV Domain");
  all.add_value("name-domain-logon", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon",
                "DefaultDomainName");
  all.add("name-users", Command::registry_tree, {{"key", "HKLM\\SAM\\SAM\\Domains\\Account\\Users\\Names"}});
  all.add(
      "name-profiles", Command::registry_search,
      {{"key", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"}, {"value", "ProfileImagePath"}});
  return all.take();
}

const std::vector<std::pair<Command, const char*>>& not_recorded() {
  static const std::vector<std::pair<Command, const char*>> all{
      {Command::make_folder, "asks nothing: jobs need the folder"},
      {Command::run_job, "asks nothing: carries the lines of jobs out"},
      {Command::find_file, "asks for a file of a candidate on a medium"},
      {Command::copy_file, "asks nothing: brings a candidate"},
      {Command::delete_file, "asks nothing: removes a candidate"},
      {Command::related_products, "asks for the upgrade code of a candidate"},
  };
  return all;
}

}  // namespace patchlab::lab::guest::recording
