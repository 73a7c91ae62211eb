// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/handshakes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "checks/check_with.hpp"
#include "checks/port/starttls.hpp"
#include "checks/port/tls_client.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::size_t longest_cut = 7;  // bytes behind the last whole record: its head has five
constexpr std::size_t longest_request = 4096;
// Between two pieces: the first one has left, and the other end has taken it.
constexpr Milliseconds between_pieces{25};

struct Parameters {
  std::uint16_t port = 0;
  Starttls starttls = Starttls::none;
  std::string version;
  std::size_t rounds = 0;
  std::vector<std::string> suites;
  bool resumes = true;
  bool pieces = true;
  std::string request;
  std::string first_record;  // "whole", "split" or empty
};

std::string why_not_of(const std::vector<std::string>& words, const std::string& word) {
  if (std::ranges::find(words, word) != words.end()) return {};
  return fmt::format("'{}' is none of {}", word, fmt::join(words, ", "));
}

// A name alone: OpenSSL's lists have a language of their own.
std::string why_no_suite(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return plain ? "" : fmt::format("'{}' is no name of a suite such as ECDHE-RSA-AES256-GCM-SHA384", name);
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535));
  const auto word =
      reader.text_or("starttls", "none", [](const std::string& text) { return why_not_of(starttls_words(), text); });
  with.starttls = starttls_from(word).value_or(Starttls::none);
  with.version = reader.text_or("version", "1.2", [](const std::string& text) {
    return why_not_of({"1.0", "1.1", "1.2"}, text);
  });
  with.rounds = static_cast<std::size_t>(reader.integer_or("rounds", 50, 1, 1000));
  with.suites = reader.texts_or_empty("suites", why_no_suite);
  with.resumes = reader.boolean_or("resumes", true);
  with.pieces = reader.boolean_or("pieces", true);
  with.request = reader.text_or("request", "", [](const std::string& text) {
    return text.size() <= longest_request ? "" : fmt::format("must have at most {} bytes", longest_request);
  });
  with.first_record = reader.text_or("first_record", "", [](const std::string& word) {
    return why_not_of({"whole", "split"}, word);
  });
  if (!with.first_record.empty() && with.request.empty())
    reader.problem("first_record", "needs a 'request', which the server answers");
  return with;
}

// Where the first whole records of what is sent end; 0: there is none.
std::size_t end_of_first_record(std::string_view bytes) {
  if (bytes.size() < 5) return 0;
  const auto size =
      5 + (static_cast<std::size_t>(static_cast<unsigned char>(bytes[3])) << 8U) + static_cast<unsigned char>(bytes[4]);
  return size <= bytes.size() ? size : 0;
}

// OpenSSL speaks into memory, and what it says goes out in two pieces: behind a whole record so many bytes more, or,
// where all is one record, so many bytes alone.
class WireInPieces final : public Wire {
 public:
  WireInPieces(SSL& session, int socket, std::size_t cut)
      : in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())), socket_(socket), cut_(cut) {
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(&session, in_, out_);  // which owns them now
  }
  [[nodiscard]] Waited wait(Wanted wanted, const Deadline& deadline) override {
    if (auto sent = send(deadline); sent.passed || !sent.trouble.empty()) return sent;
    if (wanted == Wanted::room) return {};
    if (!wait_readable(socket_, deadline)) return {.passed = true};
    std::array<char, 16384> block{};
    const auto count = ::recv(socket_, block.data(), block.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (count < 0) return {false, describe_errno(errno)};
    if (count == 0) return {false, "the server closed the connection"};
    BIO_write(in_, block.data(), static_cast<int>(count));
    return {};
  }

 private:
  Waited send(const Deadline& deadline) {
    char* start = nullptr;
    const auto size = BIO_get_mem_data(out_, &start);
    if (size <= 0) return {};
    const std::string bytes(start, static_cast<std::size_t>(size));
    (void)BIO_reset(out_);
    const auto first = end_of_first_record(bytes);
    const auto at = std::min(first < bytes.size() ? first + cut_ : cut_, bytes.size());
    for (const auto& piece : {bytes.substr(0, at), bytes.substr(at)}) {
      if (piece.empty()) continue;
      if (const int number = send_all(socket_, piece, deadline); number == ETIMEDOUT)
        return {.passed = true};
      else if (number != 0)
        return {false, describe_errno(number)};
      // Whoever answers already is not waited for.
      if (piece.size() != bytes.size()) (void)wait_readable(socket_, deadline.within(between_pieces));
    }
    return {};
  }

  BIO* in_;
  BIO* out_;
  int socket_;
  std::size_t cut_;
};

class Visits {
 public:
  Visits(const Target& target, const Parameters& with, const Deadline& deadline)
      : target_(target), with_(with), deadline_(deadline) {}

  Result<Json> all() {
    for (std::size_t round = 0; round < with_.rounds && seen_.trouble.is_null(); ++round) {
      const bool extended = round % 2 == 0;
      const auto suite = with_.suites.empty() ? std::string() : with_.suites[round / 2 % with_.suites.size()];
      const auto who = fmt::format("client {}{}{}", round + 1, extended ? "" : ", without the extended master secret",
                                   suite.empty() ? "" : ", " + suite);
      PATCHLAB_ASSIGN(const auto context, context_with(suite, extended));
      PATCHLAB_ASSIGN(const auto kept, visit(*context, who, "handshake-failed", nullptr, 0, with_.request));
      if (!kept) break;
      ++seen_.full;
      PATCHLAB_ASSIGN(const auto again, visit(*context, who + ", again", "resumption-failed", kept.get(), 0));
      if (again) ++seen_.resumed;
    }
    for (std::size_t cut = 1; with_.pieces && cut <= longest_cut && seen_.trouble.is_null(); ++cut) {
      PATCHLAB_ASSIGN(const auto context, context_with({}, true));
      PATCHLAB_ASSIGN(const auto kept,
                      visit(*context, fmt::format("cut behind {} bytes", cut), "pieces-refused", nullptr, cut));
      if (kept) ++seen_.pieces;
    }
    return Json{
        {"server", fmt::format("{}:{}", target_.address, with_.port)},
        {"full", seen_.full},
        {"resumed", seen_.resumed},
        {"pieces", seen_.pieces},
        {"planned", {{"full", with_.rounds}, {"resumed", with_.rounds}, {"pieces", with_.pieces ? longest_cut : 0}}},
        {"not_resumed", seen_.not_resumed},
        {"answered", seen_.answered},
        {"split", seen_.split},
        {"trouble", seen_.trouble}};
  }

 private:
  Result<Owned<SSL_CTX>> context_with(const std::string& suite, bool extended) const {
    PATCHLAB_ASSIGN(auto context, client_context(with_.version));
    if (!suite.empty() && SSL_CTX_set_cipher_list(context.get(), (suite + ":@SECLEVEL=0").c_str()) != 1)
      return Error{ErrorClass::configuration, fmt::format("this host's OpenSSL knows no suite '{}'", suite), {}};
    if (!extended) SSL_CTX_set_options(context.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    return context;
  }

  Owned<SSL_SESSION> fails(const std::string& what, const std::string& reason, const std::string& why) {
    seen_.trouble = {{"what", what}, {"reason", reason}, {"why", why}};
    return nullptr;
  }

  // The session to come back with; null: it did not get in.
  Result<Owned<SSL_SESSION>> visit(SSL_CTX& context, const std::string& what, const std::string& reason,
                                   SSL_SESSION* earlier, std::size_t cut, const std::string& request = {}) {
    if (deadline_.passed()) return fails(what, "no-answer", "the deadline came before all had had their turn");
    PATCHLAB_ASSIGN(const auto connection, connect_tcp({target_.address, with_.port}, {}, deadline_));
    if (connection.saved_errno != 0)
      return fails(what, reason_for_errno(connection.saved_errno), describe_errno(connection.saved_errno));
    const int socket = connection.socket.get();
    if (const auto trouble = ask_for_tls(socket, with_.starttls, deadline_))
      return fails(what, trouble->reason, trouble->text);
    PATCHLAB_ASSIGN(const auto session, client_session(context));
    std::unique_ptr<Wire> wire;
    if (cut > 0) {
      wire = std::make_unique<WireInPieces>(*session, socket, cut);
    } else {
      if (SSL_set_fd(session.get(), socket) != 1) return infrastructure_error("making a TLS session");
      wire = std::make_unique<SocketWire>(socket);
    }
    if (earlier != nullptr) SSL_set_session(session.get(), earlier);
    PATCHLAB_ASSIGN(const auto end, finish_handshake(*session, *wire, with_.version, deadline_));
    if (!end.done()) {
      const auto& ended = end.ended;
      return fails(what, ended == "no-answer" ? ended : ended == "malformed" ? "malformed-tls" : reason, end.why);
    }
    if (earlier != nullptr && SSL_session_reused(session.get()) != 1) ++seen_.not_resumed;
    // A copy, where more is said: whoever ends the connection without a word spoils the session for OpenSSL.
    const auto* made = SSL_get0_session(session.get());
    Owned<SSL_SESSION> kept(request.empty() ? SSL_get1_session(session.get()) : SSL_SESSION_dup(made));
    if (!request.empty() && !hears_answer(*session, *wire, what, request)) return Owned<SSL_SESSION>();
    (void)SSL_shutdown(session.get());  // or the session would count as broken, and not be taken up again
    return kept;
  }

  // One step of OpenSSL's until it is done; what it returned then, 0: the server ended it, -1: the deadline passed.
  template <class Step>
  int done(SSL& session, Wire& wire, Step step) {
    while (true) {
      ERR_clear_error();
      const int result = step();
      if (result > 0) return result;
      const int wanted = SSL_get_error(&session, result);
      if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return 0;
      const auto waited =
          wire.wait(wanted == SSL_ERROR_WANT_READ ? Wire::Wanted::bytes : Wire::Wanted::room, deadline_);
      if (waited.passed) return -1;
      if (!waited.trouble.empty()) return 0;
    }
  }

  // Reading gives what is in one record, never of two: that is how the first one is measured.
  bool hears_answer(SSL& session, Wire& wire, const std::string& what, const std::string& request) {
    std::array<char, 16384> record{};
    const auto read = [&] { return SSL_read(&session, record.data(), static_cast<int>(record.size())); };
    int count =
        done(session, wire, [&] { return SSL_write(&session, request.data(), static_cast<int>(request.size())); });
    if (count > 0) count = done(session, wire, read);
    if (count <= 0) {
      fails(what, count < 0 ? "no-answer" : "not-answered",
            count < 0 ? "no answer to the request until the deadline" : "the server ended the connection instead");
      return false;
    }
    ++seen_.answered;
    // One byte alone is parted from nothing.
    if (count == 1 && done(session, wire, read) > 0) ++seen_.split;
    return true;
  }

  const Target& target_;
  const Parameters& with_;
  const Deadline& deadline_;
  struct {
    std::size_t full = 0, resumed = 0, pieces = 0, not_resumed = 0, answered = 0, split = 0;
    Json trouble;
  } seen_;
};

class Handshakes final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tls.handshakes"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    return Visits(target, with, deadline).all();
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto expected = fmt::format("{} clients get in by TLS {}, twice each{}", with.rounds, with.version,
                                      with.pieces ? fmt::format(", and {} in pieces", longest_cut) : "");
    const auto got_in = fmt::format("{} did, {} came back, {} in pieces", seen.at("full").get<std::size_t>(),
                                    seen.at("resumed").get<std::size_t>(), seen.at("pieces").get<std::size_t>());
    if (const auto& trouble = seen.at("trouble"); trouble.is_object()) {
      return {Outcome::fail, trouble.at("reason").get<std::string>(), expected,
              fmt::format("{}: {}; before that {}", trouble.at("what").get<std::string>(),
                          trouble.at("why").get<std::string>(), got_in)};
    }
    // Nothing that did not happen is a pass.
    for (const char* what : {"full", "resumed", "pieces"}) {
      if (seen.at(what) != seen.at("planned").at(what)) return {Outcome::error, "not-whole", expected, got_in};
    }
    const auto anew = seen.at("not_resumed").get<std::size_t>();
    if (with.resumes && anew > 0)
      return {Outcome::fail, "not-resumed", expected + ", the second time with the session of the first",
              fmt::format("{}, {} of them with a new session", got_in, anew)};
    const auto answered = seen.value("answered", std::size_t{0}), split = seen.value("split", std::size_t{0});
    if (!with.request.empty() && answered != with.rounds) return {Outcome::error, "not-whole", expected, got_in};
    const auto told = fmt::format("{} of {} answers begin with a record of one byte", split, answered);
    if (with.first_record == "whole" && split > 0)
      return {Outcome::fail, "first-byte-apart", "answers whose first byte comes with others", told};
    if (with.first_record == "split" && split < answered)
      return {Outcome::fail, "first-byte-not-apart", "answers whose first byte comes in a record of its own", told};
    return {Outcome::pass, "as-expected", expected, got_in};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& seen, Json& json) const override {
    if (const auto& trouble = seen.at("trouble"); trouble.is_object())
      return Error{ErrorClass::check, "not all get in: " + trouble.value("why", ""), {}};
    json.erase("resumes");
    if (seen.at("not_resumed").get<std::size_t>() > 0) json["resumes"] = false;
    const auto answered = seen.value("answered", std::size_t{0}), split = seen.value("split", std::size_t{0});
    json.erase("first_record");
    if (answered > 0 && (split == 0 || split == answered)) json["first_record"] = split == 0 ? "whole" : "split";
    return {};
  }
};

}  // namespace

const Check& tls_handshakes() {
  static const Handshakes instance;
  return instance;
}

}  // namespace patchlab::checks::port
