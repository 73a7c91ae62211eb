// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include <CLI/CLI.hpp>

namespace patchlab::cli {
namespace {

constexpr const char* all_codes =
    "Exit codes: 0 fine, 1 a candidate fails, 2 error, 3 not everything tested, 4 only skips,\n"
    "5 policy not satisfied, 6 culprit inconclusive, 7 the fence leaked, 64 usage, 65 bad data,\n"
    "73 cannot create, 78 bad configuration. See docs/exit-codes.md.";
constexpr const char* plain_codes = "Exit codes: 0 done; what else there is: docs/exit-codes.md.";
constexpr const char* order_of_work =
    "In order of work: doctor (can this host do it), init (a first scenario), learn (its checks), validate, run; then "
    "report and explain\n"
    "(what was found), queue (what waits for whom), approve or reject, promote, verify; deploy export for production, "
    "evidence export "
    "for others.";
constexpr const char* cache =
    "Environment: PATCHLAB_CACHE, the folder of images and packages (default: ~/.cache/patchlab).";

std::string footer_of(const HelpText& help) {
  std::string text = help.ends == HelpText::Ends::verdict ? all_codes : plain_codes;
  if (help.uses_cache) text += std::string("\n") + cache;
  return text + "\n\nExample: " + std::string(help.example);
}

void add_to(CLI::App& app, const std::string& above) {
  for (auto* command : app.get_subcommands({})) {
    const auto name = above.empty() ? command->get_name() : above + " " + command->get_name();
    command->footer("");  // not that of the whole program
    for (const auto& help : help_texts()) {
      if (help.command == name) command->footer(footer_of(help));
    }
    add_to(*command, name);
  }
}

}  // namespace

const std::vector<HelpText>& help_texts() {
  using enum HelpText::Ends;
  static const std::vector<HelpText> all{
      {"doctor", "patchlab doctor", plain, true},
      {"init", "patchlab init first", plain},
      {"image build", "patchlab image build dns", plain, true},
      {"image import", "patchlab image import srv2019.ova --name srv2019-dns", plain},
      {"image list", "patchlab image list --json", plain, true},
      {"image refresh", "patchlab image refresh scenarios/xavier-nightly.json --department finance", plain, true},
      {"image show", "patchlab image show finance/dns", plain, true},
      {"image use", "patchlab image use finance/dns 1", plain, true},
      {"image verify", "patchlab image verify", plain, true},
      {"content publish", "patchlab content publish /srv/content --scenario scenarios/xavier-nightly.json", plain,
       true},
      {"content fetch", "patchlab content fetch https://images.lab/content 57b9...e1 --images /var/lib/patchlab/images",
       plain},
      {"content trim", "patchlab content trim /srv/content --keep 3", plain},
      {"patch inspect", "patchlab patch inspect windows8-rt-kb5031419-x64.msu", plain, true},
      {"patch add", "patchlab patch add windows8-rt-kb5031419-x64.msu", plain, true},
      {"feed status", "patchlab feed status --feeds feeds", plain},
      {"feed check", "patchlab feed check known_exploited_vulnerabilities.json", plain},
      {"inventory", "patchlab inventory scenarios/xavier-nightly.json hosts.csv --answering swept.gnmap", plain, true},
      {"likeness script", "patchlab likeness script debian >facts.sh", plain},
      {"likeness compare", "patchlab likeness compare scenarios/xavier-nightly.json facts --run latest", plain, true},
      {"scan", "patchlab scan scenarios/xavier-nightly.json --feeds feeds", plain, true},
      {"acquire", "patchlab acquire scenario.json --wanted wanted.json --drop incoming --ca-bundle microsoft.pem",
       plain, true},
      {"learn", "patchlab learn scenario.jsonc --machine dns", plain, true},
      {"guest record", "patchlab guest record --domain srv2019-dns srv2019", plain, true},
      {"guest replay", "patchlab guest replay srv2019", plain},
      {"guest scrub", "patchlab guest scrub srv2019 --rules ours.json -o srv2019-b", plain},
      {"validate", "patchlab validate scenario.jsonc", plain, true},
      {"run", "patchlab run scenarios/xavier-nightly.json", verdict, true},
      {"plan", "patchlab plan nightly.json --due 3-days,14-days --by 06:00 -o tonight.json", plain, true},
      {"selftest", "patchlab selftest --role mail --aa 5", verdict, true},
      {"report", "patchlab report latest --format html >report.html", verdict},
      {"explain", "patchlab explain bad-mail --run latest", verdict},
      {"promote", "patchlab promote latest --department finance", verdict, true},
      {"verify", "patchlab verify production", plain},
      {"evidence export", "patchlab evidence export --department finance -o bundle", plain},
      {"calendar", "patchlab calendar windows.ics --stage production", plain},
      {"deploy export", "patchlab deploy export production --department finance --to files -o finance-7", plain},
      {"deploy record", "patchlab deploy record production dpkg.txt --department finance --machine fin-dns1", plain},
      {"deploy status", "patchlab deploy status production", plain},
      {"deploy change", "patchlab deploy change production --department finance", plain},
      {"witness", "patchlab witness runs/ledger.jsonl --state noted --key witness_key", plain},
      {"submit", "patchlab submit latest --department finance --key ~/.ssh/id_ed25519", plain},
      {"approve", "patchlab approve latest --department finance --reason 'read the report' --key ~/.ssh/id_ed25519",
       plain},
      {"reject", "patchlab reject latest --department finance --reason 'not in this week' --key ~/.ssh/id_ed25519",
       plain},
      {"waive",
       "patchlab waive latest --department finance --what mail/deliver --reason 'known' --ticket T-1 "
       "--until 2027-01-31T18:00:00Z --key ~/.ssh/id_ed25519",
       plain},
      {"withdraw",
       "patchlab withdraw latest --department finance --decision 12 --reason 'read it again' --key ~/.ssh/id_ed25519",
       plain},
      {"decide", "patchlab decide latest --print approve --department finance --reason read --by bob@xavier.example",
       plain},
      {"queue", "patchlab queue", plain},
      {"attempts", "patchlab attempts --department finance", plain},
      {"history rebuild", "patchlab history rebuild --stage production", plain},
      {"history runs", "patchlab history runs --newest 50", plain},
      {"history candidate", "patchlab history candidate bind9-9.18.33", plain},
      {"history flaky", "patchlab history flaky --since 2026-09", plain},
      {"history durations", "patchlab history durations --role dns", plain},
      {"history trend", "patchlab history trend --by month --by candidate", plain},
      {"history changed", "patchlab history changed", plain},
      {"health", "patchlab health --stage production", plain, true},
      {"notify", "patchlab notify --config notify.json --dry-run", plain},
      {"schedule install", "patchlab schedule install nightly.jsonc --folder /srv/patchlab --notify notify.json",
       plain},
      {"schedule show", "patchlab schedule show", plain},
      {"schedule remove", "patchlab schedule remove", plain},
      {"trust check", "patchlab trust check allowed_signers", plain},
      {"trust add", "patchlab trust add draft bob@xavier.example --key bob.pub --may approve", plain},
      {"trust retire", "patchlab trust retire draft bob@xavier.example", plain},
      {"trust sign", "patchlab trust sign draft --root root_key --stage production", plain},
      {"serve", "patchlab serve --scan scan.json --acquired acquired.json", plain},
      {"desk serve", "patchlab desk serve --listen 127.0.0.1:8080", plain},
      {"policy check", "patchlab policy check policy.json", plain},
      {"policy add", "patchlab policy add policy.json --key ~/.ssh/id_ed25519", plain},
      {"policy test", "patchlab policy test policy.json latest", plain},
      {"lab clean", "patchlab lab clean --connect qemu:///system --dry-run", plain},
      {"lab cache", "patchlab lab cache --most-mib 4096", plain},
      {"ledger take", "patchlab ledger take --stage production --runs runs", plain},
      {"ledger hand", "patchlab ledger hand latest", plain},
      {"stage setup", "patchlab stage setup --stage production --lab patchlab-lab", plain},
      {"schema", "patchlab schema scenario", plain},
      {"completion", "patchlab completion bash", plain},
      {"manual", "patchlab manual >patchlab.1", plain},
  };
  return all;
}

void add_help_texts(CLI::App& app) {
  add_to(app, "");
  app.footer(std::string(order_of_work) + "\n\n" + all_codes +
             "\n\nEnvironment: PATCHLAB_CACHE (images and packages), NO_COLOR; others stand beside their options.\n"
             "'patchlab COMMAND --help' says more of each, 'patchlab manual' everything.");
}

}  // namespace patchlab::cli
