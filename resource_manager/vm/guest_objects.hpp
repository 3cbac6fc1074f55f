// SPDX-License-Identifier: BSD-3-Clause
// Everything of a guest that exists in the hypervisor; destroying it gives all of it back.
#pragma once

#include "calls/capability.hpp"
#include "memory/parcel.hpp"
#include "vm/guest_config.hpp"
#include "vm/guest_tree.hpp"
#include "vm/virq_allocator.hpp"

namespace rm {

/// The VM whose driver creates guests and runs their vCPUs.
struct PeerVm {
    CapId cspace;
    CapId vic;
    VirqAllocator& virqs; // free SPIs of its VIC
};

/// RM's own interrupts, by which it hears of halted vCPUs.
class LocalInterrupts {
public:
    /// From now on the edge-triggered SPI `intid` of RM's VIC is delivered, or no more.
    virtual void enable(std::uint32_t intid) = 0;
    virtual void disable(std::uint32_t intid) = 0;
    VirqAllocator& virqs() { return virqs_; }

protected:
    explicit LocalInterrupts(VirqAllocator& virqs) : virqs_(virqs) {}
    ~LocalInterrupts() = default;

private:
    VirqAllocator& virqs_;
};

/// An enabled interrupt of RM's, disabled and returned at destruction.
class LocalIrq {
public:
    LocalIrq() = default;
    LocalIrq(LocalInterrupts& interrupts, std::uint32_t number)
        : interrupts_(&interrupts), virq_(interrupts.virqs(), number) {
        interrupts.enable(number);
    }
    LocalIrq(LocalIrq&&) = default;
    LocalIrq& operator=(LocalIrq&& other) noexcept {
        if (this != &other) {
            disable();
            interrupts_ = other.interrupts_;
            virq_ = std::move(other.virq_);
        }
        return *this;
    }
    LocalIrq(const LocalIrq&) = delete;
    LocalIrq& operator=(const LocalIrq&) = delete;
    ~LocalIrq() { disable(); }
    [[nodiscard]] std::uint32_t number() const { return virq_.number(); }

private:
    void disable() {
        if (virq_.valid()) {
            interrupts_->disable(virq_.number());
        }
    }

    LocalInterrupts* interrupts_ = nullptr;
    Virq virq_;
};

struct GuestVcpu {
    LocalIrq halt;        // on RM's VIC
    Virq wakeup;          // on the peer's VIC; only if proxy scheduled
    Capability vcpu;      // RM's
    Capability peer_copy; // in the peer's space; only if proxy scheduled
};

struct GuestDoorbell {
    DoorbellConfig config; // its strings are gone after creation
    Capability doorbell;
    Capability guest_copy; // RECEIVE, in the guest's space
    Capability peer_copy;  // SEND, in the peer's space
};

/// What guests are made with.
struct GuestMeans {
    const Root& root;
    LocalInterrupts& interrupts;
    PeerVm peer;
    unsigned physical_cpus;
};

class GuestObjects {
public:
    /// `means` must outlive the object.
    explicit GuestObjects(const GuestMeans& means) : means_(means) {}
    GuestObjects(const GuestObjects&) = delete;
    GuestObjects& operator=(const GuestObjects&) = delete;
    /// Stops the vCPUs, unmaps the memory, then deletes every capability.
    ~GuestObjects();

    /// Creates all objects. After a failure what was created dies with this object.
    RmResult<> create(const Stage& stage, std::uint16_t vmid, const GuestConfig& config);
    /// Maps a parcel, with the access that it gives `vmid`, and marks it as used by that VM.
    RmResult<> map(const Stage& stage, std::uint16_t vmid, Parcel& parcel, std::uint64_t base);
    /// First vCPU on: entry point and x0.
    RmResult<> power_on(const Stage& stage, std::uint64_t entry, std::uint64_t context);
    /// Ends every vCPU; none runs again.
    void kill();

    [[nodiscard]] std::span<const GuestVcpu> vcpus() const { return vcpus_.span(); }
    [[nodiscard]] std::span<const GuestDoorbell> doorbells() const { return doorbells_.span(); }
    [[nodiscard]] bool proxy_scheduled() const { return proxy_scheduled_; }

private:
    RmResult<> create_spaces(const Stage& stage, std::uint16_t vmid, const GuestConfig& config);
    RmResult<> attach_gic(const Stage& stage, const GuestConfig& config);
    RmResult<> create_watchdog(const Stage& stage, const GuestConfig& config);
    RmResult<> create_vcpu(const Stage& stage, unsigned index, const GuestConfig& config);
    RmResult<> configure_vcpu(const Stage& stage, CapId vcpu, unsigned index,
                              const GuestConfig& config);
    RmResult<> attach_vcpu(const Stage& stage, CapId vcpu, unsigned index);
    RmResult<> bind_vcpu(const Stage& stage, GuestVcpu& vcpu);
    RmResult<> create_doorbell(const Stage& stage, const DoorbellConfig& config);
    void wait_until_gone();
    void unbind_vcpus();

    const GuestMeans& means_;
    bool proxy_scheduled_ = false;
    // Destroyed in reverse order: users before what they use.
    Capability cspace_;
    Capability addrspace_;
    Capability vic_;
    Capability vpm_group_;
    Capability watchdog_; // if its configuration asks for one
    Vector<GuestVcpu> vcpus_;
    Vector<GuestDoorbell> doorbells_;
    struct Mapped {
        Parcel* parcel;
        std::uint64_t base; // in addrspace_
    };
    Vector<Mapped> mapped_;
    bool killed_ = false;
};

} // namespace rm
