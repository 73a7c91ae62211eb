// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "lab/core/time.hpp"

namespace patchlab::checks::smb {

// Whether what is said is encrypted: as the server wants it, or never, which is a client that cannot: one of SMB 2.1.
// The latter holds for the whole process from then on: it is the last session of its check.
enum class Encryption { as_wanted, never };

// A login by a Kerberos ticket, and by nothing else: a server that takes none of it is not offered NTLM.
struct TicketSettings {
  std::string realm;
  std::string server;      // its name, which must be found to be `address`: the library makes a ticket's name of it
  std::string controller;  // IPv4
  std::uint16_t port = 88;
};
// Of the words of smb.dialects ("1", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"), that of Samba's configuration ("NT1"),
// in which MS-SMB is dialect 1 and the others are those of MS-SMB2, 2.2.3. Empty: it is none of them.
[[nodiscard]] std::string protocol_of(const std::string& dialect);

struct SessionSettings {
  std::string address;  // or a name that is found, but for NetBIOS and tickets
  std::uint16_t port = 445;
  std::string domain;  // or workgroup; may be empty
  std::string user;
  std::string password;
  Milliseconds timeout{};
  Encryption encryption = Encryption::as_wanted;
  std::optional<TicketSettings> ticket{};  // nothing: NTLM, and no Kerberos
  // This one alone is offered, of those of protocol_of(); empty: 2.0.2 to 3.1.1. The same for all of a process: what
  // the first session was opened with.
  std::string dialect{};
  bool netbios = false;  // by the session service that listens on that port, see netbios.hpp
  std::string source{};  // the local address that NetBIOS is spoken from; any when empty
};

// One user's way to the shares of one server, by libsmbclient: SMB 2.02 and later unless told otherwise, no name
// look-ups but of the server itself, nothing read from or left in the host's Samba configuration. A login is by NTLM or
// by Kerberos, as it is said, and never by the other one: all sessions of a process by the same. The library is not
// thread-safe and keeps global state, so: one process, one thread, and sessions one after another or side by side in
// that thread. Every operation returns 0 or the errno to which the library flattened the server's NTSTATUS. Paths are
// "share/folder/file".
class Session {
 public:
  [[nodiscard]] static Result<Session> open(const SessionSettings& settings);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) = delete;

  [[nodiscard]] int list(const std::string& folder, std::vector<std::string>& names);
  [[nodiscard]] int write(const std::string& file, const std::string& content);      // creates it, must not exist
  [[nodiscard]] int overwrite(const std::string& file, const std::string& content);  // must exist
  [[nodiscard]] int read(const std::string& file, std::string& content);
  [[nodiscard]] int rename(const std::string& from, const std::string& to);
  [[nodiscard]] int remove(const std::string& file);
  // Keeps it open for writing, until closed; one at a time. Others may read and, unless they are kept off, write it
  // meanwhile, and not delete it.
  enum class Others { write, only_read };
  [[nodiscard]] int hold_open(const std::string& file, Others others = Others::write);
  [[nodiscard]] int close_held();

 private:
  struct State;
  int write_as(const std::string& file, const std::string& content, int flags);
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Pure parts, for tests.
[[nodiscard]] std::string configuration(const std::filesystem::path& folder,
                                        Encryption encryption = Encryption::as_wanted, const std::string& dialect = {},
                                        const std::optional<TicketSettings>& ticket = std::nullopt);
[[nodiscard]] std::string url_of(const std::string& address, std::uint16_t port, const std::string& path);

}  // namespace patchlab::checks::smb
