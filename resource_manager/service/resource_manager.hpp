// SPDX-License-Identifier: BSD-3-Clause
// The Resource Manager as a whole: everything it owns, and what it does when an interrupt comes.
#pragma once

#include "primary/primary_vm.hpp"
#include "service/request_service.hpp"

#include <abi/rm_boot.h>

#include <bitset>

namespace rm {

/// Single-threaded: main() calls boot() once, then on_interrupt() and work() in turn for ever.
class ResourceManager {
public:
    struct Machine {
        Hypervisor& hypervisor;
        LocalInterrupts& interrupts;
        // A range of RM's own IPAs for looking at other VMs' memory, and where RM's code sees it.
        std::uint64_t window_ipa;
        std::size_t window_size;
        std::byte* window_view;
    };

    /// Checks the boot data; panics with a sentence when it is not what RM was built for.
    ResourceManager(const gh_rm_boot& boot, const Machine& machine);
    ResourceManager(const ResourceManager&) = delete;
    ResourceManager& operator=(const ResourceManager&) = delete;

    /// Creates and starts the primary VM; panics with a sentence when that fails.
    void boot(const gh_rm_boot& boot, std::span<const std::uint64_t> hwirq_caps, const void* dtb);

    /// Notes that RM's interrupt `intid` came. Cheap.
    void on_interrupt(std::uint32_t intid);
    /// Handles everything that was noted. True when something is left that waits for the peer to
    /// take messages; its interrupt will come.
    bool work();

private:
    static RamMap read_ram(const gh_rm_boot& boot);

    Hypervisor& hypervisor_;
    LocalInterrupts& interrupts_;
    Root root_;
    RamMap ram_;
    Window window_;
    // Destroyed in reverse order: guests use parcels, means and the primary VM's interrupts.
    std::unique_ptr<PrimaryVm> primary_;
    std::unique_ptr<GuestMeans> means_;
    ParcelStore parcels_;
    VmManager vms_;
    std::unique_ptr<GuestBuilder> builder_;
    RequestService service_;
    std::unique_ptr<Channel> channel_;
    std::bitset<1020> noted_; // INTIDs
    bool any_noted_ = false;
};

} // namespace rm
