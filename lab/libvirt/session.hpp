// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lab/libvirt/event_loop.hpp"
#include "lab/libvirt/handles.hpp"

namespace patchlab::lab::libvirt {

// An open libvirt connection and the event loop it needs. Safe for several threads, as libvirt's connections are;
// closed with its last owner.
class Session {
 public:
  enum class Access { full, read_only };
  [[nodiscard]] static Result<std::shared_ptr<Session>> open(const std::string& uri, Access access = Access::full);
  [[nodiscard]] virConnectPtr connection() const { return connection_.get(); }
  [[nodiscard]] bool is_test_driver() const { return is_test_driver_; }
  // For virDomainUndefineFlags: what goes with a domain. Saved states, the metadata of its snapshots, and its firmware
  // variables.
  [[nodiscard]] unsigned undefine_flags() const {
    const unsigned always = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    return is_test_driver_ ? always
                           : always | VIR_DOMAIN_UNDEFINE_NVRAM;  // the test driver refuses what it does not know
  }

 private:
  Session() = default;
  std::unique_ptr<EventLoop> loop_;  // before the connection: it outlives it
  Connection connection_;
  bool is_test_driver_ = false;
};

}  // namespace patchlab::lab::libvirt
