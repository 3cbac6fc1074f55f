// SPDX-License-Identifier: BSD-3-Clause
// Consoles: all consoles of one guest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.hpp"
#include "app/control_target.hpp"
#include "app/guest_devices.hpp"
#include "app/run_options.hpp"
#include "app/signal_descriptor.hpp"
#include "sandbox/leftover_remover.hpp"
#include "virtio/console_device.hpp"

namespace vmm {

// On the event loop, but for what consoles print.
class Consoles {
public:
    // Opens them; `remover` learns of their sockets. `stop` is called when the user types Ctrl-A X.
    // Make it before the first thread. Throws gunyah::Error.
    Consoles(const std::vector<ConsoleOption>& options, LeftoverRemover& remover, EventLoop& loop,
             const std::function<void()>& stop);
    Consoles(const Consoles&) = delete;
    Consoles& operator=(const Consoles&) = delete;

    // The first one: what the PL011 prints to, and notes for the user.
    [[nodiscard]] Console& first() { return *consoles_.front(); }
    [[nodiscard]] std::vector<ConsolePortSettings> ports();
    // Starts the threads that hand output out, each with `thread_start`. `devices` outlives the
    // loop's run.
    void connect(GuestDevices& devices, const std::string& command_line,
                 const ConsoleOutput::ThreadStart& thread_start);
    // The guest is being stopped: nobody may wait for output any more.
    void stop_waiting();

    [[nodiscard]] std::vector<ConsoleInfo> info() const;
    [[nodiscard]] std::optional<unsigned> find(std::string_view which) const;
    [[nodiscard]] Console& at(unsigned number) { return *consoles_[number]; }

private:
    EventLoop& loop_;
    SignalDescriptor resized_;
    std::vector<std::unique_ptr<Console>> consoles_;
};

} // namespace vmm
