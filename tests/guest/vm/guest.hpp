// SPDX-License-Identifier: BSD-3-Clause
// A small VM that this program creates through the Resource Manager and runs by vcpu_run.
#pragma once

#include "calls/hypercall.hpp"
#include "check/check.hpp"
#include "rm/rpc.hpp"
#include "vm/guest_tree.hpp"
#include "vm/mailbox.hpp"

#include <abi/rm_rpc.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace test {

/// Why vcpu_run returned.
struct VcpuExit {
    std::uint64_t state; // GH_VCPU_STATE_*
    std::uint64_t data[3];
};

/// How the VM's memory lies in ours.
enum class MemoryLayout { contiguous, scattered };
enum class MemoryTransfer { share, lend };

/// One VM at a time, with its own piece of our memory. Functions fail the check when something is
/// not as it must be.
class Guest {
public:
    /// `memory`: of guest_ram_size bytes, page-aligned.
    constexpr explicit Guest(std::span<std::byte> memory) : arena_(memory) {}

    /// Another program than vm/program, and how its vCPUs are scheduled: `affinity` as in the
    /// device tree. Of those that are not "proxy" we get no capability. `affinity_map`: empty for
    /// RM's choice. `feature` as in vcpus/features, null: none.
    void use(std::span<const std::byte> program, const char* affinity,
             std::span<const std::uint32_t> affinity_map, const char* feature = nullptr);

    /// Rids the machine of what an earlier check left over, and starts anew: nothing is allocated.
    void begin();

    // The steps of creation, in their order.
    void allocate();
    void fill_memory(const GuestTreeOptions& options);
    void transfer(MemoryLayout layout, MemoryTransfer kind);
    void configure_image();
    void initialise();
    void read_resources();
    void start();
    /// All of them.
    void create(MemoryLayout layout = MemoryLayout::scattered,
                MemoryTransfer kind = MemoryTransfer::share);
    /// create(), and vCPU 0 has signalled that it runs.
    void create_and_boot(MemoryLayout layout = MemoryLayout::scattered,
                         MemoryTransfer kind = MemoryTransfer::share);

    // Running.
    /// One vcpu_run call.
    HypercallResult run_once(unsigned vcpu, std::uint64_t resume = 0);
    /// Until the vCPU wants something: neither READY nor BLOCKED.
    VcpuExit run(unsigned vcpu, std::uint64_t resume = 0, std::uint64_t ms = 3000);
    /// Runs it to its signal; any other exit fails.
    void run_to_signal(unsigned vcpu, std::uint64_t resume = 0);
    /// Gives it an operation, to be done when it runs next; it must be at its signal.
    void prepare(unsigned vcpu, Operation operation,
                 std::initializer_list<std::uint64_t> arguments = {});
    /// prepare, run_to_signal; the results are in mailbox(vcpu).
    Mailbox& execute(unsigned vcpu, Operation operation,
                     std::initializer_list<std::uint64_t> arguments = {});
    /// Coherent with what the program sees: the page is cleaned and invalidated.
    Mailbox& mailbox(unsigned vcpu);
    void ring(std::uint64_t flags = 1);
    /// By our extension: the vCPUs, as bits, that we are to run now.
    std::uint64_t ring_and_tell();

    // Ending.
    void stop();
    void reset();
    void reclaim();
    void deallocate();
    /// Waits for VM_EXITED and checks who and how.
    void expect_exited(unsigned exit_type);
    /// From EXITED to nothing.
    void tear_down();
    /// The whole way to a VM whose vCPUs have `feature`, of scattered shared memory; its first vCPU
    /// has run to its first signal.
    void create_with(const char* feature);
    /// Ends the running VM as a VMM does, from VM_STOP to nothing left.
    void finish();

    /// Our memory behind an offset in the VM's; contiguous up to the end of the page.
    std::byte* memory(std::uint64_t offset);
    std::span<const std::byte> vmid_payload();

    [[nodiscard]] std::uint16_t vmid() const { return vmid_; }
    [[nodiscard]] std::uint32_t parcel() const { return parcel_; }
    [[nodiscard]] std::uint64_t vcpu_cap(unsigned vcpu) const { return vcpu_cap_[vcpu]; }
    [[nodiscard]] std::uint32_t wakeup_irq(unsigned vcpu) const { return wakeup_irq_[vcpu]; }
    [[nodiscard]] std::uint64_t bell_cap() const { return bell_cap_; }

private:
    void write_memory(std::uint64_t offset, std::span<const std::byte> data);
    void clean_memory();
    void read_resource(PayloadReader& entry);

    std::uint16_t vmid_ = 0; // 0: none
    std::uint32_t parcel_ = 0;
    bool has_parcel_ = false;
    MemoryLayout layout_ = MemoryLayout::scattered;
    std::array<std::uint64_t, guest_cpus> vcpu_cap_{};
    std::array<std::uint32_t, guest_cpus> wakeup_irq_{};
    std::uint64_t bell_cap_ = 0;
    PayloadWriter request_;
    std::span<std::byte> arena_;
    std::span<const std::byte> program_; // empty: vm/program
    GuestTreeOptions options_{.base_address = guest_ram_base, .cpus = guest_cpus};
};

Guest& guest();

/// vcpu_run returned with this GH_VCPU_STATE_*.
void expect_state(const VcpuExit& exit, std::uint64_t state);

} // namespace test
