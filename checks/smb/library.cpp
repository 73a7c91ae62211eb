// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace patchlab::checks::smb {
namespace {

constexpr const char* soname = "libsmbclient.so.0";

Error missing() {
  const char* why = ::dlerror();
  return infrastructure_error(fmt::format("loading '{}': {}", soname, why != nullptr ? why : "unknown trouble"),
                              "apt-get install libsmbclient");
}

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));  // POSIX: dlsym's pointers may be to functions
  return function != nullptr;
}

Result<Library> load() {
  auto* loaded = ::dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
  if (loaded == nullptr) return missing();
  Library library;
#define PATCHLAB_SMBC_FIND(name) \
  if (!find(loaded, "smbc_" #name, library.name)) return missing();
  PATCHLAB_SMBC_FUNCTIONS(PATCHLAB_SMBC_FIND)
#undef PATCHLAB_SMBC_FIND
  return library;
}

}  // namespace

const Result<Library>& Library::get() {
  static const auto library = load();
  return library;
}

}  // namespace patchlab::checks::smb
