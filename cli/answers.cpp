// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/answers.hpp"

#include <sstream>

namespace patchlab::cli {

Json image_build_json(const std::vector<lab::image::BuiltImage>& built) {
  Json images = Json::array();
  for (const auto& one : built) {
    images.push_back({{"name", one.image.name},
                      {"role", one.image.role},
                      {"digest", one.image.digest},
                      {"was_there", one.was_there},
                      {"took_ms", one.was_there ? 0 : one.took.count()}});
  }
  return {{"images", images}};
}

Json image_verify_json(const std::vector<VerifiedImage>& images) {
  Json all = Json::array();
  for (const auto& [image, problem] : images) {
    all.push_back({{"name", image.name},
                   {"digest", image.digest},
                   {"contents", image.contents},
                   {"intact", problem.empty()},
                   {"problem", problem}});
  }
  return {{"images", all}};
}

bool anything_applies(const runners::Plan& plan) {
  return std::ranges::any_of(plan.departments, [](const auto& department) {
    return department.controls > 0 || std::ranges::any_of(department.candidates, [](const auto& candidate) {
             return !candidate.installs.empty();
           });
  });
}

Json validate_json(const std::string& file, const runners::Plan& plan) {
  Json departments = Json::array();
  for (const auto& department : plan.departments) departments.push_back(department.cell.department);
  Json candidates = Json::array();
  for (const auto& candidate : plan.candidates) candidates.push_back(candidate.id);
  return {{"file", file},
          {"fine", true},
          {"problems", Json::array()},
          {"departments", departments},
          {"candidates", candidates},
          {"anything_applies", anything_applies(plan)},
          {"not_tested", plan.not_tested}};
}

Json validate_json(const std::string& file, const Error& error) {
  Json problems = Json::array();
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) problems.push_back(line);
  return {{"file", file}, {"fine", false}, {"problems", problems}};
}

}  // namespace patchlab::cli
