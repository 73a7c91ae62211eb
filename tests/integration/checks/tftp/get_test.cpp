// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// TFTP against atftpd on loopback, and against a server that does what WDS did after updates, and worse.
#include "checks/tftp/get.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>

#include "checks/socket.hpp"
#include "lab/core/digest.hpp"
#include "lab/process/child.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::tftp {
namespace {

using ::testing::HasSubstr;

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};
constexpr Milliseconds patience{10000};

// No two blocks of it are the same.
std::string content(std::size_t size) {
  std::string text;
  for (std::size_t line = 0; text.size() < size; ++line) text += fmt::format("line {:08}\n", line);
  text.resize(size);
  return text;
}

struct Udp {
  FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port = 0;
  Udp() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket.get(), raw, size) != 0 || ::getsockname(socket.get(), raw, &size) != 0)
      throw std::runtime_error("no port of 127.0.0.1");
    port = ntohs(address.sin_port);
  }
};

struct Seen {
  Json observation;
  Judgement judgement;
};
Seen look(std::uint16_t port, Json with, Milliseconds limit = patience) {
  with["port"] = port;
  if (!with.contains("file")) with["file"] = "boot.bin";
  const auto seen = get().observe(loopback, with, limit);
  if (!seen) {
    ADD_FAILURE() << seen.error().message;
    return {};
  }
  return {*seen, get().judge(with, *seen)};
}

class RealServer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/sbin/atftpd"))
      GTEST_SKIP() << "atftpd is not installed (apt-get install atftpd)";
    if (::geteuid() != 0) GTEST_SKIP() << "atftpd needs root to become its user";
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(folder_.write("boot.bin", file_), std::filesystem::perms(0644));
    ProcessSpec spec;
    spec.program = "/usr/sbin/atftpd";
    spec.arguments = {
        "--daemon", "--no-fork", "--bind-address", "127.0.0.1", "--port",    std::to_string(port_),  "--user",
        "daemon",   "--group",   "daemon",         "--logfile", "/dev/null", folder_.path().string()};
    auto child = ChildProcess::start(spec);
    ASSERT_TRUE(child) << child.error().message;
    child_.emplace(std::move(*child));
    // It says nothing when it is ready: it is asked until it answers.
    const Deadline ready(patience);
    while (!ready.passed() && child_->running()) {
      const auto seen = get().observe(loopback, {{"file", "boot.bin"}, {"port", port_}}, patience);
      if (seen && seen->at("ended") == "whole") return;
    }
    FAIL() << "atftpd does not answer: " << child_->wait(Milliseconds(0)).describe();
  }
  const std::string file_ = content(150000);
  test::TemporaryFolder folder_;
  std::uint16_t port_ = Udp().port;
  std::optional<ChildProcess> child_;
};

TEST_F(RealServer, IsReadByBlocksAndByWindowsOfThem) {
  const Json plain{{"sha256", sha256(file_)}};
  EXPECT_EQ(look(port_, plain).judgement.outcome, Outcome::pass);
  auto with = plain;
  with.update({{"blksize", 1456}, {"windowsize", 8}});
  const auto seen = look(port_, with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.at("granted"), (Json{{"blksize", 1456}, {"windowsize", 8}, {"tsize", 150000}}));
  EXPECT_EQ(seen.observation.at("blocks"), 150000 / 1456 + 1);
  with["tsize"] = false;
  EXPECT_EQ(look(port_, with).judgement.outcome, Outcome::pass);
}

TEST_F(RealServer, RefusesAFileThatIsNotThere) {
  const auto seen = look(port_, {{"file", "nothing.bin"}});
  EXPECT_EQ(seen.judgement.reason, "file-refused") << seen.observation.dump(1);
  EXPECT_EQ(look(port_, {{"sha256", sha256("else")}}).judgement.reason, "content-differs");
}

// A server with faults, for one client at a time.
struct Faults {
  std::size_t stops_behind = 0;   // this block; 0: it does not
  std::size_t fails_behind = 0;   // this block, with an error; 0: it does not
  std::set<std::size_t> loses{};  // these blocks, once each
  bool knows_options = true;
  std::string adds{};          // to its options: "name=value"
  std::size_t more = 0;        // bytes in each block than agreed
  std::size_t tsize_more = 0;  // than it has
  bool says_twice = false;     // each block
};

class FaultyServer {
 public:
  FaultyServer(std::string file, Faults faults)
      : file_(std::move(file)),
        faults_(std::move(faults)),
        thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  [[nodiscard]] std::uint16_t port() const { return main_.port; }

 private:
  static std::string packet(std::uint16_t opcode, std::uint16_t number) {
    return {static_cast<char>(opcode >> 8U), static_cast<char>(opcode), static_cast<char>(number >> 8U),
            static_cast<char>(number)};
  }
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!wait_readable(main_.socket.get(), Deadline(Milliseconds(20)))) continue;
      std::array<char, 1024> bytes{};
      socklen_t size = sizeof client_;
      const auto count =
          ::recvfrom(main_.socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&client_), &size);
      if (count > 2 && bytes[1] == 1) answer(std::string(bytes.data() + 2, static_cast<std::size_t>(count) - 2), stop);
    }
  }
  void send(const Udp& from, const std::string& bytes) {
    ::sendto(from.socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&client_),
             sizeof client_);
  }
  // The number of an acknowledgement; nothing: none came, or it was an error.
  std::optional<std::size_t> heard(const Udp& at, const std::stop_token& stop) {
    std::array<char, 600> bytes{};
    for (int tries = 0; tries < 100 && !stop.stop_requested(); ++tries) {
      if (!wait_readable(at.socket.get(), Deadline(Milliseconds(20)))) continue;
      const auto count = ::recv(at.socket.get(), bytes.data(), bytes.size(), 0);
      if (count != 4 || bytes[1] != 4) return std::nullopt;
      return static_cast<unsigned char>(bytes[2]) * 256U + static_cast<unsigned char>(bytes[3]);
    }
    return std::nullopt;
  }
  void answer(const std::string& request, const std::stop_token& stop) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < request.size();) {
      const auto end = request.find('\0', at);
      words.push_back(request.substr(at, end - at));
      at = end + 1;
    }
    std::size_t block = 512, window = 1;
    std::string granted = packet(6, 0).substr(0, 2);
    for (std::size_t i = 2; faults_.knows_options && i + 1 < words.size(); i += 2) {
      auto value = words[i + 1];
      if (words[i] == "tsize") value = std::to_string(file_.size() + faults_.tsize_more);
      if (words[i] == "blksize") block = std::stoul(value);
      if (words[i] == "windowsize") window = std::stoul(value);
      granted += words[i] + '\0' + value + '\0';
    }
    if (const auto equals = faults_.adds.find('='); equals != std::string::npos)
      granted += faults_.adds.substr(0, equals) + '\0' + faults_.adds.substr(equals + 1) + '\0';
    const Udp own;
    if (faults_.knows_options) {
      send(own, granted);
      if (heard(own, stop) != 0U) return;
    }
    const auto last = file_.size() / block + 1;
    for (std::size_t taken = 0; taken < last;) {
      for (auto number = taken + 1; number <= std::min(last, taken + window); ++number) {
        if (faults_.stops_behind > 0 && number > faults_.stops_behind) return;
        if (faults_.fails_behind > 0 && number > faults_.fails_behind)
          return send(own, packet(5, 0) + "disk error" + '\0');
        if (faults_.loses.erase(number) > 0) continue;
        const auto data = packet(3, static_cast<std::uint16_t>(number)) + file_.substr((number - 1) * block, block) +
                          std::string(faults_.more, 'x');
        for (int i = 0; i < (faults_.says_twice ? 2 : 1); ++i) send(own, data);
      }
      const auto number = heard(own, stop);
      if (!number) return;
      taken = *number;
    }
  }

  Udp main_;
  std::string file_;
  Faults faults_;
  sockaddr_in client_{};
  std::jthread thread_;
};

const std::string file = content(30000);
Seen from(const Faults& faults, Json more = Json::object(), Milliseconds limit = patience) {
  const FaultyServer server(file, faults);
  Json with{{"blksize", 1024}, {"windowsize", 4}, {"sha256", sha256(file)}};
  with.update(more);
  return look(server.port(), with, limit);
}

TEST(TftpGet, ReadsFromTheServerOfTheseTestsWhenNothingIsWrong) {
  const auto seen = from({});
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.at("resent"), 0);
}

// As WDS did after updates of 2019, with the windows of its own extension: the first of them came, and nothing behind
// it.
TEST(TftpGet, FailsWhenNothingComesBehindTheFirstWindow) {
  const auto seen = from({.stops_behind = 4}, Json::object(), Milliseconds(1500));
  EXPECT_EQ(seen.judgement.reason, "transfer-cut-off") << seen.observation.dump(1);
  EXPECT_THAT(seen.judgement.observed, HasSubstr("4096 bytes in 4 blocks"));
  const auto error = from({.fails_behind = 6});
  EXPECT_EQ(error.judgement.reason, "transfer-cut-off") << error.observation.dump(1);
  EXPECT_THAT(error.judgement.observed, HasSubstr("disk error"));
}

TEST(TftpGet, AsksAgainForWhatWasLostAndTakesNothingTwice) {
  const auto lost = from({.loses = {2, 7, 8}});
  EXPECT_EQ(lost.judgement.outcome, Outcome::pass) << lost.judgement.reason << lost.observation.dump(1);
  EXPECT_GE(lost.observation.at("resent"), 2);
  EXPECT_EQ(from({.says_twice = true}).judgement.outcome, Outcome::pass);
}

TEST(TftpGet, FailsOnAServerThatDoesNotKnowTheOptionsAnyMore) {
  EXPECT_EQ(from({.knows_options = false}).judgement.reason, "option-refused");
}

TEST(TftpGet, TakesNothingThatWasNotAgreed) {
  EXPECT_EQ(from({.adds = "multicast=224.0.0.1"}).judgement.reason, "malformed-packet");
  EXPECT_EQ(from({.more = 1}).judgement.reason, "malformed-packet");
  EXPECT_EQ(from({.tsize_more = 1}).judgement.reason, "size-differs");
}

TEST(TftpGet, NobodyListensIsAFailure) {
  const auto port = Udp().port;
  const auto seen = look(port, Json::object());
  EXPECT_EQ(seen.judgement.reason, "connection-refused") << seen.observation.dump(1);
  const Udp silent;
  EXPECT_EQ(look(silent.port, Json::object(), Milliseconds(300)).judgement.reason, "no-answer");
}

}  // namespace
}  // namespace patchlab::checks::tftp
