// SPDX-License-Identifier: BSD-3-Clause
// Makes a guest out of hypervisor objects, in the order that the hypercall document demands.
#include "vm/guest_objects.hpp"

#include "device_tree/gic_node.hpp"

#include <algorithm>

namespace rm {

namespace {

/// A guest has one capability per doorbell in its space.
constexpr std::uint64_t guest_max_caps = 1024;
constexpr unsigned max_spis = dt::last_spi - dt::first_spi + 1;
/// vcpu_run's document: the vCPU should have lower priority than its caller.
constexpr unsigned proxy_priority = GH_VCPU_PRIORITY_DEFAULT - 1;
constexpr std::uint32_t proxy_rights = GH_RIGHT_THREAD_STATE; // vcpu_run and vcpu_run_check

/// Runs hypercalls one after the other until one fails; remembers what it was doing.
class Sequence {
public:
    explicit Sequence(const Stage& stage) : stage_(stage) {}
    template <typename Call>
    Sequence& step(const char* doing, Call call) {
        if (result_) {
            const rt::Result<> done = call();
            if (!done) {
                result_ = refuse_call(stage_, doing, done.error());
            }
        }
        return *this;
    }
    /// Creates an object into `to`.
    Sequence& create(const char* doing, const Root& root, ObjectType type, Capability& to) {
        return take(doing, to, [&] { return Capability::create(root, type); });
    }
    Sequence& copy(const char* doing, const Root& root, CapId source, CapId cspace,
                   std::uint32_t rights, Capability& to) {
        return take(doing, to, [&] { return Capability::copy(root, source, cspace, rights); });
    }
    [[nodiscard]] RmResult<> result() const { return result_; }

private:
    template <typename Make>
    Sequence& take(const char* doing, Capability& to, Make make) {
        return step(doing, [&]() -> rt::Result<> {
            auto made = make();
            if (!made) {
                return rt::fail(made.error());
            }
            to = std::move(*made);
            return {};
        });
    }

    const Stage& stage_;
    RmResult<> result_;
};

/// vcpu_run_check of a killed vCPU: busy while a CPU holds it, object_state afterwards.
bool is_held(Hypervisor& hypervisor, CapId vcpu) {
    const auto state = hypervisor.vcpu_run_check(vcpu);
    return !state && state.error() == rt::Error::busy;
}

} // namespace

GuestObjects::~GuestObjects() {
    kill();
    wait_until_gone();
    unbind_vcpus();
    for (const Mapped& mapped : mapped_) {
        mapped.parcel->unmap(means_.root, addrspace_.id(), mapped.base);
        mapped.parcel->user = 0;
    }
}

RmResult<> GuestObjects::create(const Stage& stage, std::uint16_t vmid, const GuestConfig& config) {
    proxy_scheduled_ = config.proxy_scheduled;
    auto done = create_spaces(stage, vmid, config);
    done = done ? attach_gic(stage, config) : done;
    done = done ? create_watchdog(stage, config) : done;
    for (unsigned i = 0; done && i < config.cpu_count; ++i) {
        done = create_vcpu(stage, i, config);
    }
    for (std::size_t i = 0; done && i < config.doorbells.size(); ++i) {
        done = create_doorbell(stage, config.doorbells[i]);
    }
    return done;
}

RmResult<> GuestObjects::create_spaces(const Stage& stage, std::uint16_t vmid,
                                       const GuestConfig& config) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    return Sequence(stage)
        .create("creating its capability space", means_.root, ObjectType::cspace, cspace_)
        .step("configuring its capability space",
              [&] { return hypervisor.cspace_configure(cspace_.id(), guest_max_caps); })
        .step("activating its capability space", [&] { return hypervisor.activate(cspace_.id()); })
        .create("creating its address space", means_.root, ObjectType::addrspace, addrspace_)
        .step("configuring its address space",
              [&] { return hypervisor.addrspace_configure(addrspace_.id(), vmid); })
        .step("activating its address space", [&] { return hypervisor.activate(addrspace_.id()); })
        .step("giving the VMM the addresses below 1 GiB",
              [&] { return hypervisor.addrspace_add_vmmio(addrspace_.id(), 0, vmmio_end); })
        .create("creating its interrupt controller", means_.root, ObjectType::vic, vic_)
        .step("configuring its interrupt controller",
              [&] { return hypervisor.vic_configure(vic_.id(), config.cpu_count, max_spis); })
        .step("activating its interrupt controller", [&] { return hypervisor.activate(vic_.id()); })
        .create("creating its power management group", means_.root, ObjectType::vpm_group,
                vpm_group_)
        .step("activating its power management group",
              [&] { return hypervisor.activate(vpm_group_.id()); })
        .result();
}

RmResult<> GuestObjects::attach_gic(const Stage& stage, const GuestConfig& config) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    Sequence sequence(stage);
    sequence.step("attaching its GIC distributor", [&] {
        return hypervisor.addrspace_attach_vdevice(addrspace_.id(), vic_.id(), 0,
                                                   config.distributor.base, dt::distributor_size);
    });
    for (unsigned i = 0; i < config.cpu_count; ++i) {
        sequence.step("attaching a GIC redistributor", [&] {
            return hypervisor.addrspace_attach_vdevice(
                addrspace_.id(), vic_.id(), i + 1,
                config.redistributors.base + i * dt::redistributor_size, dt::redistributor_size);
        });
    }
    return sequence.result();
}

/// Its bite ends the vCPUs, which RM hears by their halt interrupts.
RmResult<> GuestObjects::create_watchdog(const Stage& stage, const GuestConfig& config) {
    if (!config.watchdog) {
        return {};
    }
    Hypervisor& hypervisor = means_.root.hypervisor;
    Sequence sequence(stage);
    sequence.create("creating its watchdog", means_.root, ObjectType::watchdog, watchdog_)
        .step("activating its watchdog", [&] { return hypervisor.activate(watchdog_.id()); });
    if (config.bark_spi != 0) {
        sequence.step("binding the bark of its watchdog", [&] {
            return hypervisor.watchdog_bind_bark(watchdog_.id(), vic_.id(), config.bark_spi);
        });
    }
    return sequence.result();
}

RmResult<> GuestObjects::configure_vcpu(const Stage& stage, CapId vcpu, unsigned index,
                                        const GuestConfig& config) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    Sequence sequence(stage);
    sequence.step("configuring a vCPU",
                  [&] { return hypervisor.vcpu_configure(vcpu, config.vcpu_options); });
    if (config.stolen_time != 0) {
        sequence.step("placing a vCPU's stolen time", [&] {
            return hypervisor.vcpu_set_stolen_time(vcpu,
                                                   config.stolen_time + index * stolen_time_stride);
        });
    }
    if (config.proxy_scheduled) {
        return sequence
            .step("setting a vCPU's priority",
                  [&] { return hypervisor.vcpu_set_priority(vcpu, proxy_priority); })
            .result();
    }
    const unsigned cpu =
        index < config.affinity_count ? config.affinity_map[index] : index % means_.physical_cpus;
    const std::int64_t priority =
        std::clamp<std::int64_t>(std::int64_t{GH_VCPU_PRIORITY_DEFAULT} + config.priority_offset, 0,
                                 GH_VCPU_PRIORITY_DEFAULT); // never above the primary VM
    sequence
        .step("setting a vCPU's physical CPU (vcpus/affinity-map)",
              [&] { return hypervisor.vcpu_set_affinity(vcpu, cpu); })
        .step("setting a vCPU's priority (vcpus/sched-priority)",
              [&] { return hypervisor.vcpu_set_priority(vcpu, static_cast<unsigned>(priority)); });
    if (config.timeslice_us != 0) {
        sequence.step("setting a vCPU's time slice (vcpus/sched-timeslice)", [&] {
            return hypervisor.vcpu_set_timeslice(vcpu, std::uint64_t{config.timeslice_us} * 1000);
        });
    }
    return sequence.result();
}

RmResult<> GuestObjects::attach_vcpu(const Stage& stage, CapId vcpu, unsigned index) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    return Sequence(stage)
        .step("attaching a vCPU to its capability space",
              [&] { return hypervisor.cspace_attach_thread(cspace_.id(), vcpu); })
        .step("attaching a vCPU to its address space",
              [&] { return hypervisor.addrspace_attach_thread(addrspace_.id(), vcpu); })
        .step("attaching a vCPU to its interrupt controller",
              [&] { return hypervisor.vic_attach_vcpu(vic_.id(), vcpu, index); })
        .step("attaching a vCPU to its power management group",
              [&] { return hypervisor.vpm_group_attach_vcpu(vpm_group_.id(), vcpu, index); })
        .step("attaching a vCPU to its watchdog",
              [&] {
                  return watchdog_.id().valid()
                             ? hypervisor.watchdog_attach_vcpu(watchdog_.id(), vcpu)
                             : rt::Result<>{};
              })
        .result();
}

/// The wake-up interrupt is bound before activation, so that the vCPU never runs by itself.
RmResult<> GuestObjects::bind_vcpu(const Stage& stage, GuestVcpu& vcpu) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    const auto halt = means_.interrupts.virqs().take();
    if (!halt) {
        return refuse(stage, RmError::no_resource, "RM has no free interrupt for a vCPU's halt");
    }
    vcpu.halt = LocalIrq(means_.interrupts, *halt);
    Sequence sequence(stage);
    sequence.step("binding a vCPU's halt interrupt", [&] {
        return hypervisor.vcpu_bind_virq(vcpu.vcpu.id(), means_.root.vic, *halt, GH_VCPU_VIRQ_HALT);
    });
    if (!proxy_scheduled_) {
        return sequence.result();
    }
    const auto wakeup = means_.peer.virqs.take();
    if (!wakeup) {
        return refuse(stage, RmError::no_resource,
                      "the creator has no free interrupt for a vCPU's wake-up");
    }
    vcpu.wakeup = Virq(means_.peer.virqs, *wakeup);
    return sequence
        .step("binding a vCPU's wake-up interrupt",
              [&] {
                  return hypervisor.vcpu_bind_virq(vcpu.vcpu.id(), means_.peer.vic, *wakeup,
                                                   GH_VCPU_VIRQ_RUN_WAKEUP);
              })
        .copy("giving its creator a vCPU", means_.root, vcpu.vcpu.id(), means_.peer.cspace,
              proxy_rights, vcpu.peer_copy)
        .result();
}

RmResult<> GuestObjects::create_vcpu(const Stage& stage, unsigned index,
                                     const GuestConfig& config) {
    GuestVcpu vcpu;
    auto done = Sequence(stage)
                    .create("creating a vCPU", means_.root, ObjectType::thread, vcpu.vcpu)
                    .result();
    const CapId id = vcpu.vcpu.id();
    done = done ? configure_vcpu(stage, id, index, config) : done;
    done = done ? attach_vcpu(stage, id, index) : done;
    done = done ? bind_vcpu(stage, vcpu) : done;
    if (!done) {
        return done;
    }
    done = Sequence(stage)
               .step("activating a vCPU", [&] { return means_.root.hypervisor.activate(id); })
               .result();
    if (done && !vcpus_.push_back(std::move(vcpu))) {
        done = refuse(stage, RmError::no_memory, "no memory for vCPU {}", index);
    }
    return done;
}

RmResult<> GuestObjects::create_doorbell(const Stage& stage, const DoorbellConfig& config) {
    Hypervisor& hypervisor = means_.root.hypervisor;
    const std::uint32_t peer_rights =
        GH_RIGHT_DOORBELL_SEND | (config.source_can_clear ? GH_RIGHT_DOORBELL_RECEIVE : 0U);
    GuestDoorbell bell{.config = config, .doorbell = {}, .guest_copy = {}, .peer_copy = {}};
    auto done =
        Sequence(stage)
            .create("creating a doorbell", means_.root, ObjectType::doorbell, bell.doorbell)
            .step("activating a doorbell", [&] { return hypervisor.activate(bell.doorbell.id()); })
            .step(
                "binding a doorbell to the guest's interrupt",
                [&] { return hypervisor.doorbell_bind(bell.doorbell.id(), vic_.id(), config.spi); })
            .copy("giving the guest a doorbell", means_.root, bell.doorbell.id(), cspace_.id(),
                  GH_RIGHT_DOORBELL_RECEIVE, bell.guest_copy)
            .copy("giving its creator a doorbell", means_.root, bell.doorbell.id(),
                  means_.peer.cspace, peer_rights, bell.peer_copy)
            .result();
    bell.config.path = {}; // refers to a tree that is about to go
    if (done && !doorbells_.push_back(std::move(bell))) {
        done = refuse(stage, RmError::no_memory, "no memory for doorbell {}", config.label);
    }
    return done;
}

RmResult<> GuestObjects::map(const Stage& stage, std::uint16_t vmid, Parcel& parcel,
                             std::uint64_t base) {
    const auto mapped =
        parcel.map(stage, means_.root, addrspace_.id(), base, parcel.access_of(vmid));
    if (!mapped) {
        return mapped;
    }
    if (!mapped_.push_back(Mapped{&parcel, base})) {
        parcel.unmap(means_.root, addrspace_.id(), base);
        return refuse(stage, RmError::no_memory, "no memory to note what is mapped");
    }
    parcel.user = vmid;
    return {};
}

RmResult<> GuestObjects::power_on(const Stage& stage, std::uint64_t entry, std::uint64_t context) {
    return Sequence(stage)
        .step("powering on the first vCPU",
              [&] {
                  return means_.root.hypervisor.vcpu_poweron(vcpus_[0].vcpu.id(), entry, context);
              })
        .result();
}

/// A vCPU object can outlive its capabilities for as long as another CPU is leaving it. Its
/// interrupt numbers must be free before that: the next VM gets them.
void GuestObjects::unbind_vcpus() {
    for (const GuestVcpu& vcpu : vcpus_) {
        for (const unsigned type : {GH_VCPU_VIRQ_HALT, GH_VCPU_VIRQ_RUN_WAKEUP}) {
            const bool bound = type == GH_VCPU_VIRQ_HALT || vcpu.wakeup.valid();
            const auto done = bound ? means_.root.hypervisor.vcpu_unbind_virq(vcpu.vcpu.id(), type)
                                    : rt::Result<>{};
            if (!done) {
                log("unbinding a vCPU's interrupt failed: {}", done.error());
            }
        }
    }
}

/// A killed vCPU's registers, and with them its address space, stay with the CPU that ran it until
/// that CPU has taken the hypervisor's interrupt. Only then is its memory free to go.
void GuestObjects::wait_until_gone() {
    constexpr unsigned attempts = 1'000'000; // each a hypercall; the other CPU needs one interrupt
    for (const GuestVcpu& vcpu : vcpus_) {
        unsigned n = 0;
        while (n < attempts && is_held(means_.root.hypervisor, vcpu.vcpu.id())) {
            ++n;
        }
        if (n == attempts) {
            log("a killed vCPU is still held by its CPU");
        }
    }
}

void GuestObjects::kill() {
    if (killed_) {
        return;
    }
    killed_ = true;
    for (const GuestVcpu& vcpu : vcpus_) {
        const auto done = means_.root.hypervisor.vcpu_kill(vcpu.vcpu.id());
        // object_state: it is dead already.
        if (!done && done.error() != rt::Error::object_state) {
            log("killing a vCPU failed: {}", done.error());
        }
    }
}

} // namespace rm
