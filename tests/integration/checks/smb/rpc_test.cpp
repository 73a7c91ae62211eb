// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The programs of scenarios/windows-department that speak RPC over SMB, confined as in the product, against Samba's
// print server and its server of shadow copies.
#include <gmock/gmock.h>
#include <poll.h>

#include <array>
#include <thread>

#include "tests/integration/checks/command/run_command.hpp"
#include "tests/integration/checks/smb/samba_server.hpp"
#include "tests/support/tcp_listener.hpp"

namespace patchlab::checks::smb {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

// Stands before a server, and does not let in who asks it for a lower level of protection than this: as Windows does
// whose RpcAuthnLevelPrivacyEnabled is 1. It only looks at what clients send in clear (MS-RPCE 2.2.2.11).
class LevelGuard {
 public:
  LevelGuard(std::uint16_t server, unsigned char least)
      : server_(server), least_(least), thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  // The level of a bind that is in these bytes (C706, chapter 12); 0: none is.
  static unsigned char level_in(std::string_view bytes) {
    // Version 5.0, a bind, whatever its flags; integers of the little end first.
    const std::string_view begin("\x05\x00\x0b", 3), order("\x10\x00\x00\x00", 4);
    for (auto at = bytes.find(begin); at != std::string_view::npos && at + 16 <= bytes.size();
         at = bytes.find(begin, at + 1)) {
      if (bytes.substr(at + 4, 4) != order) continue;
      const auto number = [&](std::size_t where) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + where])) |
               static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + where + 1])) << 8U;
      };
      const auto fragment = number(8), proof = number(10);
      const auto level = at + fragment - proof - 8 + 1;  // behind the type in the trailer
      return proof > 0 && level < bytes.size() ? static_cast<unsigned char>(bytes[level]) : 0;
    }
    return 0;
  }
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!wait_readable(listener_.get(), Deadline(Milliseconds(20)))) continue;
      const FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
      const auto server = connect_tcp({"127.0.0.1", server_}, {}, Deadline(std::chrono::seconds(5)));
      if (!server || server->saved_errno != 0) continue;
      while (!stop.stop_requested() && pass(client.get(), server->socket.get())) {
      }
    }
  }
  [[nodiscard]] bool pass(int client, int server) const {
    std::array<pollfd, 2> both{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    ::poll(both.data(), both.size(), 20);
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (both[i].revents == 0) continue;
      std::array<char, 65536> bytes{};
      const auto count = ::recv(both[i].fd, bytes.data(), bytes.size(), 0);
      if (count <= 0) return false;
      const std::string_view said(bytes.data(), static_cast<std::size_t>(count));
      const auto level = i == 0 ? level_in(said) : 0;
      if (level > 0 && level < least_) return false;
      if (send_all(both[1 - i].fd, said, Deadline(std::chrono::seconds(5))) != 0) return false;
    }
    return true;
  }

  test::TcpListener listener_;
  std::uint16_t server_;
  unsigned char least_;
  std::jthread thread_;
};

class RpcPrograms : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = SambaServer::why_not(); !why.empty()) GTEST_SKIP() << why;
    if (!fs::exists("/usr/bin/rpcclient")) GTEST_SKIP() << "smbclient is not installed";
    server_.emplace();
  }
  static CheckResult told(const char* program, const std::vector<std::string>& arguments, std::uint16_t port) {
    auto read = read_check_program(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/windows-department" / program);
    if (!read) return {"program", "command", Outcome::error, "no-program", {}, read.error().message};
    return plugins::run_program(std::move(*read), {{"arguments", arguments}, {"port", port}});
  }
  static std::string words(const CheckResult& result) {
    return result.reason + ": " + result.observed + result.evidence.dump(1);
  }
  std::optional<SambaServer> server_;
};

class QueueByRpc : public RpcPrograms {
 protected:
  static CheckResult opened(const char* level, std::uint16_t port, const char* queue = "labels",
                            const char* password = SambaServer::password) {
    return told("queue-by-rpc.sh", {queue, SambaServer::user, password, ".", level}, port);
  }
};

TEST_F(QueueByRpc, IsOpenedWithIntegrityAndWithPrivacy) {
  server_->serve_queue("labels");
  ASSERT_EQ(server_->start(), "");
  for (const char* level : {"integrity", "privacy"}) {
    const auto result = opened(level, server_->port());
    EXPECT_EQ(result.outcome, Outcome::pass) << words(result);
    EXPECT_THAT(result.observed, HasSubstr(level));
  }
}

// As updates left it for those who do not encrypt: 0x11b.
TEST_F(QueueByRpc, IsRefusedToWhoHasNoPrivacyWhereThatIsDemanded) {
  server_->serve_queue("labels");
  ASSERT_EQ(server_->start(), "");
  constexpr unsigned char privacy = 6;
  const LevelGuard guard(server_->port(), privacy);
  const auto refused = opened("integrity", guard.port());
  EXPECT_EQ(refused.outcome, Outcome::fail) << words(refused);
  EXPECT_EQ(opened("privacy", guard.port()).outcome, Outcome::pass) << words(opened("privacy", guard.port()));
}

TEST_F(QueueByRpc, IsNotOpenedWhereItIsNotOrTheServerIsNot) {
  server_->serve_queue("labels");
  ASSERT_EQ(server_->start(), "");
  const auto gone = opened("privacy", server_->port(), "other");
  EXPECT_EQ(gone.outcome, Outcome::fail);
  EXPECT_THAT(gone.observed, HasSubstr("WERR_INVALID_PRINTER_NAME")) << words(gone);
  const auto wrong = opened("privacy", server_->port(), "labels", "Loud-2");
  EXPECT_EQ(wrong.outcome, Outcome::fail);
  EXPECT_THAT(wrong.observed, HasSubstr("NT_STATUS_LOGON_FAILURE")) << words(wrong);
  server_->stop();
  EXPECT_EQ(opened("privacy", server_->port()).outcome, Outcome::fail);
  EXPECT_EQ(opened("secrecy", server_->port()).outcome, Outcome::error) << "it could not find out";
}

class ShadowCopy : public RpcPrograms {
 protected:
  CheckResult copied(const char* user) {
    return told("shadow-copy.sh", {"projects", user, SambaServer::password, "."}, server_->port());
  }
};

TEST_F(ShadowCopy, OfAShareIsMadeForAnAdministratorAndRefusedToOthers) {
  server_->make_shadow_copies(SambaServer::ShadowCopies::made);
  ASSERT_EQ(server_->start(), "");
  const auto made = copied(SambaServer::administrator);
  EXPECT_EQ(made.outcome, Outcome::pass) << words(made);
  // As updates left it for backups: access denied.
  const auto refused = copied(SambaServer::user);
  EXPECT_EQ(refused.outcome, Outcome::fail) << words(refused);
}

TEST_F(ShadowCopy, ThatIsNotMadeIsFound) {
  server_->make_shadow_copies(SambaServer::ShadowCopies::failing);
  ASSERT_EQ(server_->start(), "");
  const auto result = copied(SambaServer::administrator);
  EXPECT_EQ(result.outcome, Outcome::fail) << words(result);
}

}  // namespace
}  // namespace patchlab::checks::smb
