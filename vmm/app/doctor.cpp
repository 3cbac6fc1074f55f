// SPDX-License-Identifier: BSD-3-Clause
// The doctor: examine() asks the system, judge() turns answers into sentences.
#include "app/doctor.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "app/runtime_folder.hpp"
#include "libgunyah/device.hpp"
#include "machine/host_memory.hpp"
#include "machine/layout.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t smallest_useful_memory = std::uint64_t{64} << 20;

std::string content_of(const char* path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// Why `action` throws; empty if it does not.
template <typename Action>
std::string error_of(Action action) {
    try {
        action();
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

// Each of these is a module of its own, which the driver loads when it is asked for the first time.
void try_functions(gunyah::Vm& vm) {
    constexpr std::uint32_t label = 32;
    static_cast<void>(vm.add_vcpu(0));
    static_cast<void>(vm.add_irqfd(label, gunyah::IrqTrigger::edge));
    static_cast<void>(vm.add_ioeventfd(layout::virtio_base, sizeof(std::uint32_t), std::nullopt));
}

void try_vm(Findings& findings) {
    findings.vm_error = error_of([&] {
        gunyah::Vm vm = gunyah::Device::open().create_vm();
        findings.function_error = error_of([&] { try_functions(vm); });
    });
}

std::uint64_t lockable_memory() {
    rlimit limit{};
    const bool is_limited = ::geteuid() != 0 && ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
                            limit.rlim_max != RLIM_INFINITY;
    return is_limited ? limit.rlim_max : UINT64_MAX;
}

std::string socket_error() {
    // A name that no VM can have.
    const std::string path = control_path(fmt::format(".doctor-{}", ::getpid()));
    std::string error = error_of([&] { static_cast<void>(listen_at(path)); });
    ::unlink(path.c_str());
    return error;
}

Verdict judge_device(const Findings& findings) {
    if (findings.device_error.empty()) {
        return {true, "/dev/gunyah is there and can be opened"};
    }
    if (!findings.hypervisor_in_device_tree) {
        return {false, "this kernel does not run under Gunyah: its device tree has no /hypervisor "
                       "node for it; boot the hypervisor first, which starts this kernel"};
    }
    return {false, findings.device_error};
}

Verdict judge_memory(const Findings& findings) {
    const std::uint64_t available = findings.available_memory.value_or(UINT64_MAX);
    const std::uint64_t possible = std::min(available, findings.lockable_memory);
    if (possible >= smallest_useful_memory) {
        return {true, fmt::format("a guest may have up to {} MiB of memory", possible >> 20)};
    }
    if (findings.lockable_memory < available) {
        return {false, fmt::format("this user may lock only {} MiB; raise the limit (ulimit -l, or "
                                   "memlock in /etc/security/limits.conf), or run as root",
                                   findings.lockable_memory >> 20)};
    }
    return {false, fmt::format("only {} MiB of memory are free; stop a guest or another program",
                               available >> 20)};
}

// Never bad: a guest gets its memory from small pieces, too.
Verdict judge_pieces(std::uint64_t whole, std::uint64_t available) {
    if (whole >= available / 2) {
        return {true, fmt::format("{} MiB of it lie in pieces of 2 MiB and more", whole >> 20)};
    }
    return {
        true,
        fmt::format(
            "memory is fragmented: only {} MiB of it lie in pieces of 2 MiB and more; guests "
            "beyond "
            "that start more slowly, and take more memory of the hypervisor's for page tables; as "
            "root, `echo 1 >/proc/sys/vm/compact_memory` joins pieces",
            whole >> 20)};
}

} // namespace

Findings examine() {
    Findings findings;
    findings.hypervisor_in_device_tree =
        content_of("/proc/device-tree/hypervisor/compatible").find("gunyah") != std::string::npos;
    findings.device_error = error_of([] { static_cast<void>(gunyah::Device::open()); });
    if (findings.device_error.empty()) {
        try_vm(findings);
    }
    findings.available_memory = parse_available_memory(content_of("/proc/meminfo"));
    findings.whole_memory = parse_whole_memory(content_of("/proc/buddyinfo"));
    findings.lockable_memory = lockable_memory();
    findings.socket_error = socket_error();
    return findings;
}

std::vector<Verdict> judge(const Findings& findings) {
    std::vector<Verdict> verdicts{judge_device(findings)};
    if (verdicts.front().good) {
        verdicts.push_back(findings.vm_error.empty() ? Verdict{true, "the hypervisor creates VMs"}
                                                     : Verdict{false, findings.vm_error});
    }
    if (verdicts.back().good) {
        verdicts.push_back(findings.function_error.empty()
                               ? Verdict{true, "VMs have vCPUs, irqfds and ioeventfds"}
                               : Verdict{false, findings.function_error});
    }
    verdicts.push_back(judge_memory(findings));
    if (verdicts.back().good && findings.whole_memory && findings.available_memory) {
        verdicts.push_back(judge_pieces(*findings.whole_memory, *findings.available_memory));
    }
    verdicts.push_back(
        findings.socket_error.empty()
            ? Verdict{true, fmt::format("VMs can be controlled in {}", runtime_folder())}
            : Verdict{false, findings.socket_error});
    return verdicts;
}

int run_doctor() {
    bool all_good = true;
    for (const Verdict& verdict : judge(examine())) {
        fmt::print("{:<4} {}\n", verdict.good ? "ok" : "BAD", verdict.sentence);
        all_good = all_good && verdict.good;
    }
    fmt::print("{}\n", all_good ? "This machine can run VMs." : "This machine cannot run VMs yet.");
    return all_good ? 0 : 1;
}

} // namespace vmm
