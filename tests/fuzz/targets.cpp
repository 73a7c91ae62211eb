// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/targets.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "checks/command/output.hpp"
#include "checks/ldap/netlogon.hpp"
#include "checks/learn/learn.hpp"
#include "checks/mail/delivery_status.hpp"
#include "checks/ntp/message.hpp"
#include "lab/content/blocks.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/facts/compare.hpp"
#include "patches/bytes/file_kind.hpp"
#include "patches/cab/cabinet.hpp"
#include "patches/catalogue/details.hpp"
#include "patches/catalogue/package_list.hpp"
#include "patches/msi/summary_information.hpp"
#include "patches/msu/msu_file.hpp"
#include "patches/windows/windows_package.hpp"
#include "process/calendar/turn.hpp"
#include "process/feeds/folder.hpp"
#include "process/inventory/readers.hpp"
#include "process/page/asked.hpp"
#include "promotion/browser/asked.hpp"
#include "promotion/chain/head.hpp"
#include "promotion/chain/line.hpp"
#include "promotion/installed/installed.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/signature/ssh_signature.hpp"
#include "promotion/statement/statement.hpp"
#include "promotion/trust/signers.hpp"
#include "runners/intake/archive.hpp"
#include "runners/intake/manifest.hpp"
#include "runners/intake/ovf.hpp"
#include "tests/support/catalogue_sample.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/feeds.hpp"
#include "tests/support/ovf_packages.hpp"
#include "tests/support/security_key_signatures.hpp"
#include "tests/support/statements.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::fuzz {
namespace {

using namespace patches;

// Small, so that a fuzzer runs into them and a test stays quick.
CabLimits small_limits() {
  CabLimits limits;
  limits.entries = 2000;
  limits.unpacked_bytes = 64U << 20U;
  limits.time = std::chrono::seconds(20);
  return limits;
}

void cabinet(std::string_view bytes) {
  UnpackBudget budget(small_limits());
  TextSink sink(1U << 20U);
  static_cast<void>(
      read_cabinet(MemorySource(bytes), "x", budget, [&](const CabEntry&) -> Result<ByteSink*> { return &sink; }));
}

// The whole of it, and each of its parts by itself, which a fuzzer meets sooner. Digests are digests, and numbers such.
void catalogue(std::string_view bytes) {
  CatalogueLimits limits;
  limits.cabinets = small_limits();
  limits.kept_bytes = 16U << 20U;
  limits.detail_bytes = 1U << 20U;
  const CatalogueScope scope{{tests::server_2019}, true};
  const auto is_hex = [](const std::string& text, std::size_t size) { return text.empty() || text.size() == size; };
  const auto check = [&](const std::string& kb, const std::vector<CatalogueFile>& files) {
    if (!kb.empty() && !kb.starts_with("KB")) std::abort();
    for (const auto& file : files) {
      if (file.sha1.size() != 40 || !is_hex(file.sha256, 64)) std::abort();
    }
  };
  if (const auto read = read_catalogue(MemorySource(bytes), "x", scope, limits)) {
    if (read->entries == 0) std::abort();
    for (const auto& update : read->updates) {
      if (!is_guid(update.id) || update.title.empty()) std::abort();
      check(update.kb, update.files);
    }
  }
  if (const auto details = read_details(bytes, "x")) check(details->kb, details->files);
  static_cast<void>(read_title(bytes, "x"));
  KeptBudget budget(limits.kept_bytes);
  UpdateList list(scope, budget);
  XmlStream updates("x", list);
  if (updates.write(bytes) && updates.finish() && list.created.empty()) std::abort();
  CabinetList cabinets;
  XmlStream index("x", cabinets);
  if (index.write(bytes) && index.finish() && cabinets.begins.size() > cabinets.names.size()) std::abort();
}

// Everything behind one door, with the facts made of what was read: they must fit into JSON and into a file name.
void package(std::string_view bytes) {
  auto found = inspect_windows_package(MemorySource(bytes), "x", small_limits());
  if (!found) return;
  found->sha256 = std::string(64, '0');
  static_cast<void>(pretty(Json(*found)));
  const auto name = found->canonical_name();
  if (name.empty() || name.size() > 200 || name.find_first_of("/\\: ") != std::string::npos || name.front() == '.')
    std::abort();
}

void xml(std::string_view bytes) {
  static_cast<void>(parse_update_mum(bytes, "x"));
  static_cast<void>(is_unattend_document(bytes, "x"));
  static_cast<void>(parse_unattend(bytes, "x"));
  static_cast<void>(parse_update_metadata(bytes, "x"));
}

void properties(std::string_view bytes) { static_cast<void>(parse_package_properties(bytes)); }

void summary(std::string_view bytes) { static_cast<void>(parse_summary_information(bytes, "x")); }

// Names of entries inside a cabinet.
void entry_name(std::string_view bytes) {
  static_cast<void>(servicing_stack_in(bytes));
  if (const auto identity = identity_in_name(bytes); identity && identity->text().empty()) std::abort();
}

std::size_t depth_of(const Json& json) {
  std::size_t deepest = 0;
  if (json.is_structured()) {
    for (const auto& member : json) deepest = std::max(deepest, depth_of(member));
  }
  return json.is_structured() ? deepest + 1 : 0;
}

// What is taken is what nlohmann reads, not too deep, and comes back from its own text.
void json(std::string_view bytes) {
  const auto value = parse_json(std::string(bytes), "x", JsonTexts::any);
  if (!value) return;
  if (depth_of(*value) > deepest_json || *value != Json::parse(bytes)) std::abort();
  const auto again = parse_json(printable_json(pretty(*value)), "x", JsonTexts::any);
  if (!again || *again != *value) std::abort();
}

// Inert, and nothing more to do the second time.
void text(std::string_view bytes) {
  const auto shown = printable(bytes);
  const auto acts = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (printable(shown) != shown || std::ranges::any_of(shown, acts)) std::abort();
}

// There is one spelling of a line, of a head and of a noted one.
void chain(std::string_view bytes) {
  const auto line = promotion::parse_chain_line(bytes);
  if (line && promotion::line_text(*line) != std::string(bytes) + "\n") std::abort();
  const auto head = promotion::parse_head(std::string(bytes), "x");
  if (head && promotion::head_text(*head) != bytes) std::abort();
  const auto noted = promotion::parse_noted(std::string(bytes));
  if (noted && fmt::format("{}:{}", noted->size, noted->hash) != bytes) std::abort();
}

// Whatever is a policy has a time in which it is in force, and waives nothing that is never waived.
void policy(std::string_view bytes) {
  const auto read = promotion::parse_policy(std::string(bytes), "x");
  if (!read) return;
  if (read->valid_since >= read->valid_until || read->id.empty() || read->fence_probes.size() < 5) std::abort();
  static_cast<void>(promotion::summary_of(*read));
}

// Whatever is a calendar has windows that begin before they end, and of which freezes leave a part.
void calendar(std::string_view bytes) {
  using namespace process;
  const auto read = parse_calendar(bytes, "x");
  if (!read) return;
  const Moment from{std::chrono::hours(24) * 20'000};
  const auto days = days_of(*read, "finance", from, from + farthest_window);
  for (const auto& window : days.windows) {
    if (window.span.from >= window.span.until) std::abort();
    for (const auto& span : window.open) {
      if (span.from < window.span.from || span.until > window.span.until || span.from >= span.until) std::abort();
    }
  }
  static_cast<void>(turn_of(days, from, {}));
}

// Whatever lists machines: each has a name, and an address that is written in one way only.
void inventory(std::string_view bytes) {
  using namespace process;
  const std::string text(bytes);
  const auto is_canonical = [](const std::string& address) { return canonical_address(address) == address; };
  if (const auto read = read_inventory(text, "x")) {
    if (read->machines.empty()) std::abort();
    for (const auto& machine : read->machines) {
      if (machine.name.empty() || (!machine.address.empty() && !is_canonical(machine.address))) std::abort();
      static_cast<void>(pretty(Json(machine.name + machine.role + machine.system)));
    }
  }
  if (const auto read = read_answering(text, "x")) {
    for (const auto& system : read->systems) {
      if (!is_canonical(system.address)) std::abort();
      static_cast<void>(pretty(Json(system.name)));
    }
  }
}

// What a machine says of itself: whatever it says, a likeness that is kept is read again as it was, and nothing is
// alike but by being the same.
void facts(std::string_view bytes) {
  using namespace lab::facts;
  const auto said = read_facts(bytes, "x");
  if (!said) return;
  static const auto production = read_facts(tests::small_facts(), "small").value();
  auto likeness = compare("dns", *said, production);
  likeness.facts = std::string(64, '0');
  std::vector<JsonProblem> problems;
  if (likeness_from_json(Json(likeness), "", problems) != likeness || !problems.empty()) std::abort();
  if (likeness.state() == LikenessState::alike && said->packages != production.packages) std::abort();
}

// What is read of a file that is in memory: feeds are too large to be handed over as text.
void feed(std::string_view bytes) {
  using namespace process;
  if (bytes.starts_with("MSCF")) return;  // the target "catalogue" has smaller limits
  const FileDescriptor file(::memfd_create("feed", MFD_CLOEXEC));
  if (!file.valid() || ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return;
  const auto path = fmt::format("/proc/self/fd/{}", file.get());
  const auto day = Day(std::chrono::days(40000));
  const auto kind = feed_kind_of(path);
  const auto read = check_feed(path, day);
  if (read && (!kind || !*kind || read->kind != **kind || read->entries == 0 || read->bytes != bytes.size()))
    std::abort();
  const auto all = [](const std::string&) { return true; };
  static_cast<void>(read_kev(path));
  static_cast<void>(read_epss(path, all));
  static_cast<void>(read_tracker(path, all));
  static_cast<void>(read_msrc(path, all));
  static_cast<void>(read_cve_record(path));
  static_cast<void>(read_known_bad(path));
}

void kind(std::string_view bytes) { static_cast<void>(file_kind(MemorySource(bytes))); }

// What is taken is written back byte for byte: there is no second spelling.
void statement(std::string_view bytes) {
  const auto read = promotion::read_statement(bytes, "x");
  if (!read) return;
  const auto written = promotion::write_statement(*read);
  if (!written || *written != bytes ||
      printable(bytes.substr(0, bytes.size() - 1)) != bytes.substr(0, bytes.size() - 1))
    std::abort();
}

// What is taken names a key that is written as it was read.
void signature(std::string_view bytes) {
  const auto read = promotion::read_ssh_signature(bytes, "x");
  if (!read) return;
  const auto again = promotion::read_public_key_file(to_string(read->key), "x");
  if (!again || !(*again == read->key) || is_security_key(read->key.kind) != read->security_key.has_value())
    std::abort();
}

// A file without a problem is a version once it is written our way, with the same signers and no key twice.
void signers(std::string_view bytes) {
  const auto read = promotion::read_signers(bytes, promotion::SignersOf::statements);
  if (!read.problems.empty()) return;
  const auto text = write_signers(read.signers);
  const auto again = promotion::read_canonical_signers(text, promotion::SignersOf::statements, "x");
  if (!again || again->size() != read.signers.size() || write_signers(*again) != text) std::abort();
}

// What a program that is a check says, by each protocol. What comes out fits into a record, and only a text that says
// so passes.
// What machines of production say, in each of the formats: what is read can be written down, and read again.
void installed(std::string_view bytes) {
  std::vector<promotion::MachineSays> said;
  if (auto one = promotion::from_dpkg_query(bytes, "x")) said.push_back(std::move(*one));
  if (auto one = promotion::from_apt_history(bytes, "x")) said.push_back(std::move(*one));
  if (auto all = promotion::from_json_lines(bytes, "x")) said.insert(said.end(), all->begin(), all->end());
  if (auto all = promotion::from_wsus_report(bytes, "x")) said.insert(said.end(), all->begin(), all->end());
  const std::string digest(64, 'a');
  promotion::DeployedReport report{"d", digest, 1, promotion::source_of_text(bytes), digest, {}};
  for (auto& one : said) {
    one.machine = "m";
    one.observed = "2026-11-28T22:00:00Z";
    report.machines.push_back(
        promotion::compare_installed(one, {{"c", "bind9", "amd64", "1", digest}, {"k", "KB5035968", "", "", digest}}));
  }
  if (report.machines.empty()) return;
  const auto back = promotion::deployed_from_json(promotion::deployed_json(report), "x");
  if (!back || !(*back == report)) std::abort();
}

void output(std::string_view bytes) {
  using namespace checks::command_kind;
  const std::string said(bytes);
  const auto of_tap = judge_tap(0, said);
  const auto of_lines = judge_json_lines(0, said);
  for (const auto& judgement : {of_tap, of_lines, judge_nagios(0, said, false)}) {
    if (judgement.observed.size() > 4096) std::abort();
    static_cast<void>(Json(judgement.observed).dump());
  }
  if (of_tap.outcome == Outcome::pass && said.find("1..") == std::string::npos) std::abort();
  if (of_lines.outcome == Outcome::pass && said.find("pass") == std::string::npos) std::abort();
  if (performance_in(said).size() > 64) std::abort();
}

// An export of a machine: whatever is read of it names files of the package alone.
void appliance(std::string_view bytes) {
  using namespace runners::intake;
  if (const auto machine = read_ovf(bytes, "x"); machine) {
    if (machine->disks.empty() || !std::ranges::all_of(machine->disks, is_package_name)) std::abort();
  }
  if (const auto lines = read_manifest(bytes, "x"); lines) {
    for (const auto& line : *lines) {
      if (!is_package_name(line.file)) std::abort();
    }
  }
  InputFile file{FileDescriptor(::memfd_create("ova", MFD_CLOEXEC)), bytes.size()};
  if (!file.file.valid() || ::write(file.file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    return;
  if (const auto package = read_package(file, "x", {}); package) {
    for (const auto& member : package->members) {
      if (!is_package_name(member.name) || !member.file.empty()) std::abort();
    }
  }
}

// A mail that a server returned, in the words of whoever wrote it.
// What comes by UDP. Names are no longer than names are, however they point at each other.
void datagram(std::string_view bytes) {
  static_cast<void>(checks::ntp::reply_in(bytes));
  const auto reply = checks::ldap::locator_reply_in(bytes);
  for (const auto& said :
       {checks::ldap::located_in(bytes), checks::ldap::located_in(reply && reply->netlogon ? *reply->netlogon : "")}) {
    if (said && std::max({said->forest.size(), said->host.size(), said->client_site.size()}) > 255) std::abort();
  }
}

void report(std::string_view bytes) {
  if (checks::mail::describe_report(std::string(bytes)).dump().size() > 500'000) std::abort();
}

// A request line, header fields, an empty line, a body. Whatever is asked for was asked by our own name, and names only
// what could be a run and a department; what is sent comes from our own pages.
// Whatever a guest says to every question, what comes of it is a kind of check with a name that a scenario takes.
void learn(std::string_view bytes) {
  namespace room = checks::learn;
  const std::string said(bytes);
  room::Answers answers{{"listeners", {0, "0: 00000000:0019 0:0 0A\n1: 00000000:01BD 0:0 0A\n", {}}}};
  if (said.find("0A") != std::string::npos) answers.clear();
  for (int round = 0; round < 3; ++round) {
    for (const auto* protocol : room::protocols()) {
      for (const auto& question : protocol->questions(answers))
        answers.try_emplace(question.id, room::Answer{0, said, {}});
    }
  }
  for (const auto* protocol : room::protocols()) {
    for (const auto& draft : protocol->drafts({{"bob"}, "10.20.0.250"}, answers).checks) {
      if (draft.ways.empty() || !is_scenario_name(room::check_name(draft.id))) std::abort();
    }
  }
}

void request(std::string_view bytes) {
  using namespace promotion::browser;
  static const Origin ours = lab::web::read_origin("http://localhost:8443").value();
  const auto line = [&] {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string text(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    return text;
  };
  WebRequest made;
  made.method = line();
  made.target = line();
  for (auto text = line(); !text.empty(); text = line()) {
    const auto colon = std::min(text.find(':'), text.size());
    made.headers.push_back({text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))});
  }
  made.body = bytes;
  const auto has = [&](const char* name, const std::string& value) {
    return std::ranges::any_of(made.headers, [&](const auto& one) { return one.name == name && one.value == value; });
  };
  // The page, which only shows.
  const auto shown = process::page::asked(made, ours);
  if (!std::holds_alternative<NotAsked>(shown) && (made.method != "GET" || !has("host", ours.host))) std::abort();
  const auto what = asked(made, ours);
  if (const auto* no = std::get_if<NotAsked>(&what)) {
    if (no->code.empty() || no->status < 400 || printable(no->text).empty()) std::abort();
    return;
  }
  if (!has("host", ours.host)) std::abort();
  const AskedSet* set = std::get_if<AskedSet>(&what);
  const auto* draft = std::get_if<AskedDraft>(&what);
  const auto* decision = std::get_if<AskedDecision>(&what);
  if (draft != nullptr) set = &draft->set;
  if (decision != nullptr) set = &decision->set;
  if (set != nullptr && (!is_run_id(set->run) || set->department.find_first_of("/.%\n") != std::string::npos))
    std::abort();
  if ((draft != nullptr || decision != nullptr) && (made.method != "POST" || !has("origin", ours.text))) std::abort();
}

// There is one spelling of an index, and no size in it is more than its blocks make.
void content_index(std::string_view bytes) {
  using namespace lab::content;
  const auto read = parse_index(bytes, "x");
  if (!read) return;
  if (index_text(*read) != bytes) std::abort();
  for (const auto& file : read->files) {
    std::uint64_t sum = 0;
    for (const auto& block : file.blocks) sum += block.bytes;
    if (sum != file.bytes || file.name.find('/') != std::string::npos) std::abort();
  }
}

// The first byte says how long the block should be; whatever is stored makes no more than that, and only the block.
void content_block(std::string_view bytes) {
  using namespace lab::content;
  if (bytes.empty()) return;
  const Block block{1U + static_cast<unsigned char>(bytes.front()), sha256(std::string(3, 'a'))};
  const auto made = unpacked(bytes.substr(1), block);
  if (made && *made != "aaa") std::abort();
}

using Seeds = std::vector<std::string>;
const patches::testing::MsuBuilder msu;

// With checksums a changed byte is only ever a wrong checksum; without them it reaches what lies behind.
std::string unchecked(const std::vector<std::pair<std::string, std::string>>& entries, std::uint32_t compression = 0) {
  return patches::testing::CabBuilder{entries, 0, false, compression}.bytes();
}

Seeds cabinet_seeds() {
  Seeds seeds{msu.bytes(), patches::testing::CabBuilder{{{"a", "b"}}}.bytes()};
  // Stored, MSZIP, Quantum and LZX with the windows that exist.
  for (const std::uint32_t compression : {0U, 1U, 0x0f42U, 0x0f03U, 0x1503U})
    seeds.push_back(unchecked({{"a", "CK" + std::string(2000, 'z')}}, compression));
  return seeds;
}

Seeds catalogue_seeds() {
  tests::SampleCatalogue sample;
  sample.updates = {{100, "5050000", "October", {1200}, {"CVE-2026-1000"}, {{"kb5050000.cab", "october"}}},
                    {1200, "5050001", "November", {}, {"CVE-2026-1001"}, {{"kb5050001.cab", "november"}}}};
  Seeds seeds{tests::catalogue_bytes(sample), tests::index_xml(sample.cabinets), tests::package_xml(sample)};
  for (const auto& cabinet : tests::details_of(sample)) {
    for (const auto& [name, text] : cabinet) {
      if (!name.starts_with("c")) seeds.push_back(text);
    }
  }
  // Without checksums a changed byte reaches what lies behind.
  auto parts = tests::catalogue_parts(sample);
  parts["package.cab"] = unchecked({{"package.xml", tests::package_xml(sample)}});
  seeds.push_back(unchecked({parts.begin(), parts.end()}));
  return seeds;
}

Seeds msu_seeds() {
  const auto servicing = unchecked({{"update.mum", msu.mum.text()}, {"x\\dns.exe", "d"}});
  // With parts, one of which cannot be read, and a servicing stack.
  auto stack = msu;
  stack.mum.children = {"Package_1_for_KB5035968"};
  stack.mum.stack_floor = "6.2.9200.16384";
  stack.mum.component = "Microsoft-Windows-ServicingStack 6.2.9200.22000";
  auto part = stack.mum;
  part.name = "Package_for_KB5035968_RTM_BF";
  const auto parts =
      unchecked({{"update.mum", stack.mum.text()},
                 {"package_for_kb5035968_rtm_bf~31bf3856ad364e35~amd64~~6.2.1.0.mum", part.text()},
                 {"package_2_for_kb5035968~31bf3856ad364e35~amd64~~6.2.1.0.mum", "<"},
                 {"amd64_microsoft-windows-servicingstack_31bf3856ad364e35_6.2.9200.22000_none_0.manifest", "x"}});
  return {
      msu.bytes(), msu.servicing_cabinet(), servicing, parts,
      unchecked({{"wsusscan.cab", unchecked({{"package.cab", unchecked({{"package.xml", "<OfflineSyncPackage/>"}})}})},
                 {"a.cab", servicing},
                 {"a.xml", msu.unattend()},
                 {"a-pkgProperties.txt", msu.properties()}})};
}
Seeds xml_seeds() { return {msu.mum.text(), msu.unattend(), "\xff\xfe" + patches::testing::utf16(msu.mum.text())}; }
Seeds properties_seeds() { return {msu.properties(), "\xff\xfe" + patches::testing::utf16(msu.properties())}; }
Seeds installer_seeds() {
  patches::testing::InstallerBuilder patch;
  patch.is_patch = true;
  patches::testing::InstallerBuilder upgrade;
  upgrade.upgrades = {{"{66666666-2222-3333-4444-555555555555}", "1.0", "2.0", "1031,1033", 0x501, ""}};
  return {patches::testing::InstallerBuilder{}.bytes(), patch.bytes(), upgrade.bytes()};
}
Seeds summary_seeds() {
  const auto file = patches::testing::InstallerBuilder{}.bytes();
  const auto at = file.find(std::string("\xfe\xff\0\0", 4));
  return {file.substr(at, 512)};
}
Seeds program_seeds() {
  patches::testing::ProgramBuilder narrow;
  narrow.machine = 0x014c;
  return {patches::testing::ProgramBuilder{}.bytes(), narrow.bytes()};
}

Seeds entry_name_seeds() {
  return {"package_1_for_kb2999226_bf~31bf3856ad364e35~amd64~~6.2.1.9.mum",
          "amd64_microsoft-windows-servicingstack_31bf3856ad364e35_6.2.9200.22000_none_0123456789abcdef.manifest",
          "x\\update.mum"};
}
Seeds json_seeds() {
  return {R"({"a": [1, -2, 1.5e3, true, null, "x\u0041\ud83d\ude00"], "b": {"c": [], "d": {}}})",
          std::string(deepest_json, '[') + std::string(deepest_json, ']'),
          R"({"a": 1, "b": [{"c": 1, "c": 2}], "a": 1e999})", "\xef\xbb\xbf\"\\u0000\\u202e\""};
}
Seeds text_seeds() {
  return {"\x1b[2J\n\t", "\xe2\x80\xae\xc2\x9b\xf3\xa0\x81\x81", "gr\xc3\xbc\xc3\x9f \xff\xc0\xaf\xed\xa0\x80"};
}
Seeds chain_seeds() {
  const std::string hash(64, 'a');
  auto line = promotion::line_text({7, hash, "2026-11-28T08:00:00.123Z", promotion::ChainKind::approve, hash, "bob@x"});
  line.pop_back();
  return {line, promotion::head_text({hash, {12, hash}, "2026-11-28T08:00:00Z"}), "12:" + hash};
}
Seeds statement_seeds() {
  Seeds seeds;
  std::mt19937 random(20261128);
  for (const auto kind : promotion::all_statement_kinds) {
    if (auto text = promotion::write_statement(promotion::testing::any_statement(kind, random))) seeds.push_back(*text);
  }
  return seeds;
}
Seeds signature_seeds() {
  Seeds seeds;
  for (const auto& made : promotion::testing::security_key_signatures) seeds.emplace_back(made.signature);
  return seeds;
}
Seeds signers_seeds() {
  std::string text = "# who may approve\n";
  for (const auto& made : promotion::testing::security_key_signatures) {
    text += fmt::format("{}@x namespaces=\"patchlab.approve.v1,patchlab.waive.v1\",valid-after=\"20260101Z\" {} note\n",
                        made.name, made.key);
  }
  return {text, "*@x cert-authority,valid-before=\"20260101\" ssh-dss AAAA\n"};
}
Seeds output_seeds() {
  return {"TAP version 14\n1..3\nok 1 - a\nnot ok 2 # TODO b\n  ---\n  x: y\n  ...\nok 3 # SKIP c\n",
          "{\"name\": \"a\", \"outcome\": \"pass\"}\n{\"name\": \"b\", \"outcome\": \"fail\", \"observed\": \"1\"}\n",
          "DISK OK - free | '/ x'=2643MB;5948;5958;0;5968 users=3\nmore | load=1.5e-1\n", "1..0 # SKIP\nBail out!\n"};
}
Seeds datagram_seeds() {
  using namespace std::string_literals;
  const auto located = "\x17\0\0\0\xbd\x11\0\0"s + std::string(16, 'g') + "\6office\7example\0\xc0\x18\3dc1\xc0\x18"s +
                       "\6OFFICE\0\3DC1\0\0\4Site\0\xc0\x3e\6\0\0\0\xff\xff\xff\xff"s;
  const auto size = static_cast<char>(located.size());
  const auto value = "\x04"s + size + located;
  const auto attribute = "\x04\x08netlogon\x31"s + static_cast<char>(value.size()) + value;
  const auto list = "\x30"s + static_cast<char>(attribute.size()) + attribute;
  const auto entry = "\x04\0\x30"s + static_cast<char>(list.size()) + list;
  const auto message = "\x02\x01\x01\x64"s + static_cast<char>(entry.size()) + entry;
  return {located, "\x30"s + static_cast<char>(message.size()) + message, "\x24\x05"s + std::string(46, 't')};
}

Seeds report_seeds() {
  return {
      "Return-Path: <>\r\nContent-Type: multipart/report; report-type=\"delivery-status\"; boundary=\"b c\"\r\n\r\n"
      "--b c\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; "
      "a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b c\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID:\r\n "
      "<1@x>\r\n--b c--\r\n"};
}
Seeds learn_seeds() {
  return {"options { directory \"/x\"; };\nzone \"corp.example\" { type primary; file \"db\"; };\n",
          "corp.example. 3600 IN MX 10 mail1.corp.example.\ncorp.example. 60 IN TXT \"a  b\"\n",
          "0: 00000000:0019 0:0 0A\n1: 00000000:024B 0:0 0A\n",
          "mydestination = corp.example, hash:/x\nmessage_size_limit = 20480000\n",
          "{\"database\": \"corp\", \"port\": \"5433\"}\n{\"schema\": \"s\", \"table\": \"t\", \"kind\": \"r\", "
          "\"empty\": true, \"key\": [\"a\"], \"columns\": [{\"name\": \"a\", \"type\": \"text\"}]}\n",
          "{\"Dhcp4\": {\"subnet4\": [{\"pools\": [{\"pool\": \"10.0.0.1 - 10.0.0.9\"}], \"reservations\": "
          "[{\"hw-address\": "
          "\"02:00:0a:14:00:32\", \"ip-address\": \"10.0.0.2\"}]}]}}",
          "[global]\n[projects]\n\tpath = /srv\n",
          "<Printer a>\nDeviceURI socket://10.20.0.250:9100\n"};
}
Seeds request_seeds() {
  const std::string ours = "host:localhost:8443\norigin:http://localhost:8443\n";
  const std::string json = ours + "content-type:application/json\nsec-fetch-site:same-origin\n\n";
  return {"GET\n/\n" + ours, "GET\n/set/2026-11-22T060250Z-7f3a91/finance\nhost:localhost:8443\n\n",
          "POST\n/draft\n" + json +
              R"({"run": "r1", "department": "finance", "kind": "reject", "by": "b@x", "reason": "y"})",
          "POST\n/decision\n" + json +
              R"({"run": "r1", "department": "finance", "statement": "{}\n", "signature": "\u002d"})"};
}
Seeds policy_seeds() {
  return {promotion::quickstart_text(),
          R"({"schema": "patchlab/policy/v1", "id": "p", "valid_since": "2026-11-01T00:00:00Z",
              "valid_until": "2027-05-01T00:00:00.5Z", "author": "a@x", "replaces": ")" +
              std::string(64, 'a') + R"(",
              "departments": {"d": {"machines": {"m": ["c"]}}}, "coverage": {"retired": ["d/m/c"]},
              "approvals": [{"count": 2, "when": {"severity": ["low"], "waived": true}, "not_by": ["policy-author"]}],
              "waivers": {"what": ["check"], "never": ["m/c"], "max_days": 1, "max_per_set": 1},
              "windows": [{"days": ["sunday"], "from": "23:59", "to": "24:00"}],
              "emergency": {"severity": ["critical"], "approvals": [{"count": 1}], "review_within_days": 1}})"};
}
Seeds calendar_seeds() {
  return {
      "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-TIMEZONE:Europe/Berlin\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a\\, b\r\n"
      "CATEGORIES:WINDOW,department:finance\r\nDTSTART;TZID=Europe/Berlin:20240113T220000\r\nDURATION:PT4H\r\nRRULE:"
      "FREQ=MONTHLY;BYDAY=2SA\r\nEXDATE;TZID=Europe/Berlin:20240210T220000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n"
      "CATEGORIES:FREEZE\r\nDTSTART;VALUE=DATE:20241219\r\nDTEND;VALUE=DATE:20250107\r\nEND:VEVENT\r\n"
      "END:VCALENDAR\r\n",
      "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+"
      "0200\nTZOFFSETTO:"
      "+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nCATEGORIES:WINDOW\n"
      "DTSTART;TZID=x:20240105T220000\nDTEND;TZID=x:20240106T020000\nRRULE:FREQ=WEEKLY;COUNT=90\nEND:VEVENT\n"
      "END:VCALENDAR\n"};
}
Seeds feed_seeds() {
  return {tests::kev_json({{"CVE-2026-1000"}, {"CVE-2026-1001"}}).dump(),
          tests::gzip(tests::epss_text({"CVE-2026-1000,0.5,0.9", "CVE-2026-1001,0.1,0.2"})),
          tests::tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1"}, {"bind9", "CVE-2026-1001", ""}}).dump(),
          tests::cve_record_json("CVE-2026-1000", "yes", "total", "CVSS:3.1/S:U/C:H/I:H").dump(),
          tests::csaf_json({}).dump(),
          tests::csaf_json({.fixed = "", .exploited = true}).dump(),
          tests::known_bad_json("x", {{"kb", "KB5035968"}, {"os", "10.0"}}).dump()};
}
Seeds inventory_seeds() {
  return {"name;IP;Role\r\ndns1;10.0.0.1;\"a\"\"b\nc\"\r\n",
          R"({"_meta": {"hostvars": {"a": {"ansible_host": "10.0.0.1"}}}, "all": {"children": ["b"]},
              "b": {"hosts": ["a"], "children": ["all"]}})",
          R"({"count": 2, "next": null, "results": [{"name": "a", "role": {"slug": "dns"}, "tags": [{"slug": "x"}],
              "primary_ip": {"address": "10.0.0.1/24"}, "status": {"value": "active"}, "custom_fields": {}}]})",
          "define hostgroup {\n\thostgroup_name g\n\tmembers a,b\n\t}\ndefine host {\n\thost_name a\n\t}\n",
          "# Nmap 7\nHost: 10.0.0.1 (a)\tStatus: Up\n# Nmap done\n10.0.0.2 b\n2001:db8::1\n"};
}
Seeds facts_seeds() {
  return {tests::small_facts(), tests::facts_text("{\"not_known\":\"ports\",\"why\":\"x\"}\n"),
          tests::facts_text("{\"package\":\"KB5035968\",\"version\":\"installed\"}\n")};
}
Seeds appliance_seeds() {
  patchlab::testing::OvfBuilder ovf;
  ovf.disks.push_back({"b.vmdk", "4", "1"});
  const auto manifest = "SHA256(s.ovf)= " + std::string(64, 'a') + "\nSHA1 (a (b)) = " + std::string(40, 'b') + "\n";
  return {ovf.text(), manifest,
          patchlab::testing::tar_of({{"s.ovf", ovf.text()}, {"s.mf", manifest}, {"a.vmdk", "KDMV"}})};
}
Seeds kind_seeds() {
  return {"<!DOCTYPE html>", "version https://git-lfs.github.com/spec/v1", "PK\x03\x04", "{\"a\": 1}", "!<arch>\n",
          "#!/bin/sh"};
}

Seeds installed_seeds() {
  return {
      "bind9:amd64\t1:9.18-2\tii \ndpkg\t1.21\tii \ntidy\t2.0\n",
      "Start-Date: 2026-11-28  22:00:01\nUpgrade: a:amd64 (1, 2), b:all (3, automatic)\nError: x\nEnd-Date: y\n\n",
      R"({"machine":"a","observed":"2026-11-28T22:00:00Z","packages":[{"name":"b","version":"1"}],"updates":["KB1234567"]})",
      R"({"schema":"patchlab/wsus-report/v1","machine":"a","observed":"2026-11-28T22:00:00Z","updates":[{"kb":["KB5035968"],)"
      R"("update":"6f0d83cc-1a4e-4d0c-9c1c-2f4b8f5a7d11","revision":200,"state":"NotApplicable"}]})"
      "\n"};
}

}  // namespace

Seeds content_index_seeds() {
  const auto digest = sha256("x");
  return {"patchlab content index 1\nimage " + digest + " dns 2026-11-01T00:00:00.000Z\nfile disk.qcow2 8197 " +
          digest + "\n4096 " + digest + "\n4096 0\n5 " + digest + "\nfile dpkg-status 0 " + digest +
          "\nfile image.json 1 " + digest + "\n1 " + digest + "\nfile initrd 1 " + digest + "\n1 " + digest +
          "\nfile kernel 1 " + digest + "\n1 " + digest + "\n"};
}
Seeds content_block_seeds() {
  return {"\x02" + lab::content::packed("aaa"), "\x02" + lab::content::packed(std::string(100'000, 'a'))};
}

const std::vector<Target>& targets() {
  static const std::vector<Target> all{{"cabinet", cabinet, cabinet_seeds},
                                       {"catalogue", catalogue, catalogue_seeds},
                                       {"msu", package, msu_seeds},
                                       {"xml", xml, xml_seeds},
                                       {"entry_name", entry_name, entry_name_seeds},
                                       {"properties", properties, properties_seeds},
                                       {"installer", package, installer_seeds},
                                       {"summary", summary, summary_seeds},
                                       {"program", package, program_seeds},
                                       {"json", json, json_seeds},
                                       {"text", text, text_seeds},
                                       {"chain", chain, chain_seeds},
                                       {"policy", policy, policy_seeds},
                                       {"calendar", calendar, calendar_seeds},
                                       {"feed", feed, feed_seeds},
                                       {"inventory", inventory, inventory_seeds},
                                       {"facts", facts, facts_seeds},
                                       {"kind", kind, kind_seeds},
                                       {"appliance", appliance, appliance_seeds},
                                       {"statement", statement, statement_seeds},
                                       {"signature", signature, signature_seeds},
                                       {"signers", signers, signers_seeds},
                                       {"output", output, output_seeds},
                                       {"learn", learn, learn_seeds},
                                       {"datagram", datagram, datagram_seeds},
                                       {"report", report, report_seeds},
                                       {"request", request, request_seeds},
                                       {"installed", installed, installed_seeds},
                                       {"content_index", content_index, content_index_seeds},
                                       {"content_block", content_block, content_block_seeds}};
  return all;
}

const Target* find_target(std::string_view name) {
  for (const auto& target : targets()) {
    if (name == target.name) return &target;
  }
  return nullptr;
}

}  // namespace patchlab::fuzz
