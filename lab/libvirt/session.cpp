// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/session.hpp"

#include <fmt/format.h>

#include "lab/libvirt/error.hpp"

namespace patchlab::lab::libvirt {

Result<std::shared_ptr<Session>> Session::open(const std::string& uri, Access access) {
  silence_libvirt();
  std::shared_ptr<Session> session(new Session);
  PATCHLAB_ASSIGN(session->loop_, EventLoop::start());
  session->connection_.reset(access == Access::full ? virConnectOpen(uri.c_str())
                                                    : virConnectOpenReadOnly(uri.c_str()));
  if (!session->connection_) {
    auto error = last_error(fmt::format("opening libvirt connection '{}'", uri));
    error.hint = fmt::format("libvirt's daemon must run and let this user in: 'virsh{} -c {} list --all' shows it",
                             access == Access::full ? "" : " --readonly", uri);
    return error;
  }
  const char* type = virConnectGetType(session->connection());
  session->is_test_driver_ = type != nullptr && std::string_view(type) == "TEST";
  return session;
}

}  // namespace patchlab::lab::libvirt
