// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks {

// A kind of check that says once how its parameters are read, and then works with values.
template <class Parameters>
class CheckWith : public Check {
 public:
  void validate(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) const final {
    (void)parsed(json, pointer, problems);
  }
  // Parameters that validate() would not accept are an Error.
  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& json, Milliseconds deadline) const final {
    std::vector<JsonProblem> problems;
    const auto parameters = parsed(json, "", problems);
    if (!problems.empty()) return problems_error(kind(), problems);
    return observe_with(target, parameters, deadline);
  }
  [[nodiscard]] Judgement judge(const Json& json, const Observation& observation) const final {
    std::vector<JsonProblem> ignored;  // nothing was observed with parameters that are wrong
    return judge_with(parsed(json, "", ignored), observation);
  }

  [[nodiscard]] Result<Json> expecting(const Json& json, const Observation& observation) const final {
    std::vector<JsonProblem> ignored;
    auto expected = json;
    auto seen = observation;
    PATCHLAB_TRY(expect(parsed(json, "", ignored), seen, expected));
    return Check::expecting(expected, seen);
  }

 protected:
  // Reads all keys that there are; others are reported by the caller.
  [[nodiscard]] virtual Parameters read(JsonReader& reader) const = 0;
  // As Check::observe and Check::judge.
  [[nodiscard]] virtual Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                         Milliseconds deadline) const = 0;
  [[nodiscard]] virtual Judgement judge_with(const Parameters& parameters, const Observation& observation) const = 0;
  // As Check::expecting, writing into the parameters; what cannot be expected is taken out of the observation, too.
  // Whether they pass then is asked by the caller.
  [[nodiscard]] virtual Result<void> expect(const Parameters& /*parameters*/, Observation& /*observation*/,
                                            Json& /*json*/) const {
    return {};
  }

 private:
  [[nodiscard]] Parameters parsed(const Json& json, const std::string& pointer,
                                  std::vector<JsonProblem>& problems) const {
    JsonReader reader(json, pointer, problems);
    auto parameters = read(reader);
    reader.finish();
    return parameters;
  }
};

}  // namespace patchlab::checks
