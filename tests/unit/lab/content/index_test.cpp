// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/index.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"

namespace patchlab::lab::content {
namespace {

using ::testing::HasSubstr;

Index sample() {
  const auto image = sha256("image.json");
  Index index{image, "dns", "2026-11-01T00:00:00.000Z", {}};
  index.files.push_back({"disk.qcow2", 3 * page_bytes + 5, sha256("disk"), {}});
  index.files[0].blocks = {{2 * page_bytes, sha256("a")}, {page_bytes, ""}, {5, sha256("b")}};
  index.files.push_back({"dpkg-status", 0, sha256(""), {}});
  index.files.push_back({"image.json", 7, image, {{7, sha256("c")}}});
  index.files.push_back({"initrd", 1, sha256("i"), {{1, sha256("i")}}});
  index.files.push_back({"kernel", 1, sha256("k"), {{1, sha256("k")}}});
  return index;
}

TEST(ContentIndex, ComesBackAsItWasWritten) {
  const auto read = parse_index(index_text(sample()), "x");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample());
  EXPECT_EQ(read->bytes(), 2 * page_bytes + 5 + 7 + 2) << "without zeros";
  auto refreshed = sample();
  refreshed.files.push_back({"provenance.json", 2, sha256("p"), {{2, sha256("p")}}});
  EXPECT_EQ(parse_index(index_text(refreshed), "x").value(), refreshed);
}

TEST(ContentIndex, WhateverElseIsRefused) {
  const auto good = index_text(sample());
  const auto with = [&](const std::string& old, const std::string& text) {
    auto changed = good;
    const auto at = changed.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return changed.replace(at, old.size(), text);
  };
  const auto digest = sha256("a");
  for (const auto& bad : {
           std::string(),
           std::string("\n"),
           good.substr(0, good.size() - 1),
           good + "\n",
           good + "x",
           good + "1 " + digest + "\n",
           with("index 1", "index 2"),
           with("image ", "image  "),
           with("dns", "../dns"),
           with("dns", "a/b"),
           with("2026-11-01T00:00:00.000Z", "yesterday"),
           with("file disk.qcow2", "file ../disk.qcow2"),
           with("file disk.qcow2", "file /etc/passwd"),
           with("file initrd", "file initrx"),
           with("file kernel 1", "file kernel 2"),
           with("file kernel 1", "file kernel 01"),
           with("file kernel 1", "file kernel 18446744073709551617"),
           with("file kernel 1", "file kernel 99999999999999999"),
           with("file disk.qcow2 12293", "file disk.qcow2 12292"),
           with("8192 " + digest, "8191 " + digest),
           with("8192 " + digest, "4294967296 " + digest),
           with("8192 " + digest, "1052672 " + digest),
           with("8192 " + digest, "0 " + digest + "\n8192 " + digest),
           with("8192 " + digest, "+8192 " + digest),
           with("8192 " + digest, "8192 " + digest + " "),
           with("8192 " + digest, "8192 ../../x"),
           with("file image.json 7 " + sha256("image.json"), "file image.json 7 " + digest),
       }) {
    const auto read = parse_index(bad, "x");
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().error_class, ErrorClass::configuration);
    EXPECT_THAT(read.error().message, HasSubstr("'x' is no index of an image: line "));
  }
}

}  // namespace
}  // namespace patchlab::lab::content
