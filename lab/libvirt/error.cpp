// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/error.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

namespace patchlab::lab::libvirt {
namespace {
void ignore(void*, virErrorPtr) {}

ErrorClass class_of(int code) {
  switch (code) {
    case VIR_ERR_AGENT_UNRESPONSIVE:
    case VIR_ERR_AGENT_UNSYNCED:
    case VIR_ERR_OPERATION_TIMEOUT: return ErrorClass::timeout;
    default: return ErrorClass::infrastructure;
  }
}
}  // namespace

void silence_libvirt() { virSetErrorFunc(nullptr, ignore); }

Error last_error(const std::string& action) {
  const auto* error = virGetLastError();
  if (error == nullptr || error->code == VIR_ERR_OK) return infrastructure_error(action + ": libvirt gave no reason");
  const char* words = error->message != nullptr ? error->message : "no message";
  return {class_of(error->code), fmt::format("{}: libvirt: {} ({})", action, words, error->code), {}};
}

int last_error_code() {
  const auto* error = virGetLastError();
  return error == nullptr ? 0 : error->code;
}

}  // namespace patchlab::lab::libvirt
