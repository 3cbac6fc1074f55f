// SPDX-License-Identifier: BSD-3-Clause
// VcpuThreads: one host thread per vCPU, from the guest's start to its end.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "app/outcome.hpp"
#include "devices/mmio_bus.hpp"
#include "libgunyah/vcpu.hpp"

namespace vmm {

// Stops and joins all threads when destroyed.
class VcpuThreads {
public:
    // `ended` is called on a vCPU's thread, once per vCPU that sees the end of the guest. The bus
    // and the vCPUs outlive this object.
    VcpuThreads(std::vector<gunyah::Vcpu>& vcpus, const MmioBus& bus,
                std::function<void(Outcome)> ended);
    VcpuThreads(const VcpuThreads&) = delete;
    VcpuThreads& operator=(const VcpuThreads&) = delete;
    ~VcpuThreads();

private:
    void run(unsigned index);

    std::vector<gunyah::Vcpu>& vcpus_;
    const MmioBus& bus_;
    std::function<void(Outcome)> ended_;
    std::atomic<bool> stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace vmm
