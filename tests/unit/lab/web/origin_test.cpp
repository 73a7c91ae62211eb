// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/web/origin.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::web {
namespace {

TEST(DeskOrigin, IsANameThatBrowsersOfferSecurityKeysTo) {
  EXPECT_EQ(read_origin("https://desk.xavier.example").value(),
            (Origin{"https://desk.xavier.example", "desk.xavier.example", "desk.xavier.example"}));
  EXPECT_EQ(read_origin("http://localhost:8443").value(),
            (Origin{"http://localhost:8443", "localhost:8443", "localhost"}));
  EXPECT_TRUE(read_origin("http://desk.localhost"));
  EXPECT_TRUE(read_origin("https://desk:1"));
}

TEST(DeskOrigin, IsNothingElse) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "neither"},
      {"desk.xavier.example", "neither"},
      {"HTTPS://desk.xavier.example", "neither"},
      {"file:///etc", "neither"},
      {"https://", "host name"},
      {"https://127.0.0.1", "host name"},
      {"https://[::1]:8443", "host name"},
      {"https://desk.7", "host name"},
      {"https://Desk.xavier.example", "host name"},
      {"https://desk.xavier.example/", "host name"},
      {"https://desk..example", "host name"},
      {"https://-desk.example", "host name"},
      {"https://a@desk.example", "host name"},
      {"https://desk.example?x", "host name"},
      {"https://d\xc3\xa9sk.example", "host name"},
      {"https://desk.example:", "port"},
      {"https://desk.example:0", "port"},
      {"https://desk.example:65536", "port"},
      {"https://desk.example:08", "port"},
      {"https://desk.example:8443/", "port"},
      {"https://desk.example:443", "own port"},
      {"http://localhost:80", "own port"},
      {"http://desk.xavier.example", "without TLS"},
      {"http://localhost.evil.example", "without TLS"},
      {"http://notlocalhost", "without TLS"},
  };
  for (const auto& [text, why] : wrong) {
    const auto origin = read_origin(text);
    ASSERT_FALSE(origin) << text;
    EXPECT_THAT(origin.error().message, ::testing::HasSubstr(why)) << text;
  }
}

}  // namespace
}  // namespace patchlab::lab::web
