// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libvirt/libvirt.h>

#include <cstdlib>
#include <memory>

// Move-only owners of libvirt objects, the size of a pointer. Raw vir*Ptr never leave this folder.
namespace patchlab::lab::libvirt {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    static_cast<void>(Free(object));
  }
};

using Connection = std::unique_ptr<virConnect, FreeWith<&virConnectClose>>;
using Domain = std::unique_ptr<virDomain, FreeWith<&virDomainFree>>;
using Network = std::unique_ptr<virNetwork, FreeWith<&virNetworkFree>>;
using Snapshot = std::unique_ptr<virDomainSnapshot, FreeWith<&virDomainSnapshotFree>>;
using Statistics = std::unique_ptr<virDomainStatsRecordPtr, FreeWith<&virDomainStatsRecordListFree>>;
// The texts that libvirt asks us to free.
using Text = std::unique_ptr<char, FreeWith<&std::free>>;

static_assert(sizeof(Domain) == sizeof(virDomainPtr));

}  // namespace patchlab::lab::libvirt
