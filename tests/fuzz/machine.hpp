// SPDX-License-Identifier: BSD-3-Clause
// Machine: the hypervisor's core on the pretended hardware, with three VMs of different rights on
// two CPUs, and what must be left of it once they are gone.
#pragma once

#include "interrupt/testing/machine_gic.hpp"
#include "vcpu/vcpu.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace fuzz {

using Word = std::uint64_t;

/// VM 0 has every right to everything, as the Resource Manager has. VM 1 is the primary VM: it has
/// what a driver needs, and its end is the machine's. VM 2 has the rights that the input chose, and
/// runs inside VM 1's vcpu_run. Each has two vCPUs; the second ones are off.
class Machine {
public:
    static constexpr unsigned cpus = 2;
    static constexpr std::size_t vms = 3;
    static constexpr Word memory_ipa = 0x8000'0000; // of each VM: 16 pages, the last one read-only
    static constexpr Word virtio_ipa = 0x8001'0000; // registers of the virtio-mmio device
    static constexpr Word distributor_ipa = 0x800'0000;
    static constexpr Word redistributor_ipa = 0x80a'0000; // of two vCPUs
    static constexpr Word vmmio_ipa = 0x900'0000;         // of VM 2: a page that VM 1 emulates
    static constexpr Word vmmio_size = 0x1000;

    explicit Machine(std::uint32_t rights_of_vm2);
    /// Ends every VM by deleting all that names it. Aborts if objects, capabilities, pages of the
    /// hypervisor's pool, stage-2 tables, or a page's owner or mapping are left over.
    ~Machine();
    Machine(const Machine&) = delete;

    /// Lets `cpu` come to where it enters a vCPU. That one; null if the CPU sleeps, or if the
    /// machine has ended.
    hyp::Vcpu* enter(unsigned cpu);
    /// The vCPU that `cpu` has entered makes hypercall `number`, its arguments in its registers.
    void hypercall(unsigned cpu, hyp::Vcpu&, unsigned number, std::span<const Word> arguments);
    /// Its exit to EL2 with this syndrome.
    void exit(unsigned cpu, hyp::Vcpu&, const hyp::arch::ExitSyndrome&);
    /// A physical interrupt that `cpu` takes at its next exit.
    static void interrupt(unsigned cpu, std::uint32_t intid);
    /// Time goes on, for all CPUs.
    static void pass(Word ticks);

    /// Names of capabilities, in whichever space: those given out at first, and what calls made.
    [[nodiscard]] const std::vector<Word>& names() const { return names_; }
    /// VM 1's name of VM 2's first vCPU.
    [[nodiscard]] Word guest_vcpu() const { return guest_vcpu_; }
    hyp::fake::MachineGic& gic() { return *gic_; }

private:
    struct Vm {
        hyp::Ref<hyp::Cspace> cspace;
        hyp::Ref<hyp::AddressSpace> memory;
        hyp::Ref<hyp::Vic> vic;
        hyp::Ref<hyp::VpmGroup> group;
        std::array<hyp::Ref<hyp::Vcpu>, 2> vcpus;
    };
    struct Counts {
        Word objects, capabilities, tables, pages;
        bool operator==(const Counts&) const = default;
    };
    static Counts counts();

    void make_memory();
    void make_vm(std::size_t index);
    void share_objects();
    void share_vms();
    Word give(std::size_t vm, const hyp::Ref<hyp::Object>&, std::uint32_t rights);
    void give_all(const hyp::Ref<hyp::Object>&, std::uint32_t rights_of_vm1);
    void note_new(hyp::Vcpu& caller, unsigned number);
    /// False if the CPU went to sleep, or the machine ended, before the end of `work`.
    template <typename Work>
    bool on(unsigned cpu, const Work& work);
    void empty_spaces();
    void end_vcpus();

    const std::uint32_t rights_of_vm2_;
    const Counts before_;
    std::unique_ptr<hyp::fake::MachineGic> gic_;
    std::array<Vm, vms> vms_;
    hyp::Ref<hyp::MemExtent> root_, device_page_;
    std::vector<hyp::Ref<hyp::Cspace>> spaces_; // all that were ever made: they may hold each other
    std::vector<Word> names_{0};
    Word guest_vcpu_ = 0;
    bool ended_ = false; // the primary VM has ended the machine
};

} // namespace fuzz
