// SPDX-License-Identifier: BSD-3-Clause
// Consoles: opened from options, wired to the ports of the virtio console.
#include "app/consoles.hpp"

#include <csignal>

namespace vmm {

Consoles::Consoles(const std::vector<ConsoleOption>& options, LeftoverRemover& remover,
                   EventLoop& loop, const std::function<void()>& stop)
    : loop_{loop}, resized_{SIGWINCH} {
    for (const ConsoleOption& option : options) {
        consoles_.push_back(std::make_unique<Console>(ConsoleEndpoint::open(option), loop, stop));
        if (!option.socket.empty()) {
            remover.add(option.socket);
        }
    }
}

std::vector<ConsolePortSettings> Consoles::ports() {
    std::vector<ConsolePortSettings> result;
    for (const auto& console : consoles_) {
        result.push_back({.name = console->name(), .sink = console->sink()});
    }
    return result;
}

void Consoles::connect(GuestDevices& devices, const std::string& command_line,
                       const ConsoleOutput::ThreadStart& thread_start) {
    for (unsigned number = 0; number < consoles_.size(); ++number) {
        consoles_[number]->connect(
            {.port = devices.console_port(number, command_line),
             .resize = [&devices,
                        number](ConsoleSize size) { devices.resize_console(number, size); },
             .open = [&devices, number](bool open) { devices.open_console(number, open); },
             .drained = [&devices, number] { devices.continue_console(number); }},
            thread_start);
    }
    loop_.add(resized_.fd(), [this] {
        static_cast<void>(resized_.take());
        for (const auto& console : consoles_) {
            console->look_at_size();
        }
    });
}

void Consoles::stop_waiting() {
    for (const auto& console : consoles_) {
        console->stop_waiting();
    }
}

std::vector<ConsoleInfo> Consoles::info() const {
    std::vector<ConsoleInfo> result;
    for (const auto& console : consoles_) {
        result.push_back({.name = console->name(), .place = console->place()});
    }
    return result;
}

std::optional<unsigned> Consoles::find(std::string_view which) const {
    for (unsigned number = 0; number < consoles_.size(); ++number) {
        const std::string& name = consoles_[number]->name();
        if (which == std::to_string(number) || (!name.empty() && which == name)) {
            return number;
        }
    }
    return std::nullopt;
}

} // namespace vmm
