// SPDX-License-Identifier: BSD-3-Clause
// The real hypervisor behind rm::Hypervisor, and RM's console on it.
#pragma once

#include "calls/hypervisor.hpp"

#include <runtime/print.hpp>

namespace rm {

class HvcHypervisor final : public Hypervisor {
public:
    // Without a way through memory.
    rt::Result<> msgqueue_send(CapId queue, std::span<const std::byte> message, bool push) override;
    rt::Result<ReceivedMessage> msgqueue_receive(CapId queue, std::span<std::byte> buffer) override;

protected:
    Outcome hypercall(unsigned number, const Arguments& arguments) override;
};

/// Writes to the hypervisor's console in pieces of 32 bytes.
class HypervisorConsole final : public rt::Sink {
public:
    HypervisorConsole(Hypervisor& hypervisor, CapId partition)
        : hypervisor_(hypervisor), partition_(partition) {}
    void write(std::string_view text) override;

private:
    Hypervisor& hypervisor_;
    CapId partition_;
};

} // namespace rm
