// SPDX-License-Identifier: BSD-3-Clause
// DeviceDriver: the fuzzer as a guest's driver of one device, and as the device's host.
#pragma once

#include <functional>

#include "fuzz/fuzz_input.hpp"
#include "virtio/device.hpp"

namespace vmm::fuzz {

// What the host side of the device does with some bytes of input.
using HostSide = std::function<void(FuzzInput&)>;

// Lets the input write rings, descriptors and buffers in 64 KiB of guest memory, offer chains on
// any queue, and have the device process them. Aborts if a device takes more than a queue's length
// of chains in one turn; the sanitizers see every access outside memory.
void drive(VirtioDevice& device, FuzzInput& input, const HostSide& host = {});

} // namespace vmm::fuzz
