// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/checks/database/tds_server.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <regex>
#include <tuple>

#include "lab/core/utf16.hpp"

namespace patchlab::checks::database::testing {
namespace {

// Types of messages ([MS-TDS] 2.2.3.1.1).
constexpr unsigned sql_batch = 0x01;
constexpr unsigned tabular_result = 0x04;
constexpr unsigned attention = 0x06;
constexpr unsigned transaction_manager = 0x0e;
constexpr unsigned login7 = 0x10;
constexpr unsigned prelogin = 0x12;

// DONE (2.2.7.6).
constexpr char done_more = 0x01;
constexpr unsigned done_error = 0x02;
constexpr unsigned done_count = 0x10;
constexpr unsigned done_attention = 0x20;

constexpr std::size_t most_of_a_packet = 4088;
constexpr std::size_t longest_short_text = 4000;  // characters of an nvarchar that says its own length in two bytes
constexpr std::uint64_t a_transaction = 0x3300000001;

struct Message {
  unsigned type = 0;
  std::string body;
};

std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

std::string wide(const std::string& text) {
  std::string bytes;
  for (const char16_t unit : to_utf16(text)) bytes += little(unit, 2);
  return bytes;
}

// B_VARCHAR and US_VARCHAR (2.2.5.1.2): how many characters in so many bytes, then they.
std::string counted(const std::string& text, std::size_t bytes) {
  const auto units = wide(text);
  return little(units.size() / 2, bytes) + units;
}

// A token whose length is in two bytes.
std::string token(unsigned type, const std::string& data) { return little(type, 1) + little(data.size(), 2) + data; }

std::string error_token(const TdsError& error) {
  return token(0xaa, little(static_cast<std::uint64_t>(error.number), 4) + little(1, 1) +
                         little(static_cast<std::uint64_t>(error.severity), 1) + counted(error.text, 2) +
                         counted("SQL1", 1) + counted("", 1) + little(1, 4));
}

std::string done(unsigned status = 0, std::uint64_t rows = 0) {
  return little(0xfd, 1) + little(status, 2) + little(0, 2) + little(rows, 8);
}

std::string refused(const std::vector<TdsError>& errors) {
  std::string text;
  for (const auto& error : errors) text += error_token(error);
  return text + done(done_error);
}

// ENVCHANGE (2.2.7.9) of a database or a packet size, and of a transaction's descriptor.
std::string changed(unsigned type, const std::string& now, const std::string& before) {
  return token(0xe3, little(type, 1) + counted(now, 1) + counted(before, 1));
}
std::string began() { return token(0xe3, little(8, 1) + little(8, 1) + little(a_transaction, 8) + little(0, 1)); }
std::string ended(bool committed) {
  return token(0xe3, little(committed ? 9 : 10, 1) + little(0, 1) + little(8, 1) + little(a_transaction, 8));
}

// COLMETADATA and ROW (2.2.7.4, 2.2.7.19): all are nvarchar, which may be NULL. Long ones come in chunks (2.2.5.2.3).
std::string result_set(const TdsRows& set) {
  bool is_long = false;
  for (const auto& row : set.rows) {
    for (const auto& value : row) is_long |= value && to_utf16(*value).size() > longest_short_text;
  }
  auto text = little(0x81, 1) + little(set.columns.size(), 2);
  const std::string collation("\x09\x04\xd0\x00\x34", 5);
  for (const auto& name : set.columns)
    text += little(0, 4) + little(9, 2) + little(0xe7, 1) + little(is_long ? 0xffff : 2 * longest_short_text, 2) +
            collation + counted(name, 1);
  for (const auto& row : set.rows) {
    text += little(0xd1, 1);
    for (const auto& value : row) {
      const auto bytes = wide(value.value_or(""));
      if (is_long)
        text += !value
                    ? little(~std::uint64_t{0}, 8)
                    : little(bytes.size(), 8) + (bytes.empty() ? "" : little(bytes.size(), 4) + bytes) + little(0, 4);
      else
        text += !value ? little(0xffff, 2) : little(bytes.size(), 2) + bytes;
    }
  }
  return text + done(done_count, set.rows.size());
}

std::string login_accepted(const std::string& database) {
  const std::string name = "Microsoft SQL Server";
  const auto ack = std::string("\x01\x74\x00\x00\x04", 5) + counted(name, 1) + std::string("\x0f\x00\x10\x37", 4);
  const auto told = fmt::format("Changed database context to '{}'.", database);
  auto information = error_token({5701, told, 0});
  information[0] = static_cast<char>(0xab);
  return changed(1, database, "master") + information + changed(4, "4096", "4096") + token(0xad, ack) + done();
}

// A field of LOGIN7 (2.2.6.4) by its place among those that have an offset and a length.
std::string login_field(const std::string& body, std::size_t which) {
  const auto at = number_at(body, 36 + 4 * which, 2);
  const auto size = 2 * static_cast<std::size_t>(number_at(body, 38 + 4 * which, 2));
  return at > body.size() ? "" : body.substr(at, size);
}

std::string unmasked(std::string password) {
  for (char& c : password) {
    const auto byte = static_cast<unsigned char>(c) ^ 0xa5U;
    c = static_cast<char>((byte >> 4U | byte << 4U) & 0xffU);
  }
  return password;
}

std::string text_of(const std::string& bytes) { return to_utf8(utf16_units(bytes)); }

SSL_CTX* make_context() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  // As SQL Server calls the one that it makes for itself.
  const auto* text = reinterpret_cast<const unsigned char*>("SSL_Self_Signed_Fallback");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);  // TDS 7.4 knows no later one
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

}  // namespace

// Messages with one client, in the clear or by TLS. Nothing comes any more when it is gone.
class TdsServer::Client {
 public:
  explicit Client(int socket) : socket_(socket) {}
  ~Client() { SSL_free(tls_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::optional<Message> next() {
    Message message;
    for (;;) {
      const auto head = read(8);
      if (!head) return std::nullopt;
      const auto length = static_cast<std::size_t>(static_cast<unsigned char>((*head)[2])) << 8U |
                          static_cast<unsigned char>((*head)[3]);
      const auto part = length < 8 ? std::nullopt : read(length - 8);
      if (!part) return std::nullopt;
      message.type = static_cast<unsigned char>((*head)[0]);
      message.body += *part;
      if (((*head)[1] & 1) != 0) return message;
    }
  }
  void send(unsigned type, std::string body) {
    for (unsigned number = 1; !body.empty(); ++number) {
      const auto part = body.substr(0, most_of_a_packet);
      body.erase(0, part.size());
      const auto size = part.size() + 8;
      write(little(type, 1) + little(body.empty() ? 1 : 0, 1) + little(size >> 8U, 1) + little(size, 1) + little(0, 2) +
            little(number, 1) + little(0, 1) + part);
    }
  }
  // The handshake travels in messages of its own (2.2.6.5); what comes after it does not.
  bool encrypt(SSL_CTX* context) {
    SSL* session = SSL_new(context);
    SSL_set_bio(session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(session);
    for (;;) {
      const int result = SSL_do_handshake(session);
      if (auto bytes = pending(session); !bytes.empty()) send(prelogin, std::move(bytes));
      if (result == 1) break;
      const auto message = SSL_get_error(session, result) == SSL_ERROR_WANT_READ ? next() : std::nullopt;
      if (!message) {
        SSL_free(session);
        return false;
      }
      BIO_write(SSL_get_rbio(session), message->body.data(), static_cast<int>(message->body.size()));
    }
    tls_ = session;
    return true;
  }
  void go_on_in_the_clear() {
    SSL_free(tls_);
    tls_ = nullptr;
  }
  [[nodiscard]] bool is_encrypted() const { return tls_ != nullptr; }

 private:
  static std::string pending(SSL* session) {
    std::string bytes(BIO_ctrl_pending(SSL_get_wbio(session)), '\0');
    if (!bytes.empty()) BIO_read(SSL_get_wbio(session), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  std::optional<std::string> read(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      std::string part(size - bytes.size(), '\0');
      const auto count = tls_ == nullptr ? ::recv(socket_, part.data(), part.size(), 0) : read_decrypted(part);
      if (count <= 0) return std::nullopt;
      bytes += part.substr(0, static_cast<std::size_t>(count));
    }
    return bytes;
  }
  ssize_t read_decrypted(std::string& part) {
    for (;;) {
      const int count = SSL_read(tls_, part.data(), static_cast<int>(part.size()));
      if (count > 0) return count;
      if (SSL_get_error(tls_, count) != SSL_ERROR_WANT_READ) return -1;
      std::string raw(4096, '\0');
      const auto arrived = ::recv(socket_, raw.data(), raw.size(), 0);
      if (arrived <= 0) return -1;
      BIO_write(SSL_get_rbio(tls_), raw.data(), static_cast<int>(arrived));
    }
  }
  void write(std::string bytes) {
    if (tls_ != nullptr) {
      SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
      bytes = pending(tls_);
    }
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  const int socket_;
  SSL* tls_ = nullptr;
};

// One client's, from its first message to its last.
class TdsServer::Session {
 public:
  Session(TdsServer& server, int socket) : server_(server), client_(socket) {}

  void serve() {
    if (!log_in()) return;
    while (const auto message = client_.next()) {
      const std::lock_guard lock(server_.mutex_);
      if (is_left_alone_) continue;
      if (message->type == attention) client_.send(tabular_result, done(done_attention));
      if (message->type == transaction_manager) client_.send(tabular_result, manage(message->body));
      if (message->type == sql_batch) {
        const auto reply = execute(text_of(message->body.substr(number_at(message->body, 0, 4))));
        is_left_alone_ = reply.empty();
        client_.send(tabular_result, reply);
      }
    }
  }

 private:
  bool log_in() {
    const auto first = client_.next();
    if (!first || first->type != prelogin) return false;
    // PRELOGIN (2.2.6.5): version and encryption, each with place and size, and then they.
    const std::string places("\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff", 11);
    const unsigned offer = server_.encryption_ == Encryption::none       ? 2U
                           : server_.encryption_ == Encryption::of_login ? 0U
                                                                         : 3U;
    client_.send(tabular_result, places + std::string("\x0f\x00\x10\x37\x00\x00", 6) + little(offer, 1));
    if (server_.encryption_ != Encryption::none && !client_.encrypt(server_.tls_)) return false;
    const auto login = client_.next();
    if (!login || login->type != login7) return false;
    const bool was_encrypted = client_.is_encrypted();
    if (server_.encryption_ == Encryption::of_login) client_.go_on_in_the_clear();
    const std::lock_guard lock(server_.mutex_);
    server_.seen_.login_was_encrypted = was_encrypted;
    const auto errors = why_not(login->body);
    client_.send(tabular_result, errors.empty() ? login_accepted(server_.seen_.login["database"]) : refused(errors));
    return errors.empty();
  }

  std::vector<TdsError> why_not(const std::string& body) {
    auto& login = server_.seen_.login;
    login = {{"host", text_of(login_field(body, 0))},
             {"user", text_of(login_field(body, 1))},
             {"password", text_of(unmasked(login_field(body, 2)))},
             {"program", text_of(login_field(body, 3))},
             {"database", text_of(login_field(body, 8))}};
    if (server_.refusals_ > 0) {
      --server_.refusals_;
      return server_.refusal_;
    }
    const TdsError failed{18456, fmt::format("Login failed for user '{}'.", login["user"])};
    if (login["user"] != user || login["password"] != password) return {failed};
    if (may_open(login["database"])) return {};
    return {
        {4060, fmt::format("Cannot open database \"{}\" requested by the login. The login failed.", login["database"]),
         11},
        failed};
  }
  [[nodiscard]] bool may_open(const std::string& name) const {
    const auto found = server_.databases_.find(name);
    return found != server_.databases_.end() && found->second.status == "ONLINE" && found->second.users.contains(user);
  }

  // A transaction manager request (2.2.6.9), behind headers that say their own length.
  std::string manage(const std::string& body) {
    const auto at = number_at(body, 0, 4);
    const auto request = number_at(body, at, 2);
    if (request == 5) {
      note("BEGIN");
      before_ = tables_and_own();
      return began() + done();
    }
    const bool commits = request == 7;
    note(commits ? "COMMIT" : "ROLLBACK");
    if (!commits && before_ && !server_.keeps_what_is_rolled_back_) std::tie(server_.tables_, own_) = *before_;
    const bool begins = (number_at(body, at + 3, 1) & 1) != 0;
    before_ = begins ? std::optional(tables_and_own()) : std::nullopt;
    return ended(commits) + (begins ? began() : "") + done();
  }
  [[nodiscard]] std::pair<Tables, Tables> tables_and_own() const { return {server_.tables_, own_}; }

  void note(const std::string& statement) {
    server_.seen_.statements.push_back(statement);
    server_.seen_.statements_were_encrypted = client_.is_encrypted();
  }

  std::string execute(const std::string& sql) {
    note(sql);
    for (const auto& answer : server_.answers_) {
      if (sql.find(answer.part) == std::string::npos) continue;
      if (answer.is_behind) {
        auto result = on_table(sql);
        char& status = result[result.size() - done().size() + 1];
        status = static_cast<char>(status | done_more);
        return result + refused(answer.errors);
      }
      if (answer.rows) return result_set(*answer.rows);
      return answer.errors.empty() ? "" : refused(answer.errors);
    }
    static const std::regex about_database(
        R"(SELECT CONVERT\(nvarchar\(10\), HAS_DBACCESS\(N'(\w+)'\)\), CONVERT\(nvarchar\(60\), DATABASEPROPERTYEX\(N'\1', 'Status'\)\))");
    static const std::regex of_settings(
        R"(SELECT name, CONVERT\(nvarchar\(60\), value_in_use\) FROM sys\.configurations WHERE name IN \((.*)\))");
    std::smatch parts;
    if (std::regex_match(sql, parts, about_database)) return about(parts[1]);
    if (std::regex_match(sql, parts, of_settings)) return settings(parts[1]);
    return on_table(sql);
  }

  std::string about(const std::string& name) const {
    const auto found = server_.databases_.find(name);
    TdsRows answer{{"", ""}, {{std::nullopt, std::nullopt}}};
    if (found != server_.databases_.end()) answer.rows = {{may_open(name) ? "1" : "0", found->second.status}};
    return result_set(answer);
  }
  std::string settings(const std::string& names) const {
    TdsRows answer{{"name", ""}, {}};
    for (const auto& [name, value] : server_.settings_) {
      if (names.find("'" + name + "'") != std::string::npos) answer.rows.push_back({name, value});
    }
    return result_set(answer);
  }

  // Tables have one column that is looked at, the last one of an INSERT.
  std::string on_table(const std::string& sql) {
    static const std::regex create(R"(CREATE TABLE (\S+) \(.*\))");
    static const std::regex drop(R"(DROP TABLE (\S+))");
    static const std::regex insert(R"(INSERT INTO (\S+) \([^)]*\) VALUES \((?:1, N)?'(.*)'\))");
    static const std::regex choose(R"(SELECT (\w+) FROM (\S+)(?: WHERE \w+ = '(.*)')?)");
    static const std::regex erase(R"(DELETE FROM (\S+) WHERE \w+ = '(.*)')");
    std::smatch parts;
    if (std::regex_match(sql, parts, create)) {
      tables_of(parts[1])[parts[1]];
      return done();
    }
    const bool drops = std::regex_match(sql, parts, drop);
    if (drops || std::regex_match(sql, parts, insert) || std::regex_match(sql, parts, erase)) {
      const std::string name = parts[1];
      auto& tables = tables_of(name);
      if (!tables.contains(name)) return no_such(name);
      if (drops) tables.erase(name);
      if (sql.starts_with("INSERT")) tables[name].push_back(parts[2]);
      return done(done_count, sql.starts_with("DELETE") ? std::erase(tables[name], parts[2].str()) : 1);
    }
    if (!std::regex_match(sql, parts, choose)) return refused({{102, "Incorrect syntax near the beginning.", 15}});
    const std::string name = parts[2];
    if (!tables_of(name).contains(name)) return no_such(name);
    TdsRows answer{{parts[1]}, {}};
    for (const auto& text : tables_of(name).at(name)) {
      if (!parts[3].matched || text == parts[3]) answer.rows.push_back({text});
    }
    return result_set(answer);
  }
  // "#..." are a session's own.
  Tables& tables_of(const std::string& name) { return name.starts_with("#") ? own_ : server_.tables_; }
  static std::string no_such(const std::string& name) {
    return refused({{208, fmt::format("Invalid object name '{}'.", name), 16}});
  }

  TdsServer& server_;
  Client client_;
  Tables own_;
  std::optional<std::pair<Tables, Tables>> before_;  // the transaction that is open
  bool is_left_alone_ = false;
};

TdsServer::TdsServer(Encryption encryption) : encryption_(encryption), tls_(make_context()) {
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

TdsServer::~TdsServer() {
  thread_.request_stop();
  thread_.join();
  SSL_CTX_free(tls_);
}

void TdsServer::serve(const std::stop_token& stop) {
  std::vector<std::jthread> sessions;
  while (!stop.stop_requested()) {
    pollfd entry{listener_.get(), POLLIN, 0};
    if (::poll(&entry, 1, 20) <= 0) continue;
    FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) continue;
    // The copy ends the session from outside; the session's own end is told to the client by closing its socket.
    const std::lock_guard lock(mutex_);
    sockets_.emplace_back(::dup(socket.get()));
    sessions.emplace_back([this, own = std::move(socket)] {
      Session(*this, own.get()).serve();
      ::shutdown(own.get(), SHUT_RDWR);
    });
  }
  const std::lock_guard lock(mutex_);
  for (const auto& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
}

void TdsServer::refuse_logins(int times, std::vector<TdsError> errors) {
  const std::lock_guard lock(mutex_);
  refusals_ = times;
  refusal_ = std::move(errors);
}

void TdsServer::add_database(const std::string& name, const std::string& status, std::set<std::string> users) {
  const std::lock_guard lock(mutex_);
  databases_[name] = {status, std::move(users)};
}

void TdsServer::add_table(const std::string& name) {
  const std::lock_guard lock(mutex_);
  tables_[name];
}

void TdsServer::add_setting(const std::string& name, const std::string& value) {
  const std::lock_guard lock(mutex_);
  settings_[name] = value;
}

void TdsServer::ignore(const std::string& part) { refuse(part, {}); }

void TdsServer::refuse(const std::string& part, std::vector<TdsError> errors) {
  const std::lock_guard lock(mutex_);
  answers_.push_back({part, std::move(errors), std::nullopt});
}

void TdsServer::refuse_behind(const std::string& part, TdsError error) {
  const std::lock_guard lock(mutex_);
  answers_.push_back({part, {std::move(error)}, std::nullopt, true});
}

void TdsServer::answer(const std::string& part, TdsRows rows) {
  const std::lock_guard lock(mutex_);
  answers_.push_back({part, {}, std::move(rows)});
}

void TdsServer::keep_what_is_rolled_back() {
  const std::lock_guard lock(mutex_);
  keeps_what_is_rolled_back_ = true;
}

TdsServer::Seen TdsServer::seen() {
  const std::lock_guard lock(mutex_);
  return seen_;
}

}  // namespace patchlab::checks::database::testing
