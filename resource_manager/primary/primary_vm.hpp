// SPDX-License-Identifier: BSD-3-Clause
// The VM that runs the machine's main Linux: all RAM, all devices, one vCPU per physical CPU.
#pragma once

#include "device_tree/editor.hpp"
#include "device_tree/gic_node.hpp"
#include "memory/ram_map.hpp"
#include "memory/range_set.hpp"
#include "memory/window.hpp"
#include "primary/boot_modules.hpp"
#include "vm/guest_objects.hpp"

#include <abi/rm_boot.h>

namespace rm {

/// Created once, at boot, and never destroyed: when it ends, the hypervisor ends the machine.
/// Whatever goes wrong here is fatal and panics with a sentence.
class PrimaryVm {
public:
    PrimaryVm(const Root& root, LocalInterrupts& interrupts, const RamMap& ram, unsigned cpus,
              std::size_t hwirq_count);

    /// Makes the objects, maps RAM and devices, binds the interrupts. `dtb` is the board's tree.
    void create(const gh_rm_boot& boot, std::span<const std::uint64_t> hwirq_caps, const void* dtb);
    /// Checks the kernel, places the device tree, powers on vCPU 0.
    void start(const gh_rm_boot& boot, const void* dtb, Window& window);

    [[nodiscard]] CapId addrspace() const { return addrspace_.id(); }
    [[nodiscard]] PeerVm peer() {
        return {.cspace = cspace_.id(), .vic = vic_.id(), .virqs = virqs_};
    }
    // RM's ends of the message queues, and RM's interrupts for them.
    [[nodiscard]] CapId queue_to_vm() const { return to_vm_.queue.id(); }
    [[nodiscard]] CapId queue_from_vm() const { return from_vm_.queue.id(); }
    [[nodiscard]] std::uint32_t send_irq() const { return to_vm_.irq.number(); }
    [[nodiscard]] std::uint32_t receive_irq() const { return from_vm_.irq.number(); }

private:
    struct Queue {
        Capability queue;   // RM's
        Capability vm_copy; // in the VM's space
        LocalIrq irq;       // RM's end
        Virq vm_irq;        // the VM's end
    };
    /// What lies where in RAM before the VM runs.
    struct Layout {
        Range kernel;      // with its BSS
        Range kernel_file; // what the boot loader filled of it
        std::optional<Range> initrd;
        std::string_view bootargs;
        Range dtb; // where RM puts the tree
    };

    void create_spaces();
    void create_gic(const void* dtb);
    void create_vcpu(unsigned index);
    void create_queue(Queue& queue, bool vm_sends);
    void map_ram();
    void map_devices(const gh_rm_boot& boot, const void* dtb);
    void map_device(CapId device_extent, const Range& range);
    void bind_hwirqs(std::span<const std::uint64_t> hwirq_caps);
    Layout plan(const void* dtb, Window& window) const;
    Range check_kernel(const Range& module, Window& window) const;
    [[nodiscard]] RangeSet occupied(const void* dtb, const Layout& layout) const;
    Vector<std::byte> make_tree(const gh_rm_boot& boot, const void* dtb,
                                const Layout& layout) const;
    void store(std::span<const std::byte> bytes, std::uint64_t ipa, Window& window) const;
    void clean(const Range& range) const;

    const Root& root_;
    LocalInterrupts& interrupts_;
    const RamMap& ram_;
    unsigned cpus_;
    VirqAllocator virqs_; // SPIs above the hardware's
    Capability cspace_;
    Capability addrspace_;
    Capability vic_;
    Capability vpm_group_;
    Vector<Capability> vcpus_;
    Vector<Capability> devices_;
    Queue from_vm_;
    Queue to_vm_;
};

} // namespace rm
