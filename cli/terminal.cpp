// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::cli {

ExitCode report(const Error& error, ExitCode code) {
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) tell(fmt::format("patchlab: error: {}\n", printable(line)));
  if (!error.hint.empty()) tell(fmt::format("patchlab: hint: {}\n", printable(error.hint)));
  return error.error_class == ErrorClass::usage ? ExitCode::usage : code;
}

void warn(const std::string& text) { tell(fmt::format("patchlab: warning: {}\n", printable(text))); }

ExitCode report_input(const Error& error, ExitCode bad) {
  return report(error, error.error_class == ErrorClass::configuration ? bad : ExitCode::error);
}

ExitCode report(const Error& error) {
  return report(error, error.error_class == ErrorClass::configuration ? ExitCode::bad_configuration : ExitCode::error);
}

std::string coloured(Outcome outcome, const std::string& text) {
  static const bool colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  if (!colours) return text;
  const char* code = "0";
  switch (outcome) {
    case Outcome::pass: code = "32"; break;
    case Outcome::fail: code = "31;1"; break;
    case Outcome::error: code = "35;1"; break;
    case Outcome::skipped: code = "2"; break;
    case Outcome::not_reached: code = "33"; break;
  }
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

namespace {
// Characters, not bytes.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}
}  // namespace

std::string table(const std::vector<std::vector<Cell>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(printable(row[i].text)));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto padded = printable(row[i].text);
      if (i + 1 < row.size()) padded.append(widths[i] + 2 - columns(padded), ' ');
      line += row[i].outcome ? coloured(*row[i].outcome, padded) : padded;
    }
    text += line + "\n";
    if (!row.empty() && !row.back().below.empty()) text += "        " + printable(row.back().below) + "\n";
  }
  return text;
}

std::stop_token interruption() {
  static std::stop_source source;
  static const bool watching = [] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    // Blocked here and in every thread started from now on; one thread waits for them, so nothing is done inside a
    // signal handler.
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([signals] {
      for (int times = 0;; ++times) {
        int number = 0;
        if (sigwait(&signals, &number) != 0) continue;
        if (times > 0) ::_exit(128 + number);
        tell(fmt::format(
            "\npatchlab: cancelled; taking the lab down and writing the record (once more to leave at once)\n"));
        source.request_stop();
      }
    }).detach();
    return true;
  }();
  (void)watching;
  return source.get_token();
}

std::string own_program() {
  std::error_code code;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", code);
  return code ? std::string("/proc/self/exe") : path.string();
}

}  // namespace patchlab::cli
