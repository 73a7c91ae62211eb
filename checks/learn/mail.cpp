// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "checks/learn/learn.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t most_domains = 10;
constexpr std::int64_t large_bytes = 1'000'000;
constexpr const char* outsider = "probe@outside.invalid";  // RFC 2606: a name that exists nowhere
constexpr std::chrono::seconds mail_patience{40};

using Settings = std::map<std::string, std::string>;

// "mydomain = corp.example"
Settings settings_in(const Answer& answer) {
  Settings settings;
  for (const auto line : split(answer.output, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    settings.emplace(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
  return settings;
}

std::string value_of(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

bool is_domain(std::string_view word) {
  constexpr std::size_t longest = 253;
  return word.size() <= longest && word.find('.') != std::string_view::npos &&
         word.find("..") == std::string_view::npos && word.front() != '.' && word.front() != '-' &&
         std::ranges::all_of(word, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
         });
}

std::string ports_of(const std::set<std::uint16_t>& ports, std::initializer_list<std::uint16_t> wanted) {
  std::string text;
  for (const auto port : wanted) {
    if (ports.contains(port)) text += fmt::format("{}{}", text.empty() ? "" : ", ", port);
  }
  return text;
}

class MailDrafts {
 public:
  MailDrafts(const Machine& machine, const Answers& answers, const Settings& settings)
      : machine_(machine), ports_(open_tcp_ports(answers)), settings_(settings) {}

  Drafts write() {
    add_relays();
    add_domains();
    add_logins();
    say_what_is_not_looked_at();
    return std::move(drafts_);
  }

 private:
  void leave_out(std::string what) { drafts_.not_learnt.push_back("mail: " + std::move(what)); }

  void add_relays() {
    for (const int number : {25, 587}) {
      const auto port = static_cast<std::uint16_t>(number);
      if (!ports_.contains(port)) continue;
      drafts_.checks.push_back({fmt::format("relay-refused-{}", port),
                                {way("mail.relay-refused", {{"smtp_port", port}}, mail_patience / 2)},
                                fmt::format("port {}: no relaying from outside to elsewhere", port)});
    }
  }

  [[nodiscard]] bool has_imap() const { return ports_.contains(143) || ports_.contains(993); }
  [[nodiscard]] bool has_pop3() const { return ports_.contains(110) || ports_.contains(995); }
  // Where mail is taken in and read; nothing when it cannot be.
  [[nodiscard]] std::optional<Json> server() const {
    if (!ports_.contains(587) || (!has_imap() && !has_pop3())) return std::nullopt;
    Json server{{"tls", "self-signed-ok"}};
    if (has_imap() && !ports_.contains(143)) server["imap_port"] = 993;
    if (!has_imap()) server.update(by_pop3());
    return server;
  }
  [[nodiscard]] Json by_pop3() const { return {{"read_by", "pop3"}, {"pop3_port", ports_.contains(110) ? 110 : 995}}; }

  [[nodiscard]] Json delivery(const std::string& user, const std::string& domain) const {
    auto with = *server();
    const auto address = user.find('@') == std::string::npos ? user + "@" + domain : user;
    with.update({{"user", user}, {"password", password_of(user)}, {"from", address}, {"to", address}});
    return with;
  }

  void add_domains() {
    std::vector<std::string> domains;
    for (const char* list : {"mydestination", "virtual_mailbox_domains"}) {
      auto text = value_of(settings_, list);
      std::ranges::replace(text, ',', ' ');
      for (const auto word : split(text, ' ')) {
        if (word.empty()) continue;
        if (word.find_first_of(":/$") != std::string_view::npos)
          leave_out(fmt::format("{}: what '{}' holds is not read", list, word));
        else if (is_domain(word) && !word.starts_with("localhost") && std::ranges::count(domains, word) == 0)
          domains.emplace_back(word);
      }
    }
    if (!server())
      return leave_out(
          "delivery: it needs submission (port 587) and IMAP (143 or 993) or POP3 (110 or 995); open are " +
          ports_of(ports_, {25, 465, 587, 110, 143, 993, 995}));
    if (machine_.users.empty()) return leave_out("delivery and logins: the scenario has no 'accounts' of this machine");
    if (domains.size() > most_domains) {
      leave_out(fmt::format("{} of {} domains are tried, no more", most_domains, domains.size()));
      domains.resize(most_domains);
    }
    for (const auto& user : machine_.users) {
      const bool is_address = user.find('@') != std::string::npos;
      for (const auto& domain : domains) {
        const auto mine = fmt::format("delivery-{}-{}", user.substr(0, user.find('@')), domain);
        drafts_.checks.push_back({mine,
                                  {way("mail.delivery", delivery(user, domain), mail_patience)},
                                  is_address
                                      ? fmt::format("a message for {} arrives as it was sent", user)
                                      : fmt::format("a message for {}@{} arrives as it was sent", user, domain)});
        add_once(user, domain, mine);
        if (is_address) break;
      }
    }
  }

  // What is tried of one user and domain that work.
  void add_once(const std::string& user, const std::string& domain, const std::string& needs) {
    if (has_once_) return;
    has_once_ = true;
    add_large(user, domain, needs);
    add_limits(user, domain, needs);
    add_bounce(user, domain, needs);
    add_mailbox(user, needs);
    if (ports_.contains(25)) {
      auto with = delivery(user, domain);
      with.update({{"smtp_port", 25}, {"smtp_login", false}, {"from", outsider}});
      auto in_clear = with;
      in_clear["smtp_tls"] = "none";
      drafts_.checks.push_back({"from-outside",
                                {way("mail.delivery", std::move(with), mail_patience),
                                 way("mail.delivery", std::move(in_clear), mail_patience)},
                                "port 25: a message from elsewhere arrives, without a login; with \"smtp_tls\": "
                                "\"none\", TLS did not work there",
                                needs});
    }
    if (has_imap() && has_pop3()) {
      auto with = delivery(user, domain);
      with.erase("imap_port");
      with.update(by_pop3());
      drafts_.checks.push_back({"read-by-pop3",
                                {way("mail.delivery", std::move(with), mail_patience)},
                                fmt::format("a message for {} is read by POP3", user),
                                needs});
    }
  }

  // Of a size that the server says it takes; one is mail_patience to see the limit shrink.
  void add_large(const std::string& user, const std::string& domain, const std::string& needs) {
    const auto text = value_of(settings_, "message_size_limit");
    std::int64_t limit = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (parsed.ec != std::errc() || (limit != 0 && limit < 2 * large_bytes))
      return leave_out("a large message: the limit is " + (text.empty() ? "not known" : text.substr(0, 20) + " bytes"));
    auto with = delivery(user, domain);
    with["bytes"] = large_bytes;
    drafts_.checks.push_back({"large-delivery",
                              {way("mail.delivery", std::move(with), mail_patience)},
                              fmt::format("a message of {} bytes; the server's limit is {}", large_bytes,
                                          limit == 0 ? "none" : fmt::format("{}", limit)),
                              needs});
  }

  // The limit is what the server announces.
  void add_limits(const std::string& user, const std::string& domain, const std::string& needs) {
    const auto login = delivery(user, domain);
    Json with{{"limit", 1}, {"smtp_port", 25}, {"from", outsider}, {"to", login.at("to")}};
    const auto says = [](int port) {
      return fmt::format("port {}: how large a message may be is announced, and kept both ways, by what is declared",
                         port);
    };
    if (ports_.contains(25))
      drafts_.checks.push_back({"size-limit-25", {way("mail.size-limit", with, mail_patience / 2)}, says(25), needs});
    for (const char* key : {"user", "password", "from"}) with[key] = login.at(key);
    with["smtp_port"] = 587;
    drafts_.checks.push_back({"size-limit-587", {way("mail.size-limit", with, mail_patience / 2)}, says(587), needs});
  }

  // Handed on to where the checks are, by the address itself: no name server is asked for it.
  void add_bounce(const std::string& user, const std::string& domain, const std::string& needs) {
    if (!has_imap())
      return leave_out("mail that comes back to its sender: it is looked for by IMAP, which is not open");
    auto with = delivery(user, domain);
    with.erase("to");
    drafts_.checks.push_back(
        {"bounce",
         {way("mail.bounce", std::move(with), mail_patience)},
         fmt::format("mail for somebody whom the server of [{}] does not know comes back to {}", machine_.client, user),
         needs});
  }

  void add_mailbox(const std::string& user, const std::string& needs) {
    if (!has_imap()) return;
    auto with = *server();
    with.update({{"user", user}, {"password", password_of(user)}});
    // Not every server knows other alphabets, or looks into texts.
    auto plain = with;
    plain["found_by"] = {"message-id", "flags"};
    drafts_.checks.push_back(
        {"mailbox",
         {way("mail.mailbox", std::move(with), mail_patience), way("mail.mailbox", std::move(plain), mail_patience)},
         fmt::format("what {} left in the mailbox is there, and found, in the next session, and "
                     "after a restart; with \"found_by\", other searches did not find it",
                     user),
         needs});
  }

  void add_logins() {
    if (!server() || !has_imap() || machine_.users.empty()) return;
    auto with = *server();
    with["user"] = machine_.users.front();
    auto lenient = with;
    lenient["tls_required"] = false;
    drafts_.checks.push_back({"wrong-password",
                              {way("mail.login-refused", std::move(with), mail_patience),
                               way("mail.login-refused", std::move(lenient), mail_patience)},
                              "a wrong password is refused; with \"tls_required\": false, a password in clear was "
                              "offered to be taken. A server that locks accounts counts this: take another user then"});
  }

  void say_what_is_not_looked_at() {
    if (ports_.contains(465)) leave_out("port 465: no message is sent there, only its TLS is looked at");
  }

  const Machine& machine_;
  std::set<std::uint16_t> ports_;
  const Settings& settings_;
  bool has_once_ = false;
  Drafts drafts_;
};

class Mail final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& /*answers*/) const override {
    return {{"postfix",
             "command -v postconf >/dev/null || exit 127\n"
             "exec postconf -x mydestination virtual_mailbox_domains message_size_limit",
             {}}};
  }

  Drafts drafts(const Machine& machine, const Answers& answers) const override {
    const auto* answer = answer_to(answers, "postfix");
    if (answer != nullptr) return MailDrafts(machine, answers, settings_in(*answer)).write();
    const auto ports = ports_of(open_tcp_ports(answers), {25, 587});
    const auto found = answers.find("postfix");
    if (ports.empty() || found == answers.end()) return {};
    return {{},
            {fmt::format("mail: ports {} are open, and postconf, which says of which domains, does not: {}", ports,
                         found->second.exit_code == 127 ? "it is not there" : complaint(found->second))}};
  }
};

}  // namespace

const Protocol& mail() {
  static const Mail instance;
  return instance;
}

}  // namespace patchlab::checks::learn
