// SPDX-License-Identifier: BSD-3-Clause
// ControlTarget: what the control socket can do with a running VM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmm {

struct DeviceCounts {
    std::string name;
    std::uint64_t requests;   // chains that the device took
    std::uint64_t kicks;      // notifications by the guest
    std::uint64_t interrupts; // notifications of the guest
};

struct VmInfo {
    std::string name;
    int process;
    std::string state;  // "running" or "paused"
    std::string config; // as --print-config shows it
};

// Called on the event loop's thread.
class ControlTarget {
public:
    virtual ~ControlTarget() = default;

    [[nodiscard]] virtual VmInfo info() const = 0;
    [[nodiscard]] virtual std::vector<DeviceCounts> device_counts() const = 0;
    // Asks the guest to shut down.
    virtual void press_power_button() = 0;
    // Ends the guest without asking.
    virtual void force_stop() = 0;
    // The vCPUs stop at once (the guest's clock goes on), or go on. Doing it twice is no error.
    virtual void pause() = 0;
    virtual void resume() = 0;
};

} // namespace vmm
