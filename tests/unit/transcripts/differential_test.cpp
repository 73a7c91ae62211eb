// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "lab/core/utf16.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "tests/unit/transcripts/transcripts.hpp"

// Every real output again as another machine would print it: with other line ends, in other code pages, with the labels
// of another language, with digits grouped. The same values must be read from it, or an error; never other values.
namespace patchlab::recorded {
namespace {
using lab::guest::recording::from_code_page;
using lab::guest::recording::in_code_page;

// What is the same in six languages, in this order. All but a few are in outputs of this folder; French labels of sc
// and the Japanese ones are not known to differ from the English.
constexpr std::size_t languages = 6;
constexpr const char* language_names[languages] = {"English", "German", "French", "Spanish", "Russian", "Japanese"};
using Phrase = std::array<const char*, languages>;
const std::vector<Phrase> phrases{
    // sc
    {"SERVICE_NAME:", "SERVICE_NAME:", "SERVICE_NAME:", "NOMBRE_SERVICIO:", "Имя_службы:", "SERVICE_NAME:"},
    {"DISPLAY_NAME:", "DISPLAY_NAME:", "DISPLAY_NAME:", "NOMBRE_MOSTRAR :", "Выводимое_имя:", "DISPLAY_NAME:"},
    {"TYPE               :", "TYP                :", "TYPE               :", "TIPO               :",
     "Тип                :", "TYPE               :"},
    {"STATE              :", "STATUS             :", "STATE              :", "ESTADO             :",
     "Состояние          :", "STATE              :"},
    {"WIN32_EXIT_CODE    :", "WIN32_EXIT_CODE    :", "WIN32_EXIT_CODE    :", "CÓD_SALIDA_WIN32   :",
     "Код_выхода_Win32   :", "WIN32_EXIT_CODE    :"},
    {"SERVICE_EXIT_CODE  :", "SERVICE_EXIT_CODE  :", "SERVICE_EXIT_CODE  :", "CÓD_SALIDA_SERVICIO:",
     "Код_выхода_службы  :", "SERVICE_EXIT_CODE  :"},
    {"CHECKPOINT         :", "PRÜFPUNKT          :", "CHECKPOINT         :", "PUNTO_COMPROB.     :",
     "Контрольная_точка  :", "CHECKPOINT         :"},
    {"WAIT_HINT          :", "WARTEHINWEIS       :", "WAIT_HINT          :", "INDICACIÓN_INICIO  :",
     "Ожидание           :", "WAIT_HINT          :"},
    // reg
    {"(Default)", "(Standard)", "(par défaut)", "(Predeterminado)", "(По умолчанию)", "(既定)"},
    {"ERROR: The system was unable to find the specified registry key or value.",
     "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.",
     "ERREUR : Le système n’a pas pu trouver la clé de Registre ou la valeur spécifiée.",
     "ERROR: El sistema no ha podido encontrar la clave o el valor del Registro especificados.",
     "Ошибка: Не удается найти указанный раздел или параметр в реестре.",
     "エラー: 指定されたレジストリ キーまたは値が見つかりませんでした"},
    // netstat
    {"Proto  Local Address ", "Proto  Lokale Adresse ", "Proto  Adresse locale ", "Proto  Dirección local ",
     "Имя    Локальный адрес ", "プロトコル  ローカル アドレス "},
    {"Active Connections", "Aktive Verbindungen", "Connexions actives", "Conexiones activas", "Активные подключения",
     "アクティブな接続"},
    {"LISTENING", "ABHÖREN", "À L'ÉCOUTE", "ESCUCHANDO", "ПРОСЛУШИВАНИЕ", "受信待ち"},
    {"ESTABLISHED", "HERGESTELLT", "ÉTABLI", "ESTABLISHED", "ESTABLISHED", "確立済み"},
    {"TIME_WAIT", "WARTEND", "TIME_WAIT", "TIME_WAIT", "TIME_WAIT", "TIME_WAIT"},
    // certutil
    {"CertUtil: -hashfile command completed successfully.", "CertUtil: -hashfile-Befehl wurde erfolgreich ausgeführt.",
     "CertUtil: -hashfile command completed successfully.", "CertUtil: -hashfile comando completado correctamente.",
     "CertUtil: -hashfile — команда успешно выполнена.", "CertUtil: -hashfile コマンドは正常に完了しました。"},
    // dism
    {"Package Identity : ", "Paketidentität : ", "Identité du package : ", "Identidad de paquete : ",
     "Удостоверение пакета : ", "パッケージ ID : "},
    {"Release Type : ", "Versionstyp : ", "Type de version : ", "Tipo de versión : ", "Тип выпуска : ",
     "リリースの種類 : "},
};

// The line that a search of reg ends with.
constexpr const char* ends_of_search[languages] = {
    "End of search: {} match(es) found.", "Suche beendet: {} Übereinstimmung(en) gefunden.",
    "End of search: {} match(es) found.", "Fin de la búsqueda: {} coincidencias encontradas.",
    "End of search: {} match(es) found.", "検索の完了: 該当 {} 件"};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string in_language(std::string text, std::size_t language) {
  for (const auto& phrase : phrases) {
    // Longest first, lest one that another begins with is found in it.
    std::vector<std::string> others(phrase.begin(), phrase.end());
    std::sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    for (const auto& other : others) text = replaced(std::move(text), other, "\x01");
    text = replaced(std::move(text), "\x01", phrase[language]);
  }
  for (const auto* end : ends_of_search) {
    const std::string_view all = end;
    const auto before = all.substr(0, all.find("{}"));
    const auto behind = all.substr(all.find("{}") + 2);
    const auto at = text.find(before);
    const auto stop = at == std::string::npos ? at : text.find(behind, at + before.size());
    if (stop == std::string::npos) continue;
    const auto number = text.substr(at + before.size(), stop - at - before.size());
    text.replace(at, stop + behind.size() - at, fmt::format(fmt::runtime(ends_of_search[language]), number));
    break;
  }
  return text;
}

// "1077  (0x435)" -> "1.077  (0x435)".
std::string grouped(const std::string& text, const std::string& mark) {
  static const std::regex code(": ([0-9]{4,})  \\(0x");
  std::string result;
  auto rest = text.cbegin();
  for (std::sregex_iterator at(text.begin(), text.end(), code), end; at != end; ++at) {
    auto digits = (*at)[1].str();
    for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
      digits.insert(static_cast<std::size_t>(i), mark);
    result.append(rest, (*at)[1].first).append(digits);
    rest = (*at)[1].second;
  }
  return result.append(rest, text.cend());
}

std::string with_line_ends(const std::string& text, const char* end) {
  std::string result;
  for (const char c : text) {
    if (c == '\n')
      result += end;
    else if (c != '\r')
      result += c;
  }
  return result;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Without what an old code page cannot bring across: names and texts in other letters.
Json only_ascii(const Json& values) {
  if (values.is_string()) return is_ascii(values.get<std::string>()) ? values : Json("other letters");
  if (values.is_array()) {
    Json kept = Json::array();
    for (const auto& value : values) kept.push_back(only_ascii(value));
    return kept;
  }
  if (!values.is_object()) return values;
  Json kept = Json::object();
  for (const auto& [name, value] : values.items()) {
    if (is_ascii(name)) kept[name] = only_ascii(value);
  }
  return kept;
}

struct Variant {
  std::string what;
  std::string bytes;
  bool is_other_code_page = false;
};

std::vector<Variant> variants_of(const std::string& text) {
  std::vector<Variant> all;
  for (const auto& [what, end] : {std::pair{"\\n", "\n"}, {"\\r\\n", "\r\n"}, {"\\r\\r\\n", "\r\r\n"}})
    all.push_back({fmt::format("with line ends {}", what), with_line_ends(text, end)});
  for (const auto* mark : {".", ",", " ", "'", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x99"})
    all.push_back({fmt::format("with digits grouped by '{}'", mark), grouped(text, mark)});
  for (std::size_t i = 0; i < languages; ++i)
    all.push_back({fmt::format("in {}", language_names[i]), with_line_ends(in_language(text, i), "\r\n")});
  const auto in_utf8 = all;
  for (const auto* page : {"437", "850", "852", "866", "932", "936", "1251", "1252"}) {
    for (const auto& one : in_utf8) {
      auto bytes = in_code_page(one.bytes, page);
      if (!bytes || *bytes == one.bytes) continue;
      all.push_back({fmt::format("{}, in code page {}", one.what, page), *bytes, true});
    }
  }
  for (const auto& one : in_utf8) {
    std::string bytes = "\xFF\xFE";
    for (const auto unit : to_utf16(one.bytes)) bytes += {static_cast<char>(unit), static_cast<char>(unit >> 8U)};
    all.push_back({one.what + ", in UTF-16", bytes, true});
  }
  return all;
}

class Differential : public testing::TestWithParam<Transcript> {};

TEST_P(Differential, HasTheSameValuesHoweverAMachinePrintsIt) {
  const auto& transcript = GetParam();
  const auto bytes = transcript.bytes();
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto encoding = transcript.entry.value("encoding", std::string("utf-8"));
  const auto text = encoding.starts_with("cp") ? from_code_page(*bytes, encoding.substr(2)) : std::optional(*bytes);
  ASSERT_TRUE(text);
  const auto found = values_in(transcript, *text);
  ASSERT_TRUE(found);
  for (const auto& variant : variants_of(*text)) {
    const auto again = *values_in(transcript, variant.bytes);
    if (!*found) {
      EXPECT_FALSE(again) << variant.what << ": not understood before, read as " << again->dump();
    } else if (!again) {
      // An error is allowed where letters of an old code page may look like something else.
      EXPECT_TRUE(variant.is_other_code_page) << variant.what << ": " << again.error().message;
    } else if (variant.is_other_code_page) {
      EXPECT_EQ(only_ascii(*again), only_ascii(**found)) << variant.what;
    } else {
      EXPECT_EQ(*again, **found) << variant.what;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Differential, testing::ValuesIn(printed_transcripts()));

// That the variants differ at all.
TEST(Variants, AreOtherTexts) {
  const std::string text =
      "SERVICE_NAME: a\n        TYPE               : 10  X\n        WIN32_EXIT_CODE    : 1077  (0x435)\n";
  EXPECT_EQ(in_language(text, 4),
            "Имя_службы: a\n        Тип                : 10  X\n        Код_выхода_Win32   : 1077  (0x435)\n");
  EXPECT_EQ(in_language(in_language(text, 4), 0), text);
  EXPECT_EQ(in_language("End of search: 12 match(es) found.\n", 5), "検索の完了: 該当 12 件\n");
  EXPECT_THAT(grouped(text, "."), testing::HasSubstr(": 1.077  (0x435)"));
  EXPECT_EQ(with_line_ends("a\r\nb\n", "\r\r\n"), "a\r\r\nb\r\r\n");
  EXPECT_EQ(in_code_page("\xC3\x84", "850"), "\x8E");
  EXPECT_FALSE(in_code_page("\xE6\x97\xA2", "850"));
  EXPECT_GT(variants_of(in_language(text, 4)).size(), 40U);
}
}  // namespace
}  // namespace patchlab::recorded
