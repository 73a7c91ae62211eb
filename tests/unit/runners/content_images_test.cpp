// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/content_images.hpp"

#include <gmock/gmock.h>

#include "lab/content/publish.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;

TEST(ContentImages, AreWhatTheMachinesOfACellStartFrom) {
  const test::TemporaryFolder folder;
  const auto cache = folder.path() / "cache";
  const auto image = tests::put_image(cache, tests::noise(100'000, 1));
  const auto other = tests::put_image(cache, tests::noise(100'000, 2), "2026-12-01T00:00:00.000Z");
  cell::CellJob job;
  for (const auto* name : {"dns1", "mail", "dns2"}) job.machines.emplace_back().plan.name = name;
  const host::ImageContent content{{"https://images.lab", "/ca.pem"}, "/node/images"};
  const auto question = start_from_content(
      content, [&](const std::string& machine) -> const auto& { return machine == "mail" ? other : image; }, cache, {},
      job);
  ASSERT_TRUE(question) << question.error().message;
  const auto first = lab::content::publish(image, folder.path() / "content", {}).value().digest;
  const auto second = lab::content::publish(other, folder.path() / "content", {}).value().digest;
  EXPECT_THAT(question->digests, ElementsAre(first, second));
  EXPECT_EQ(job.machines[0].golden_disk, "/node/images/" + first + "/disk.qcow2");
  EXPECT_EQ(job.machines[1].kernel, "/node/images/" + second + "/kernel");
  EXPECT_EQ(job.machines[2].initrd, "/node/images/" + first + "/initrd");

  const auto read = cell::place_question_from_json(Json(cell::PlaceQuestion{"/kernel", {"/a"}, *question})).content;
  ASSERT_TRUE(read);
  EXPECT_EQ(read->source, content.source);
  EXPECT_EQ(read->images, content.images);
  EXPECT_EQ(read->digests, question->digests);
  EXPECT_FALSE(cell::place_question_from_json(Json(cell::PlaceQuestion{"/kernel", {"/a"}})).content);
}

}  // namespace
}  // namespace patchlab::runners
