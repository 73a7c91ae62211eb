// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/content/blocks.hpp"
#include "lab/content/fetch.hpp"
#include "lab/content/publish.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "lab/process/process.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/receivers.hpp"
#include "tests/support/temporary_folder.hpp"

// Images by HTTPS from a server on loopback that serves a content folder as any web server does, or does not.
namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;
using test::http_answer;
using test::HttpReceiver;
using test::HttpRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Https : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::is_missing("openssl")) GTEST_SKIP() << "openssl is not installed";
    key_ = {(folder_.path() / "pem").string(), (folder_.path() / "key").string()};
    ProcessSpec spec;
    spec.program = "openssl";
    spec.arguments = {
        "req",    "-x509", "-newkey",       "ec",    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days",  "2",     "-subj",         "/CN=x", "-addext",  "subjectAltName=DNS:localhost", "-keyout",
        key_.key, "-out",  key_.certificate};
    const auto made = host_processes().run(spec);
    ASSERT_TRUE(made.succeeded()) << made.errors;
    const auto published = publish(tests::put_image(cache_.path(), disk_), content_, {});
    ASSERT_TRUE(published) << published.error().message;
    digest_ = published->digest;
  }
  // What a GET of a file below /lab/ is answered with.
  [[nodiscard]] std::string serve(const HttpRequest& request) const {
    const auto path = std::string(split(request.line, ' ').at(1));
    if (!request.line.starts_with("GET /lab/") || path.find("..") != std::string::npos) return http_answer(404);
    const auto file = read_file(content_ / path.substr(5));
    return file ? http_answer(200, "", *file) : http_answer(404);
  }
  Result<Fetched> fetch_from(const std::string& url, const std::string& digest, bool knows_them = true) const {
    PATCHLAB_ASSIGN(const auto source, open_source({url, knows_them ? fs::path(key_.certificate) : fs::path()}));
    return fetch(*source, digest, {images_});
  }
  // By a server that answers so.
  Error refused(const HttpReceiver::Answer& answer, bool knows_them = true) const {
    const HttpReceiver server(answer, 0, key_);
    const auto image = fetch_from(server.url("/lab"), digest_, knows_them);
    EXPECT_FALSE(image);
    EXPECT_FALSE(is_there(images_ / digest_));
    return image ? Error{} : image.error();
  }

  test::TemporaryFolder cache_;
  test::TemporaryFolder folder_;
  const fs::path content_ = folder_.path() / "content";
  const fs::path images_ = folder_.path() / "images";
  const std::string disk_ = tests::noise(256U << 10U, 1);
  test::ServerKey key_;
  std::string digest_;
};

TEST_F(Https, BringsTheImageAndThenWhatChanged) {
  const HttpReceiver server([&](const HttpRequest& request) { return serve(request); }, 0, key_);
  const auto image = fetch_from(server.url("/lab/"), digest_);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(read_file(image->folder / "disk.qcow2").value(), disk_);
  auto disk = disk_;
  disk[100000] ^= 1;
  const auto next = publish(tests::put_image(cache_.path(), disk, "2026-12-01T00:00:00.000Z"), content_, {});
  ASSERT_TRUE(next);
  const auto before = server.requests().size();
  const auto newer = fetch_from(server.url("/lab"), next->digest);
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_EQ(server.requests().size() - before, 1 + next->new_blocks) << "its index, and what is new";
  EXPECT_EQ(newer->moved.fetched, next->new_bytes);
  EXPECT_EQ(newer->moved.received, next->stored_bytes);
  EXPECT_EQ(read_file(newer->folder / "disk.qcow2").value(), disk);
}

TEST_F(Https, AServerThatNobodyKnowsIsAskedNothing) {
  const HttpReceiver server([&](const HttpRequest& request) { return serve(request); }, 0, key_);
  const auto image = fetch_from(server.url("/lab"), digest_, false);
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message, HasSubstr("certificate"));
  EXPECT_THAT(image.error().hint, HasSubstr("ca_bundle"));
  EXPECT_THAT(server.requests(), IsEmpty());
  // Its certificate is for another name.
  auto url = server.url("/lab");
  url.replace(url.find("localhost"), 9, "127.0.0.1");
  EXPECT_FALSE(fetch_from(url, digest_));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(Https, WhatIsNotThereIsNamedWithTheNextStep) {
  const auto error = refused([](const HttpRequest&) { return http_answer(404); });
  EXPECT_EQ(error.error_class, ErrorClass::configuration);
  EXPECT_THAT(error.message, AllOf(HasSubstr(digest_), HasSubstr("https://localhost:")));
  EXPECT_THAT(error.hint, HasSubstr("patchlab content publish"));
}

TEST_F(Https, RedirectsAreNotFollowed) {
  const HttpReceiver elsewhere([&](const HttpRequest& request) { return serve(request); }, 0, key_);
  const auto error = refused([&](const HttpRequest&) {
    return http_answer(302, "Location: " + elsewhere.url("/lab/images/" + digest_) + "\r\n");
  });
  EXPECT_THAT(error.message, HasSubstr("302, and redirects are not followed"));
  EXPECT_THAT(elsewhere.requests(), IsEmpty());
}

TEST_F(Https, BlocksThatAreNotWhatTheyShouldBeAreRefused) {
  const auto with = [&](const std::function<std::string(std::string)>& changed) {
    return refused([&, changed](const HttpRequest& request) {
      const auto answer = serve(request);
      return request.line.find("/blocks/") == std::string::npos ? answer : changed(answer);
    });
  };
  auto error = with([](std::string answer) {
    answer.back() ^= 1;
    return answer;
  });
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("is damaged: "));
  // Cut off; and one without an end.
  error = with([](const std::string& answer) { return answer.substr(0, answer.size() - 10); });
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  error = with([](const std::string&) { return http_answer(200, "", std::string(8U << 20U, 'x')); });
  EXPECT_THAT(error.message, HasSubstr("is larger than the "));
  error = with([](const std::string&) { return http_answer(500); });
  EXPECT_THAT(error.message, HasSubstr("it answers 500"));
  // Nothing of all that is used later.
  const HttpReceiver server([&](const HttpRequest& request) { return serve(request); }, 0, key_);
  const auto image = fetch_from(server.url("/lab"), digest_);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(read_file(image->folder / "disk.qcow2").value(), disk_);
}

TEST_F(Https, OneBrokenConnectionIsTriedAgain) {
  bool broken = false;
  const HttpReceiver server(
      [&](const HttpRequest& request) {
        const auto answer = serve(request);
        if (broken || request.line.find("/blocks/") == std::string::npos) return answer;
        broken = true;
        return answer.substr(0, answer.size() / 2);
      },
      0, key_);
  const auto image = fetch_from(server.url("/lab"), digest_);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(broken);
}

}  // namespace
}  // namespace patchlab::lab::content
