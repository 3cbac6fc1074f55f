// SPDX-License-Identifier: BSD-3-Clause
// VcpuThreads: one host thread per vCPU, from the guest's start to its end.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "app/outcome.hpp"
#include "devices/mmio_bus.hpp"
#include "libgunyah/vcpu.hpp"

namespace vmm {

// Stops and joins all threads when destroyed. Each thread:
//
//     running <--resume()-- --pause()--> parked        stopping, from either: the thread ends
//
// A thread leaves the driver for both by its exit request and a signal.
class VcpuThreads {
public:
    // `ended` is called on a vCPU's thread, once per vCPU that sees the end of the guest. The bus
    // and the vCPUs outlive this object.
    // `thread_start` is what each thread does first.
    VcpuThreads(
        std::vector<gunyah::Vcpu>& vcpus, const MmioBus& bus, std::function<void(Outcome)> ended,
        std::function<void()> thread_start = [] {});
    VcpuThreads(const VcpuThreads&) = delete;
    VcpuThreads& operator=(const VcpuThreads&) = delete;
    ~VcpuThreads();

    // No vCPU runs any more, or all do again. Any thread; takes effect at once, and twice is once.
    void pause();
    void resume();

private:
    void run(unsigned index);
    // Waits while the VM is paused; false: the thread must end.
    bool park(gunyah::Vcpu& vcpu);
    void interrupt_all();

    std::vector<gunyah::Vcpu>& vcpus_;
    const MmioBus& bus_;
    std::function<void(Outcome)> ended_;
    std::function<void()> thread_start_;
    std::mutex mutex_; // guards paused_, stopping_ and every exit request
    std::condition_variable changed_;
    bool paused_ = false;
    bool stopping_ = false;
    // paused_ or stopping_: what a thread looks at between two exits, without the lock.
    std::atomic<bool> attention_ = false;
    std::vector<std::thread> threads_;
};

} // namespace vmm
