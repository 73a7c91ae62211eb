// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "lab/guest/windows/replies.hpp"

// What is read must not depend on the machine's language: the same values are printed in several languages, with their
// labels in the code page of their consoles, their ways to group digits, their spaces before colons, and read again.
namespace patchlab::lab::guest::windows {
namespace {

struct Language {
  const char* name;
  // Labels of sc, in the order of its lines; names of states stay English or not.
  const char* service_name;
  const char* display_name;
  const char* type;
  const char* state;
  const char* exit_code;
  const char* service_exit_code;
  const char* check_point;
  const char* wait_hint;
  const char* colon;  // with what stands around it
  const char* group;  // between groups of digits
  const char* stopped;
  const char* end_of_search;  // of reg, {} is the number
  const char* default_value;
  const char* listening;
  const char* not_available;
  const char* identity;  // labels of dism
  const char* package_state;
  const char* release_type;
  const char* install_time;
  const char* success;
};

// Bytes of code pages 850 (German, French, Spanish), 866 (Russian), 932 (Japanese), and UTF-8.
const Language languages[] = {
    {"English",
     "SERVICE_NAME",
     "DISPLAY_NAME",
     "TYPE",
     "STATE",
     "WIN32_EXIT_CODE",
     "SERVICE_EXIT_CODE",
     "CHECKPOINT",
     "WAIT_HINT",
     ": ",
     ",",
     "STOPPED",
     "End of search: {} match(es) found.",
     "(Default)",
     "LISTENING",
     "N/A",
     "Package Identity",
     "State",
     "Release Type",
     "Install Time",
     "The operation completed successfully."},
    {"German",
     "SERVICE_NAME",
     "DISPLAY_NAME",
     "TYP",
     "STATUS",
     "WIN32_EXIT_CODE",
     "DIENST_EXIT_CODE",
     "PR\x9A"
     "FPUNKT",
     "WARTEHINWEIS",
     ": ",
     ".",
     "BEENDET",
     "Suchende: {} \x9A"
     "bereinstimmung(en) gefunden.",
     "(Standard)",
     "ABH\x99REN",
     "Nicht zutreffend",
     "Paketidentit\x84t",
     "Status",
     "Versionstyp",
     "Installationszeit",
     "Der Vorgang wurde erfolgreich beendet."},
    {"French",
     "SERVICE_NAME",
     "DISPLAY_NAME",
     "TYPE",
     "\x90TAT",
     "CODE_SORTIE_WIN32",
     "CODE_SORTIE_SERVICE",
     "POINT_DE_CONTR\xE2LE",
     "INDICATION_ATTENTE",
     "\xFF: ",
     "\xFF",
     "ARR\xD2T\x90",
     "Fin de la recherche\xFF: {} correspondance(s) trouv\x82"
     "e(s).",
     "(par d\x82"
     "faut)",
     "LISTENING",
     "N/D",
     "Identit\x82 du package",
     "\x90tat",
     "Type de version",
     "Heure d'installation",
     "L'op\x82ration a r\x82ussi."},
    {"Spanish",
     "NOMBRE_SERVICIO",
     "NOMBRE_MOSTRAR",
     "TIPO",
     "ESTADO",
     "C\xE0"
     "D_SALIDA_WIN32",
     "C\xE0"
     "D_SALIDA_SERVICIO",
     "PUNTO_COMPROB.",
     "INDICACI\xE0N_INICIO",
     ": ",
     ".",
     "STOPPED",
     "Fin de la b\xA3squeda: {} coincidencias.",
     "(Predeterminado)",
     "LISTENING",
     "N/D",
     "Identidad de paquete",
     "Estado",
     "Tipo de versi\xA2n",
     "Hora de instalaci\xA2n",
     "La operaci\xA2n se complet\xA2 correctamente."},
    {"Russian",
     "\x88\xAC\xEF_\xE1\xAB\xE3\xA6\xA1\xEB",
     "\x82\xEB\xA2\xAE\xA4\xA8\xAC\xAE\xA5_\xA8\xAC\xEF",
     "\x92\xA8\xAF",
     "\x91\xAE\xE1\xE2\xAE\xEF\xAD\xA8\xA5",
     "\x8A\xAE\xA4_\xA2\xEB\xE5\xAE\xA4\xA0_Win32",
     "\x8A\xAE\xA4_\xA2\xEB\xE5\xAE\xA4\xA0_\xE1\xAB\xE3\xA6\xA1\xEB",
     "\x8A\xAE\xAD\xE2\xE0\xAE\xAB\xEC\xAD\xA0\xEF_\xE2\xAE\xE7\xAA\xA0",
     "\x8E\xA6\xA8\xA4\xA0\xAD\xA8\xA5",
     ": ",
     "\xFF",
     "\x8E\xE1\xE2\xA0\xAD\xAE\xA2\xAB\xA5\xAD\xA0",
     "\x8A\xAE\xAD\xA5\xE6 \xAF\xAE\xA8\xE1\xAA\xA0: \xAD\xA0\xA9\xA4\xA5\xAD\xAE {}.",
     "(\x8F\xAE \xE3\xAC\xAE\xAB\xE7\xA0\xAD\xA8\xEE)",
     "LISTENING",
     "\x8D/\x84",
     "\x88\xA4\xA5\xAD\xE2\xA8\xE4\xA8\xAA\xA0\xE2\xAE\xE0 \xAF\xA0\xAA\xA5\xE2\xA0",
     "\x91\xAE\xE1\xE2\xAE\xEF\xAD\xA8\xA5",
     "\x92\xA8\xAF \xA2\xEB\xAF\xE3\xE1\xAA\xA0",
     "\x82\xE0\xA5\xAC\xEF",
     "\x8E\xAF\xA5\xE0\xA0\xE6\xA8\xEF \xE3\xE1\xAF\xA5\xE8\xAD\xAE \xA7\xA0\xA2\xA5\xE0\xE8\xA5\xAD\xA0."},
    {"Japanese in UTF-8",
     "SERVICE_NAME",
     "DISPLAY_NAME",
     "\xE7\xA8\xAE\xE9\xA1\x9E",
     "\xE7\x8A\xB6\xE6\x85\x8B",
     "WIN32_EXIT_CODE",
     "SERVICE_EXIT_CODE",
     "CHECKPOINT",
     "WAIT_HINT",
     "\xEF\xBC\x9A",
     ",",
     "STOPPED",
     "\xE6\xA4\x9C\xE7\xB4\xA2: {} \xE4\xBB\xB6",
     "(\xE6\x97\xA2\xE5\xAE\x9A)",
     "LISTENING",
     "N/A",
     "\xE3\x83\x91\xE3\x83\x83\xE3\x82\xB1\xE3\x83\xBC\xE3\x82\xB8 ID",
     "\xE7\x8A\xB6\xE6\x85\x8B",
     "\xE7\xA8\xAE\xE9\xA1\x9E",
     "\xE6\x97\xA5\xE6\x99\x82",
     "\xE6\x93\x8D\xE4\xBD\x9C\xE3\x81\xAF\xE5\xAE\x8C\xE4\xBA\x86\xE3\x81\x97\xE3\x81\xBE\xE3\x81\x97\xE3\x81\x9F\xE3"
     "\x80\x82"},
};

std::string grouped(std::uint64_t number, const std::string& mark) {
  auto digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), mark);
  return digits;
}

struct Service {
  std::string name;
  std::uint32_t state = 4;
  std::uint32_t exit_code = 0;
  std::uint32_t service_code = 0;
};

std::string printed(const std::vector<Service>& list, const Language& in, bool groups) {
  std::string text;
  const auto field = [&](const char* label, const std::string& value) {
    return fmt::format("        {:<19}{}{}\r\n", label, in.colon, value);
  };
  const auto code = [&](std::uint32_t number) {
    return fmt::format("{}  (0x{:x})", groups ? grouped(number, in.group) : fmt::format("{}", number), number);
  };
  for (const auto& service : list) {
    text += fmt::format("\r\n{}{}{}\r\n{}{}{}\r\n", in.service_name, in.colon, service.name, in.display_name, in.colon,
                        "A: name, with a colon");
    text += field(in.type, "110  WIN32_OWN_PROCESS  (interactive)") +
            field(in.state, fmt::format("{:x}  {} ", service.state, in.stopped)) +
            "                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n" +
            field(in.exit_code, code(service.exit_code)) + field(in.service_exit_code, code(service.service_code)) +
            field(in.check_point, "0x0") + field(in.wait_hint, "0x7d0");
  }
  return text;
}

class EachLanguage : public testing::TestWithParam<Language> {};
void PrintTo(const Language& language, std::ostream* out) { *out << language.name; }

std::string decoded(const std::string& bytes) { return text_of(bytes).value_or("?"); }

TEST_P(EachLanguage, PrintsTheSameServices) {
  std::mt19937 random(2026);
  const std::vector<std::uint32_t> codes{0,          1077,       1066,       99'999'999, 100'000'000,
                                         2147680517, 0x80030105, 0xC0000005, 0xFFFFFFFF};
  for (int round = 0; round < 200; ++round) {
    std::vector<Service> list;
    for (unsigned i = 0; i < 1 + random() % 5; ++i) {
      const auto any = [&] {
        return random() % 3 == 0 ? static_cast<std::uint32_t>(random()) : codes[random() % codes.size()];
      };
      list.push_back(
          {fmt::format("Service {} {}", round, i), 1 + static_cast<std::uint32_t>(random() % 7), any(), any()});
    }
    for (const bool groups : {false, true}) {
      const auto text = decoded(printed(list, GetParam(), groups));
      const auto found = services(text);
      ASSERT_TRUE(found) << found.error().message << '\n' << text;
      ASSERT_EQ(found->size(), list.size());
      for (const auto& service : list) {
        const auto& status = found->at(service.name);
        EXPECT_EQ(status.state, service.state);
        EXPECT_EQ(status.exit_code, service.exit_code);
        EXPECT_EQ(status.service_code, service.service_code);
      }
    }
  }
}

TEST_P(EachLanguage, CountsTheSameMatches) {
  for (const std::size_t matches : {0U, 1U, 7U, 999U, 1000U, 12'345U}) {
    std::string text;
    for (std::size_t i = 0; i < matches; ++i) {
      text += fmt::format("\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\K{}\r\n    {}    REG_SZ    C:\\x{}\r\n", i,
                          i % 2 == 0 ? "DisplayVersion" : GetParam().default_value, i);
    }
    for (const bool groups : {false, true}) {
      const auto number = [&](std::size_t n) { return groups ? grouped(n, GetParam().group) : fmt::format("{}", n); };
      const auto end = [&](std::size_t n) {
        return "\r\n" + fmt::format(fmt::runtime(GetParam().end_of_search), number(n)) + "\r\n";
      };
      const auto keys = registry_keys(decoded(text + end(matches)));
      ASSERT_TRUE(keys) << keys.error().message;
      EXPECT_EQ(keys->size(), matches);
      EXPECT_FALSE(registry_keys(decoded(text + end(matches + 1)))) << matches;
      const auto none = registry_in({{"s", {decoded(end(matches)), 1}}}, "s", Absence::of_matches);
      EXPECT_EQ(none.has_value(), matches == 0);
    }
  }
}

TEST_P(EachLanguage, ListsTheSamePackages) {
  const auto& in = GetParam();
  const std::vector<std::pair<std::string, std::string>> packages{
      {"Package_for_RollupFix~31bf3856ad364e35~amd64~~20348.5614.1.0", "Installed"},
      {"Package_for_KB5122882~31bf3856ad364e35~amd64~~6.2.1.0", "Install Pending"},
      {"Microsoft-Windows-X~31bf3856ad364e35~amd64~de-DE~10.0.20348.1", "Superseded"}};
  std::string table = "\r\nTool\r\nVersion: 10.0.20348.681\r\n\r\nImage: 10.0.20348.5614\r\n\r\n";
  std::string list = table;
  const std::string rule = "---------- | ----- | ---- | ----\r\n";
  table += rule +
           fmt::format("{} | {} | {} | {}\r\n", in.identity, in.package_state, in.release_type, in.install_time) + rule;
  for (const auto& [identity, state] : packages) {
    table += fmt::format("{:<70} | {} | Update | 9/13/2022 11:06 PM\r\n", identity, state);
    list +=
        fmt::format("{}{}{}\r\n{}{}{}\r\n{}{}Update\r\n{}{}13.09.2022 23:06\r\n\r\n", in.identity, in.colon, identity,
                    in.package_state, in.colon, state, in.release_type, in.colon, in.install_time, in.colon);
  }
  // As a console of 80 columns breaks it.
  std::string broken;
  std::size_t column = 0;
  for (const char c : table) {
    if (c == '\r') continue;
    if (column == 80 && c != '\n') {
      broken += "\r\n";
      column = 0;
    }
    broken += c == '\n' ? std::string("\r\n") : std::string(1, c);
    column = c == '\n' ? 0 : column + 1;
  }
  for (const auto& text : {table, list, broken}) {
    const auto found = dism_packages(decoded(text + "\r\n" + in.success + "\r\n"));
    ASSERT_TRUE(found) << found.error().message << '\n' << text;
    EXPECT_EQ(*found, (std::map<std::string, std::string>(packages.begin(), packages.end())));
    EXPECT_FALSE(dism_packages(decoded(text)));
  }
}

TEST_P(EachLanguage, NamesTheSameListeners) {
  const auto& in = GetParam();
  const auto sockets = fmt::format(
      "\r\n{0}\r\n\r\n  Proto  {0}  {0}  {0}  PID\r\n"
      "  TCP    0.0.0.0:53      0.0.0.0:0      {1}       1200\r\n"
      "  TCP    10.20.0.10:53   10.20.0.2:50000  {2}  1200\r\n"
      "  UDP    0.0.0.0:53      *:*      1200\r\n",
      "x", in.listening, in.stopped);
  const auto tasks = fmt::format("\"System\",\"4\",\"{}\"\r\n\"dns.exe\",\"1200\",\"DNS\"\r\n", in.not_available);
  const auto found = listeners(decoded(sockets), decoded(tasks));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, testing::ElementsAre("tcp 0.0.0.0:53 dns.exe", "udp 0.0.0.0:53 dns.exe"));
}

INSTANTIATE_TEST_SUITE_P(All, EachLanguage, testing::ValuesIn(languages));

}  // namespace
}  // namespace patchlab::lab::guest::windows
