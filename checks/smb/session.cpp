// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/session.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "checks/kerberos/session.hpp"
#include "checks/smb/library.hpp"
#include "checks/smb/netbios.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks::smb {
namespace {

constexpr std::size_t block_size = 65536;
constexpr std::size_t most_bytes = 64U << 20U;
constexpr std::size_t most_names = 4096;

// Samba keeps caches, locks and secrets in folders named at build time: all of them go into one of ours.
class PrivateFolder {
 public:
  static Result<PrivateFolder> make() {
    std::error_code code;
    const auto temporary = std::filesystem::temp_directory_path(code);
    if (code) return infrastructure_error(fmt::format("no folder for temporary files: {}", code.message()));
    auto name = (temporary / "patchlab-smb-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return errno_error(fmt::format("creating '{}'", name), errno);
    return PrivateFolder(name);
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

void copy_text(const std::string& text, char* buffer, int size) {
  std::snprintf(buffer, static_cast<std::size_t>(size), "%s", text.c_str());
}

void authenticate(SMBCCTX* context, const char*, const char*, char* domain, int domain_size, char* user, int user_size,
                  char* password, int password_size) {
  const auto* settings = static_cast<const SessionSettings*>(Library::get()->getOptionUserData(context));
  if (!settings->domain.empty()) copy_text(settings->domain, domain, domain_size);
  const auto& ticket = settings->ticket;
  copy_text(ticket ? settings->user + "@" + ticket->realm : settings->user, user, user_size);
  copy_text(settings->password, password, password_size);
}

struct FreeContext {
  void operator()(SMBCCTX* context) const { Library::get()->free_context(context, 1); }
};
using Context = std::unique_ptr<SMBCCTX, FreeContext>;

// The library would ask for a ticket for whatever it finds under that name, or fall silent: so it is tried first.
Result<void> prepare_kerberos(const SessionSettings& settings, const std::filesystem::path& file) {
  const auto& ticket = *settings.ticket;
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int trouble = ::getaddrinfo(ticket.server.c_str(), nullptr, &wanted, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::array<char, INET_ADDRSTRLEN> text{};
  if (trouble == 0)
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr, text.data(), text.size());
  if (text.data() != settings.address)
    return infrastructure_error(fmt::format("'{}' is not found to be {} here: {}", ticket.server, settings.address,
                                            trouble != 0 ? ::gai_strerror(trouble) : text.data()));
  kerberos::Realm realm;
  realm.address = ticket.controller;
  realm.port = ticket.port;
  realm.name = ticket.realm;
  PATCHLAB_TRY(write_file_atomically(file, kerberos::configuration(realm)));
  ::setenv("KRB5_CONFIG", file.c_str(), 1);
  return {};
}

bool needs_escape(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) == 0 && std::strchr("/-._~", c) == nullptr;
}

}  // namespace

struct Session::State {
  State(const Library& by, SessionSettings with, PrivateFolder in)
      : library(by), settings(std::move(with)), folder(std::move(in)) {}
  const Library& library;
  SessionSettings settings;
  PrivateFolder folder;
  std::unique_ptr<NetbiosBridge> bridge;  // outlives what comes over it
  Context context;
  SMBCFILE* held = nullptr;

  [[nodiscard]] std::string url(const std::string& path) const {
    return url_of(settings.ticket ? settings.ticket->server : settings.address, settings.port, path);
  }
  void configure() {
    auto* raw = context.get();
    library.setOptionUserData(raw, &settings);
    library.setFunctionAuthDataWithContext(raw, authenticate);
    library.setTimeout(raw, static_cast<int>(settings.timeout.count()));
    library.setOptionUseKerberos(raw, settings.ticket ? 1 : 0);
    library.setOptionFallbackAfterKerberos(raw, 0);
    library.setOptionUseCCache(raw, 0);
    library.setOptionNoAutoAnonymousLogin(raw, 1);  // a refused user must not become a guest
    library.setOptionDebugToStderr(raw, 1);
    library.setDebug(raw, 0);
  }
};

std::string protocol_of(const std::string& dialect) {
  static const std::map<std::string, std::string> words{{"1", "NT1"},       {"2.0.2", "SMB2_02"}, {"2.1", "SMB2_10"},
                                                        {"3.0", "SMB3_00"}, {"3.0.2", "SMB3_02"}, {"3.1.1", "SMB3_11"}};
  const auto found = words.find(dialect);
  return found == words.end() ? std::string() : found->second;
}

std::string configuration(const std::filesystem::path& folder, Encryption encryption, const std::string& dialect,
                          const std::optional<TicketSettings>& ticket) {
  const auto only = protocol_of(dialect);
  std::string text = fmt::format("[global]\n\tclient min protocol = {}\n", only.empty() ? "SMB2_02" : only);
  const auto most = encryption == Encryption::never ? "SMB2_10" : "SMB3";
  text += fmt::format("\tclient max protocol = {}\n", only.empty() ? most : only);
  text += ticket ? fmt::format("\tclient use kerberos = required\n\trealm = {}\n", ticket->realm)
                 : "\tclient use kerberos = off\n";
  text +=
      "\tdisable netbios = yes\n"
      "\tname resolve order = host\n"
      "\tlog level = 0\n";
  for (const char* name : {"lock", "state", "cache", "pid"})
    text += fmt::format("\t{} directory = {}\n", name, folder.string());
  return text + fmt::format("\tprivate dir = {}\n", folder.string());
}

// The library decodes %XX, and would take "@", ":" or "?" of a share's name for syntax.
std::string url_of(const std::string& address, std::uint16_t port, const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (needs_escape(c))
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      escaped += c;
  }
  return fmt::format("smb://{}:{}/{}", address, port, escaped);
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

Result<Session> Session::open(const SessionSettings& settings) {
  const auto& library = Library::get();
  if (!library) return library.error();
  PATCHLAB_ASSIGN(auto folder, PrivateFolder::make());
  auto state = std::make_unique<State>(*library, settings, std::move(folder));
  if (settings.netbios) {
    PATCHLAB_ASSIGN(state->bridge,
                    NetbiosBridge::open({settings.address, settings.port}, settings.source, settings.timeout));
    state->settings.address = "127.0.0.1";
    state->settings.port = state->bridge->port();
  }
  const auto& path = state->folder.path();
  PATCHLAB_TRY(create_folders(path / ".smb"));
  PATCHLAB_TRY(write_file_atomically(path / ".smb" / "smb.conf",
                                     configuration(path, settings.encryption, settings.dialect, settings.ticket)));
  if (settings.ticket) PATCHLAB_TRY(prepare_kerberos(settings, path / "krb5.conf"));
  // The first context of a process reads $HOME/.smb/smb.conf, and nothing else when that exists.
  ::setenv("HOME", path.c_str(), 1);
  state->context.reset(library->new_context());
  if (!state->context) return errno_error("creating an SMB context", errno);
  state->configure();
  if (library->init_context(state->context.get()) == nullptr) {
    return errno_error("initialising the SMB library", errno);
  }
  // Of the whole process from here on: of another manner than the first session's there is one at a time.
  if (settings.encryption != Encryption::as_wanted &&
      library->setConfiguration(state->context.get(), (path / ".smb" / "smb.conf").c_str()) != 0)
    return errno_error("configuring the SMB library", errno);
  return Session(std::move(state));
}

int Session::list(const std::string& folder, std::vector<std::string>& names) {
  auto* context = state_->context.get();
  auto* directory = state_->library.getFunctionOpendir(context)(context, state_->url(folder).c_str());
  if (directory == nullptr) return errno;
  errno = 0;
  while (const auto* entry = state_->library.getFunctionReaddir(context)(context, directory)) {
    if (names.size() < most_names) names.emplace_back(entry->name, entry->namelen);
  }
  const int trouble = errno;
  state_->library.getFunctionClosedir(context)(context, directory);
  return trouble;
}

int Session::write(const std::string& file, const std::string& content) {
  return write_as(file, content, O_WRONLY | O_CREAT | O_EXCL);
}

int Session::overwrite(const std::string& file, const std::string& content) {
  return write_as(file, content, O_WRONLY | O_TRUNC);
}

int Session::write_as(const std::string& file, const std::string& content, int flags) {
  auto* context = state_->context.get();
  auto* handle = state_->library.getFunctionOpen(context)(context, state_->url(file).c_str(), flags, 0660);
  if (handle == nullptr) return errno;
  int trouble = 0;
  for (std::size_t at = 0; at < content.size() && trouble == 0;) {
    const auto size = std::min(block_size, content.size() - at);
    const auto count = state_->library.getFunctionWrite(context)(context, handle, content.data() + at, size);
    if (count <= 0)
      trouble = errno != 0 ? errno : EIO;
    else
      at += static_cast<std::size_t>(count);
  }
  // Closing flushes: its error counts as much as the write's.
  const bool closed = state_->library.getFunctionClose(context)(context, handle) == 0;
  return trouble != 0 || closed ? trouble : errno;
}

int Session::read(const std::string& file, std::string& content) {
  auto* context = state_->context.get();
  auto* handle = state_->library.getFunctionOpen(context)(context, state_->url(file).c_str(), O_RDONLY, 0);
  if (handle == nullptr) return errno;
  std::string block(block_size, '\0');
  int trouble = 0;
  while (content.size() < most_bytes) {
    const auto count = state_->library.getFunctionRead(context)(context, handle, block.data(), block.size());
    if (count < 0) trouble = errno;
    if (count <= 0) break;
    content.append(block, 0, static_cast<std::size_t>(count));
  }
  state_->library.getFunctionClose(context)(context, handle);
  return trouble;
}

int Session::rename(const std::string& from, const std::string& to) {
  auto* context = state_->context.get();
  const bool done = state_->library.getFunctionRename(context)(context, state_->url(from).c_str(), context,
                                                               state_->url(to).c_str()) == 0;
  return done ? 0 : errno;
}

int Session::remove(const std::string& file) {
  auto* context = state_->context.get();
  return state_->library.getFunctionUnlink(context)(context, state_->url(file).c_str()) == 0 ? 0 : errno;
}

int Session::hold_open(const std::string& file, Others others) {
  auto* context = state_->context.get();
  state_->library.setOptionOpenShareMode(
      context, others == Others::write ? SMBC_SHAREMODE_DENY_NONE : SMBC_SHAREMODE_DENY_WRITE);
  state_->held = state_->library.getFunctionOpen(context)(context, state_->url(file).c_str(), O_RDWR, 0);
  const int trouble = state_->held == nullptr ? errno : 0;
  state_->library.setOptionOpenShareMode(context, SMBC_SHAREMODE_DENY_NONE);
  return trouble;
}

int Session::close_held() {
  auto* context = state_->context.get();
  return state_->library.getFunctionClose(context)(context, std::exchange(state_->held, nullptr)) == 0 ? 0 : errno;
}

}  // namespace patchlab::checks::smb
