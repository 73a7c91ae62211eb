// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/hypervisor.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/libvirt/golden_domain.hpp"
#include "lab/libvirt/host_ticks.hpp"
#include "lab/network/address.hpp"
#include "lab/network/namespace.hpp"

namespace patchlab::test {

// A clone of a stand-in image for the cell of the calling worker, off; its disk is made in `folder`.
inline Result<lab::MachineSpec> clone_of(const lab::image::GoldenImage& image, const std::string& name,
                                         lab::network::Ipv4 address, const std::string& tap,
                                         const std::filesystem::path& folder) {
  lab::MachineSpec spec;
  spec.name = name;
  spec.uuid = "9f1c7f0e-6d3c-4a55-8a57-2f2f3d7c1a01";
  spec.disk = folder / "disk.qcow2";
  PATCHLAB_TRY(
      run_for_output(host_processes(), lab::libvirt::overlay_process({"vda", image.disk, "qcow2", spec.disk})));
  spec.kernel = image.kernel;
  spec.initrd = image.initrd;
  spec.kernel_arguments = image.cmdline + " " + lab::image::machine_words(address.text(), 24, "10.20.0.1", name);
  spec.memory_mib = static_cast<std::uint32_t>(image.memory_mib);
  spec.tsc_mhz = lab::libvirt::host_tsc_mhz();
  spec.nics = {{lab::network::MacAddress::of_lab_machine(address).text(), tap}};
  spec.log = std::filesystem::path(lab::network::cell_folder_inside) / "console.log";
  return spec;
}

}  // namespace patchlab::test
