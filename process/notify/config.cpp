// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/config.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/mail_text.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_config = 1U << 20U;
constexpr std::uintmax_t largest_secret = 4096;
constexpr std::size_t most_receivers = 20;
constexpr std::size_t longest_text = 1000;

bool is_plain(std::string_view text) {  // what may stand in a URL or a header
  return !text.empty() && text.size() <= longest_text &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// A name or an address, with a port or without.
bool is_authority(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-:[]").find(c) != std::string_view::npos;
  });
}

// What is wrong with it; empty: nothing.
std::string wrong_with_url(const std::string& text, std::initializer_list<std::string_view> schemes) {
  if (!is_plain(text)) return "must be a URL in ASCII, without blanks";
  for (const auto scheme : schemes) {
    if (!text.starts_with(scheme)) continue;
    const auto rest = std::string_view(text).substr(scheme.size());
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos)
      return "must not hold a user or a password: others can read this file; events are signed instead";
    if (!is_authority(authority)) return "has no host";
    if (rest.find('#') != std::string_view::npos) return "must not have a fragment ('#'): nobody would be sent it";
    return {};
  }
  std::vector<std::string> known(schemes.begin(), schemes.end());
  return fmt::format("must begin with {}", listed(known, " or "));
}

class Reading {
 public:
  Reading(fs::path folder, std::vector<JsonProblem>& problems) : folder_(std::move(folder)), problems_(problems) {}

  NotifyConfig config(const Json& json) {
    JsonReader reader(json, "", problems_);
    NotifyConfig config;
    (void)reader.text_or("$schema", "");
    if (reader.text("schema") != notify_schema) reader.problem("schema", fmt::format("must be \"{}\"", notify_schema));
    config.source = reader.text("source", [](const std::string& text) {
      return is_plain(text)
                 ? std::string()
                 : std::string("must be a URI of this lab in ASCII, without blanks: \"/xavier.example/lab1\"");
    });
    config.outbox = path(reader, "outbox");
    if (reader.has("look_at")) {
      auto inside = reader.object("look_at");
      config.look_at = look_at(inside);
    } else {
      (void)reader.object("look_at");
    }
    receivers(reader, config);
    if (reader.has("retry")) {
      auto retry = reader.object("retry");
      config.first_delay = std::chrono::seconds(retry.integer_or("first_s", 60, 1, 86400));
      config.most_delay = std::chrono::seconds(retry.integer_or("most_s", 21600, 1, 604800));
      if (config.most_delay < config.first_delay) retry.problem("most_s", "is less than first_s");
      retry.finish();
    }
    config.round = std::chrono::seconds(reader.integer_or("round_s", 300, 1, 86400));
    reader.finish();
    return config;
  }

 private:
  // Empty, after a problem, when it is missing.
  fs::path path(JsonReader& reader, const std::string& key) {
    const auto text = reader.text(key, not_empty("an empty path names nothing"));
    return text.empty() ? fs::path() : folder_ / text;
  }
  fs::path path_or_none(JsonReader& reader, const std::string& key) {
    return reader.has(key) ? path(reader, key) : fs::path();
  }

  LookAt look_at(JsonReader& reader) {
    LookAt look;
    look.stage = path_or_none(reader, "stage");
    look.runs = path_or_none(reader, "runs");
    look.lab_cache = path_or_none(reader, "lab_cache");
    look.newest_runs = reader.integer_or("newest_runs", look.newest_runs, 1, 1000);
    look.feeds = path_or_none(reader, "feeds");
    if (reader.has("feeds_max_age_days"))
      look.feeds_max_age_days = static_cast<int>(reader.integer("feeds_max_age_days", 1, 3650));
    look.scan = path_or_none(reader, "scan");
    if (reader.has("scan_max_age_days")) look.scan_max_age_days = reader.integer("scan_max_age_days", 1, 3650);
    look.calendar = path_or_none(reader, "calendar");
    look.schedule = path_or_none(reader, "schedule");
    look.reported_within = std::chrono::hours(reader.integer_or("reported_within_h", 24, 0, 8760));
    look.night = reader.boolean_or("night", true);
    look.warning = std::chrono::hours(reader.integer_or("warning_h", 26, 1, 8760));
    look.critical = std::chrono::hours(reader.integer_or("critical_h", 50, 1, 8760));
    if (look.critical < look.warning) reader.problem("critical_h", "is less than warning_h");
    look.free_gib = reader.integer_or("free_gib", 0, 1, 100000);
    if (!look.calendar.empty() && look.stage.empty())
      reader.problem("calendar", "needs \"stage\": what was promoted is compared with its windows");
    reader.finish();
    return look;
  }

  void receivers(JsonReader& reader, NotifyConfig& config) {
    const auto& list = reader.raw("receivers");
    if (!list.is_array() || list.empty() || list.size() > most_receivers)
      return reader.problem("receivers", fmt::format("must be a list of 1 to {} receivers", most_receivers));
    for (std::size_t i = 0; i < list.size(); ++i) config.receivers.push_back(receiver(list[i], i));
  }

  Receiver receiver(const Json& json, std::size_t index) {
    JsonReader reader(json, fmt::format("/receivers/{}", index), problems_);
    Receiver receiver;
    receiver.name = reader.text("name", [](const std::string& text) {
      return is_scenario_name(text) ? std::string() : fmt::format("'{}' {}", printable(text), scenario_name_rule);
    });
    if (!receiver.name.empty() && !names_.insert(receiver.name).second)
      reader.problem("name", fmt::format("'{}' is a receiver already", printable(receiver.name)));
    const auto kind = reader.text("kind");
    if (kind == "webhook")
      receiver.how = webhook(reader);
    else if (kind == "mail")
      receiver.how = mailbox(reader);
    else if (reader.has("kind"))
      reader.problem("kind", "must be \"webhook\" or \"mail\"");
    events(reader, receiver);
    receiver.patience = std::chrono::seconds(reader.integer_or("timeout_s", 20, 1, 600));
    if (kind == "webhook" || kind == "mail") reader.finish();  // of another kind nobody knows what it may have
    return receiver;
  }

  void events(JsonReader& reader, Receiver& receiver) {
    if (!reader.has("events")) return;
    std::vector<std::string> known;
    for (const auto& traits : event_kinds()) known.emplace_back(traits.name);
    const auto names = reader.texts_or_empty("events", [&](const std::string& text) {
      return event_kind_of(text) ? std::string()
                                 : fmt::format("'{}' is no event; there are: {}", printable(text), listed(known));
    });
    receiver.kinds.emplace();
    for (const auto& name : names) {
      if (const auto kind = event_kind_of(name)) receiver.kinds->insert(*kind);
    }
    if (reader.raw("events").is_array() && names.empty()) reader.problem("events", "names none: leave it out for all");
  }

  Webhook webhook(JsonReader& reader) {
    Webhook hook;
    hook.url = reader.text("url", [](const std::string& text) {
      return wrong_with_url(text, {"https://", "http://"});
    });
    hook.secret = path(reader, "secret_file");
    hook.ca = path_or_none(reader, "ca_file");
    hook.proxy = reader.text_or("proxy", "", [](const std::string& text) { return wrong_with_url(text, {"http://"}); });
    return hook;
  }

  Mailbox mailbox(JsonReader& reader) {
    Mailbox box;
    box.server = reader.text("server", [](const std::string& text) {
      const bool fine = is_plain(text) && is_authority(text) && text.find(':') == std::string::npos;
      return fine ? std::string() : std::string("must be the name or the IPv4 address of a mail server");
    });
    const auto security = reader.text("security");
    if (security == "starttls" || security == "tls" || security == "none")
      box.security = security == "tls"    ? Mailbox::Security::tls
                     : security == "none" ? Mailbox::Security::none
                                          : Mailbox::Security::starttls;
    else if (reader.has("security"))
      reader.problem("security", "must be \"starttls\", \"tls\" or \"none\"");
    const int usual = box.security == Mailbox::Security::tls ? 465 : box.security == Mailbox::Security::none ? 25 : 587;
    box.port = static_cast<std::uint16_t>(reader.integer_or("port", usual, 1, 65535));
    box.ca = path_or_none(reader, "ca_file");
    login(reader, box);
    const auto address = [](const std::string& text) {
      return is_mail_address(text) ? std::string()
                                   : fmt::format("'{}' is no address: one alone, as qa@example.org", printable(text));
    };
    box.from = reader.text("from", address);
    box.to = reader.texts_or_empty("to", address);
    if (box.to.empty()) reader.problem("to", "must be a list of addresses");
    box.digest = std::chrono::minutes(reader.integer_or("digest_minutes", 60, 0, 10080));
    return box;
  }

  void login(JsonReader& reader, Mailbox& box) {
    box.user = reader.text_or("user", "", [](const std::string& text) {
      return is_plain(text) ? std::string() : std::string("must be ASCII, without blanks");
    });
    box.password = path_or_none(reader, "password_file");
    if (reader.has("user") != reader.has("password_file"))
      reader.problem(reader.has("user") ? "user" : "password_file", "user and password_file are given together");
    if (reader.has("user") && box.security == Mailbox::Security::none)
      reader.problem("user", "without TLS everybody on the way could read the password: set \"security\"");
  }

  fs::path folder_;
  std::vector<JsonProblem>& problems_;
  std::set<std::string> names_;
};

}  // namespace

const char* to_string(Mailbox::Security security) {
  switch (security) {
    case Mailbox::Security::starttls: return "starttls";
    case Mailbox::Security::tls: return "tls";
    case Mailbox::Security::none: return "none";
  }
  return "starttls";
}

Result<NotifyConfig> parse_notify_config(const std::string& text, const fs::path& file) {
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string()));
  PATCHLAB_ASSIGN(const auto whole, absolute_path(file));
  std::vector<JsonProblem> problems;
  auto config = Reading(whole.parent_path(), problems).config(json);
  if (!problems.empty()) return problems_error(file.string(), problems);
  return config;
}

Result<NotifyConfig> read_notify_config(const fs::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_config));
  return parse_notify_config(text, file);
}

Result<std::string> read_secret(const fs::path& file) {
  PATCHLAB_ASSIGN(const auto input, open_input(file));
  struct stat info {};
  if (::fstat(input.file.get(), &info) != 0) return errno_error("looking at '" + file.string() + "'", errno);
  if ((info.st_mode & 077U) != 0)
    return configuration_error(
        fmt::format("'{}' holds a secret, and others than its owner may open it (mode {:04o})", file.string(),
                    info.st_mode & 07777U),
        fmt::format("chmod 600 '{}', and make a new secret if somebody may have read it", file.string()));
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_secret));
  const auto secret = trimmed(text, " \t\r\n");
  if (secret.empty() || secret.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    return configuration_error(fmt::format("'{}' must hold one line, the secret", file.string()));
  return std::string(secret);
}

}  // namespace patchlab::process
