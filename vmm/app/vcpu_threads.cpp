// SPDX-License-Identifier: BSD-3-Clause
// VcpuThreads: the run loop and its interruption by a signal.
#include "app/vcpu_threads.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

#include <fmt/format.h>

namespace vmm {
namespace {

// Only there to make GH_VCPU_RUN return: the handler does nothing.
int kick_signal() {
    return SIGRTMIN;
}

void install_kick_handler() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    action.sa_flags = 0; // no SA_RESTART: the ioctl must come back
    ::sigaction(kick_signal(), &action, nullptr);
}

// What one exit means for the run loop: nothing (go on), or the end.
struct ExitHandler {
    gunyah::Vcpu& vcpu;
    const MmioBus& bus;
    unsigned index;

    std::optional<Outcome> operator()(const gunyah::MmioRead& access) const {
        vcpu.complete_read(bus.read(access.address, access.size));
        return std::nullopt;
    }
    std::optional<Outcome> operator()(const gunyah::MmioWrite& access) const {
        bus.write(access.address, access.size, access.value);
        return std::nullopt;
    }
    std::optional<Outcome> operator()(const gunyah::VmStopped& stopped) const {
        return outcome_of(stopped);
    }
    std::optional<Outcome> operator()(gunyah::Interrupted /*exit*/) const { return std::nullopt; }
    std::optional<Outcome> operator()(gunyah::UnknownExit exit) const {
        if (exit.reason == 0) {
            return std::nullopt; // "no reason given": run it again
        }
        return Outcome{ExitStatus::crashed,
                       fmt::format("vCPU {} stopped for a reason this program does not know [{}]; "
                                   "use a VMM that fits the driver",
                                   index, exit.reason)};
    }
    std::optional<Outcome> operator()(const gunyah::RunFailed& failed) const {
        return outcome_of(failed, index);
    }
};

} // namespace

VcpuThreads::VcpuThreads(std::vector<gunyah::Vcpu>& vcpus, const MmioBus& bus,
                         std::function<void(Outcome)> ended, std::function<void()> thread_start)
    : vcpus_{vcpus}, bus_{bus}, ended_{std::move(ended)}, thread_start_{std::move(thread_start)} {
    install_kick_handler();
    for (unsigned index = 0; index < vcpus_.size(); ++index) {
        threads_.emplace_back([this, index] { run(index); });
        ::pthread_setname_np(threads_.back().native_handle(), fmt::format("vcpu{}", index).c_str());
    }
}

VcpuThreads::~VcpuThreads() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        interrupt_all();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void VcpuThreads::pause() {
    const std::scoped_lock lock{mutex_};
    paused_ = true;
    interrupt_all();
}

void VcpuThreads::resume() {
    {
        const std::scoped_lock lock{mutex_};
        paused_ = false;
        attention_ = stopping_;
    }
    changed_.notify_all();
}

// With the lock held, the flags first, then the requests, then the signals: a thread on its way
// into the driver sees its request.
void VcpuThreads::interrupt_all() {
    attention_ = true;
    for (std::size_t index = 0; index < threads_.size(); ++index) {
        vcpus_[index].request_exit();
        ::pthread_kill(threads_[index].native_handle(), kick_signal());
    }
}

bool VcpuThreads::park(gunyah::Vcpu& vcpu) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !paused_ || stopping_; });
    vcpu.forget_exit_request();
    return !stopping_;
}

void VcpuThreads::run(unsigned index) {
    thread_start_();
    const ExitHandler handle{vcpus_[index], bus_, index};
    for (;;) {
        if (attention_ && !park(vcpus_[index])) {
            return;
        }
        if (auto outcome = std::visit(handle, vcpus_[index].run()); outcome) {
            ended_(std::move(*outcome));
            return;
        }
    }
}

} // namespace vmm
