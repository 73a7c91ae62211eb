// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libsmbclient.h>

#include "lab/core/result.hpp"

namespace patchlab::checks::smb {

// The functions of libsmbclient that we use, by their names without "smbc_".
#define PATCHLAB_SMBC_FUNCTIONS(each)                                                                          \
  each(new_context) each(init_context) each(free_context) each(getOptionUserData) each(setOptionUserData)      \
      each(setFunctionAuthDataWithContext) each(setTimeout) each(setOptionUseKerberos)                         \
          each(setOptionFallbackAfterKerberos) each(setOptionUseCCache) each(setOptionNoAutoAnonymousLogin)    \
              each(setOptionDebugToStderr) each(setDebug) each(getFunctionOpendir) each(getFunctionReaddir)    \
                  each(getFunctionClosedir) each(getFunctionOpen) each(getFunctionRead) each(getFunctionWrite) \
                      each(getFunctionClose) each(getFunctionRename) each(getFunctionUnlink)                   \
                          each(setOptionOpenShareMode) each(setConfiguration)

// libsmbclient, loaded by the first check of a process that needs it, and never unloaded: it brings a hundred other
// libraries along, which were half of the time that each start of patchlab took.
struct Library {
#define PATCHLAB_SMBC_MEMBER(name) decltype(&::smbc_##name) name = nullptr;
  PATCHLAB_SMBC_FUNCTIONS(PATCHLAB_SMBC_MEMBER)
#undef PATCHLAB_SMBC_MEMBER

  // The same one for all of the process, from any thread. Infrastructure errors name what is missing and its package.
  static const Result<Library>& get();
};

}  // namespace patchlab::checks::smb
