// SPDX-License-Identifier: BSD-3-Clause
// ControlTarget: what the control socket can do with a running VM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgunyah/file_descriptor.hpp"
#include "virtio/console_control.hpp"

namespace vmm {

struct DeviceCounts {
    std::string name;
    std::uint64_t requests;   // chains that the device took
    std::uint64_t kicks;      // notifications by the guest
    std::uint64_t interrupts; // notifications of the guest
};

struct ConsoleInfo {
    std::string name;  // empty: a console of the guest
    std::string place; // what to open or connect to; empty: only gunyah console reaches it
};

struct VmInfo {
    std::string name;
    int process;
    std::string state;  // "running" or "paused"
    std::string config; // as --print-config shows it
    std::vector<ConsoleInfo> consoles;
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
    // The console of this number or name.
    [[nodiscard]] virtual std::optional<unsigned> find_console(std::string_view which) const = 0;
    // From now on the socket, which does not block, is a terminal of the console; `typed` came
    // already.
    virtual void attach_console(unsigned console, gunyah::FileDescriptor socket,
                                std::string_view typed) = 0;
    virtual void resize_console(unsigned console, ConsoleSize size) = 0;
};

} // namespace vmm
