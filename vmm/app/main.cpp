// SPDX-License-Identifier: BSD-3-Clause
// gunyah: runs virtual machines on the Gunyah hypervisor.
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "app/control_command.hpp"
#include "app/options.hpp"
#include "app/run.hpp"

namespace {

int to_int(vmm::ExitStatus status) {
    return static_cast<int>(status);
}

int leave(const vmm::EarlyExit& early) {
    const bool wanted = early.status == vmm::ExitStatus::powered_off;
    fmt::print(wanted ? stdout : stderr, "{}", early.text);
    return to_int(early.status);
}

int run(const vmm::RunOptions& options) {
    const vmm::Outcome outcome = vmm::run_guest(options);
    fmt::print(stderr, "gunyah: {}\n", outcome.sentence);
    return to_int(outcome.status);
}

} // namespace

int main(int argc, char** argv) {
    try {
        const vmm::Request request = vmm::parse_options(argc, argv);
        if (const auto* early = std::get_if<vmm::EarlyExit>(&request); early != nullptr) {
            return leave(*early);
        }
        if (const auto* command = std::get_if<vmm::ControlCommand>(&request); command != nullptr) {
            return vmm::carry_out(*command);
        }
        return run(std::get<vmm::RunOptions>(request));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gunyah: %s\n", error.what());
        return to_int(vmm::ExitStatus::not_started);
    }
}
