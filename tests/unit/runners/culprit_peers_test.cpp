// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_peers.hpp"

#include <gmock/gmock.h>

#include "snapshots/tree/snapshot_tree.hpp"

// Those that are measured beside the search are right where they claim to be: a comparison with a broken one says
// nothing.
namespace patchlab::runners::tests {
namespace {

const WorldKind& kind_of(const std::string& name) { return *std::ranges::find(world_kinds(), name, &WorldKind::name); }

struct Model {
  std::string peer;
  std::vector<std::string> kinds;  // worlds in which it is always right
};

class Peers : public ::testing::TestWithParam<Model> {};

TEST_P(Peers, AreRightInTheirOwnModel) {
  const auto peer = std::ranges::find(peers(), GetParam().peer, &Peer::name);
  ASSERT_NE(peer, peers().end());
  for (const auto& name : GetParam().kinds) {
    const auto& kind = kind_of(name);
    for (const std::size_t count : {5U, 8U, 13U, 32U}) {
      for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        Random random(seed);
        const auto world = kind.make(random, count);
        SimulatedLab lab(world, {}, seed);
        const auto run = simulate(*peer, lab, kind.culprits);
        ASSERT_EQ(run.named, truth(world)) << name << " of " << count << ", seed " << seed;
        ASSERT_EQ(run.ending, Ending::correct) << name << " of " << count << ", seed " << seed;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Peers,
                         ::testing::Values(Model{"one by one", {"one", "two", "three", "four"}},
                                           Model{"leave one out", {"one", "pair", "triple", "chains"}},
                                           Model{"halving of merge queues", {"one", "two", "three", "four"}},
                                           Model{"ddmin", {"one", "two", "pair", "triple"}},
                                           Model{"minimising of syzkaller", {"one", "two", "pair", "triple"}},
                                           Model{"binary splitting (Hwang)", {"one", "two", "three", "four"}},
                                           Model{"Bayesian bisection", {"one"}}));

TEST(PeersTest, EachOneIsTested) { EXPECT_EQ(peers().size(), 7U); }

TEST(Peers, StayWithinTheirBounds) {
  const auto trials = [](const std::string& name, const std::string& what) {
    std::size_t most = 0;
    const auto& peer = *std::ranges::find(peers(), name, &Peer::name);
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      Random random(seed);
      const auto world = kind_of(what).make(random, 32);
      SimulatedLab lab(world, {}, seed);
      most = std::max(most, simulate(peer, lab, kind_of(what).culprits).search);
    }
    return most;
  };
  EXPECT_EQ(trials("one by one", "one"), 32U);
  EXPECT_EQ(trials("leave one out", "one"), 32U);
  EXPECT_LE(trials("halving of merge queues", "one"), 10U) << "two for each doubling";
  EXPECT_LE(trials("binary splitting (Hwang)", "one"), 6U) << "log2 of 32, and one";
  EXPECT_LE(trials("binary splitting (Hwang)", "two"), 11U) << "log2 of 32 over 2, rounded up, and d - 1";
}

// The costs are modelled after the states that a real cell keeps.
TEST(KeptStates, AreThoseThatASnapshotTreeKeeps) {
  Random random(5);
  KeptStates kept(6);
  snapshots::SnapshotTree tree(6);
  for (int trial = 0; trial < 300; ++trial) {
    CandidateSet set;
    snapshots::Prefix sequence;
    for (std::size_t i = 0; i < 10; ++i) {
      if (random() % 4 == 0) continue;
      set.push_back(i);
      sequence.push_back(std::to_string(i));
    }
    const auto start = tree.start_for(sequence);
    ASSERT_EQ(kept.applied(set), start.applied);
    ASSERT_EQ(kept.install(set), start.applied);
    for (auto length = start.applied + 1; length <= sequence.size(); ++length)
      (void)tree.add({sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(length)});
  }
}

TEST(SimulatedLab, PaysForWhatATrialDoes) {
  const World world{.candidates = independent(4), .groups = {{3}}, .repaired_by = {}, .shown = {}, .rates = {}};
  SimulatedLab lab(world, {}, 1);
  EXPECT_EQ(lab.batch().outcome, Outcome::fail);
  EXPECT_EQ(lab.seconds(), 0) << "every search begins after it";
  EXPECT_EQ(lab.run({0, 1}, TrialKind::search).outcome, Outcome::pass);
  EXPECT_EQ(lab.seconds(), 5 + 10 + 45 + 10) << "the batch left this state";
  EXPECT_EQ(lab.run({3}, TrialKind::confirm).outcome, Outcome::fail);
  EXPECT_EQ(lab.seconds(), 70 + 5 + 20 + 10) << "from nothing, up to the first failure";
  EXPECT_EQ(lab.run({1, 2}, TrialKind::final).outcome, Outcome::pass);
  EXPECT_EQ(lab.seconds(), 105 + 5 + 2 * 22 + 10 + 45 + 10);
}

}  // namespace
}  // namespace patchlab::runners::tests
