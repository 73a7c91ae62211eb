// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/libvirt/ssh.hpp"
#include "lab/process/child.hpp"
#include "lab/process/process.hpp"
#include "runners/host/libvirt_host.hpp"

// A libvirt on another host, by ssh: patchlab itself runs there, as host agent (host_agent.hpp) and as cells. See
// docs/adr/0010-golden-domains-on-other-hosts.md.
namespace patchlab::runners::host {

// The host of a libvirt, whatever its URI names: this one, or another, with which a connection is made. `runner` must
// outlive it.
[[nodiscard]] Result<std::shared_ptr<LibvirtHost>> host_of_libvirt(const std::string& uri, ProcessRunner& runner);

// Whether ssh gets there without a question and finds this very version of patchlab. A configuration error says what is
// in the way and what to do; a host that cannot be reached is an infrastructure error.
[[nodiscard]] Result<void> check_patchlab_there(const lab::libvirt::SshDestination& destination, ProcessRunner& runner);

// Runs `patchlab <arguments>` there to its end, after that check; at most an hour.
[[nodiscard]] Result<ProcessOutcome> run_patchlab_there(const lab::libvirt::SshDestination& destination,
                                                        const std::vector<std::string>& arguments,
                                                        ProcessRunner& runner);

// By a host agent that runs already, as `child`: for host_of_libvirt, and for tests.
[[nodiscard]] std::shared_ptr<LibvirtHost> remote_host(const lab::libvirt::SshDestination& destination,
                                                       ChildProcess child);

}  // namespace patchlab::runners::host
