// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/marks.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/libvirt/domain_xml.hpp"

namespace patchlab::lab::libvirt {
namespace {
constexpr const char* mark_namespace = "urn:patchlab:lab:1";
}  // namespace

std::string Mark::object_name() const {
  return machine.empty() ? fmt::format("patchlab-{}-{}", run, cell)
                         : fmt::format("patchlab-{}-{}-{}", run, cell, machine);
}

Result<void> check_mark(const Mark& mark) {
  PATCHLAB_TRY(check_name("run id", mark.run));
  PATCHLAB_TRY(check_name("cell name", mark.cell));
  if (!mark.machine.empty()) PATCHLAB_TRY(check_name("machine name", mark.machine));
  if (mark.folder.is_absolute() && mark.folder == mark.folder.lexically_normal()) return {};
  return configuration_error(
      fmt::format("'{}' cannot hold a cell: needed is an absolute path without '.' and '..'", mark.folder.string()));
}

void write_mark(XmlNode root, const Mark& mark) {
  root.remove_children("metadata");
  auto lab = root.add("metadata").add_foreign("lab", "patchlab", mark_namespace);
  lab.set_attribute("run", mark.run);
  lab.set_attribute("cell", mark.cell);
  if (!mark.machine.empty()) lab.set_attribute("machine", mark.machine);
  lab.set_attribute("folder", mark.folder.native());
}

std::optional<Mark> mark_of(XmlNode root) {
  for (const auto& lab : root.child("metadata").children("lab")) {
    if (lab.namespace_uri() != mark_namespace) continue;
    Mark mark{lab.attribute("run"), lab.attribute("cell"), lab.attribute("machine"), lab.attribute("folder")};
    if (check_mark(mark) && root.child("name").text() == mark.object_name()) return mark;
  }
  return std::nullopt;
}

std::string uuid_of(const std::string& name) {
  auto digits = sha256(name).substr(0, 32);
  digits[12] = '8';  // version
  digits[16] = 'a';  // variant
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) digits.insert(dash, "-");
  return digits;
}

}  // namespace patchlab::lab::libvirt
