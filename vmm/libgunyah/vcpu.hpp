// SPDX-License-Identifier: BSD-3-Clause
// Vcpu: one virtual CPU and the page through which it tells why it stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>

#include "libgunyah/file_descriptor.hpp"
#include "libgunyah/function_binding.hpp"

struct gh_vcpu_run;

namespace gunyah {

// The guest reads `size` (1, 2, 4 or 8) bytes at `address`: answer with Vcpu::complete_read().
struct MmioRead {
    std::uint64_t address;
    unsigned size;
};
// The guest wrote the low `size` bytes of `value`; the rest is zero.
struct MmioWrite {
    std::uint64_t address;
    unsigned size;
    std::uint64_t value;
};

// How a VM can end (gh_vm_exit_info.type; numbers of the Resource Manager's VM_EXITED).
enum class ExitType : std::uint16_t {
    vm_exit = 0,
    power_off = 1,
    reset = 2,
    reset2 = 3, // PSCI SYSTEM_RESET2
    watchdog_bite = 4,
    software_error = 5,
    hardware_error = 6,
    forced_stop = 7,
};

// The VM does not run any more (gh_vcpu_run.status).
struct VmStopped {
    enum class Status : std::uint32_t { load_failed = 1, exited = 2, crashed = 3 };
    Status status;
    ExitType type;
    std::uint64_t reason; // first 8 reason bytes, little-endian; 0 if there are none
};
// A signal or request_exit() ended the run.
struct Interrupted {};
// The driver reported something this library cannot act upon.
struct UnknownExit {
    std::uint32_t reason; // exit reason, or MMIO length, as the driver wrote it
};
// GH_VCPU_RUN failed.
struct RunFailed {
    int error_number;
};

using VcpuExit = std::variant<MmioRead, MmioWrite, VmStopped, Interrupted, UnknownExit, RunFailed>;

// Reads a run page that the driver has filled.
VcpuExit decode_exit(const gh_vcpu_run& page);

// Made by Vm::add_vcpu(). One thread runs it; request_exit() may come from any thread.
class Vcpu {
public:
    // Runs until the guest needs user space. Before Vm::start() this is RunFailed{ENODEV}.
    VcpuExit run();
    // Answers the MmioRead that the last run() returned; bytes beyond its size are ignored.
    void complete_read(std::uint64_t value);
    // Makes this and every later run() return Interrupted at once. A run() that is already in the
    // driver needs a signal to its thread as well.
    void request_exit();
    // Takes request_exit() back. Not while another thread may request one.
    void forget_exit_request();

private:
    friend class Vm;
    Vcpu(const VmHandle& vm, std::uint32_t id); // Throws Error.

    struct UnmapPage {
        void operator()(gh_vcpu_run* page) const;
    };

    FunctionBinding binding_;
    FileDescriptor fd_;
    std::unique_ptr<gh_vcpu_run, UnmapPage> page_;
};

} // namespace gunyah
