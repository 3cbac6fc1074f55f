// SPDX-License-Identifier: BSD-3-Clause
// Where an interrupt belongs: nowhere, on the ready list of a vCPU, or in a list register.
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

#include <runtime/relaxed.hpp>

namespace hyp {

Virq* Vic::find(std::uint32_t intid, unsigned vcpu) {
    if (intid >= first_spi) {
        return intid - first_spi < shared_count_ ? &shared_[intid - first_spi] : nullptr;
    }
    VicCpu* cpu = vcpu < max_vcpus_ ? cpus_[vcpu] : nullptr;
    return cpu != nullptr ? &cpu->private_[intid] : nullptr;
}

VicCpu* Vic::target_of(Virq& irq) {
    VicCpu* last = cpus_[irq.vcpu];
    if (irq.is_private() || (last != nullptr && last->affinity_ == irq.affinity)) {
        return last;
    }
    for (unsigned n = 0; n < max_vcpus_; n++) {
        if (cpus_[n] != nullptr && cpus_[n]->affinity_ == irq.affinity) {
            irq.vcpu = static_cast<std::uint8_t>(n);
            return cpus_[n];
        }
    }
    return nullptr;
}

void Vic::unlink(Virq& irq) {
    if (irq.linked()) {
        rt::IntrusiveList<Virq, ReadyListTag>::remove(irq);
        rt::store_relaxed(irq.holder->ready_count_, irq.holder->ready_count_ - 1);
    }
    irq.holder = nullptr;
    irq.announced = false;
}

void Vic::update(Virq& irq, Wakeups& wakeups) {
    if (irq.loaded()) {
        irq.holder->request_attention();
        if (!irq.announced) {
            irq.announced = true;
            wakeups.note(*irq.holder);
        }
        return;
    }
    const bool deliver = forwarded(irq) && irq.pending();
    // An active interrupt stays with the vCPU that handles it, wherever it is routed to now.
    VicCpu* wanted = nullptr;
    if (irq.active && irq.holder != nullptr) {
        wanted = irq.holder;
    } else if (irq.active || deliver) {
        wanted = target_of(irq);
    }
    if (wanted == nullptr) {
        unlink(irq);
        return;
    }
    if (wanted != irq.holder || !irq.linked()) {
        unlink(irq);
        irq.holder = wanted;
        wanted->ready_.push_back(irq);
        rt::store_relaxed(wanted->ready_count_, wanted->ready_count_ + 1);
    }
    wanted->request_attention();
    if (deliver && !irq.active && !irq.announced) {
        irq.announced = true;
        wakeups.note(*wanted);
    }
}

void Vic::update_all(Wakeups& wakeups) {
    for (unsigned n = 0; n < shared_count_; n++) {
        update(shared_[n], wakeups);
    }
    for (unsigned n = 0; n < max_vcpus_; n++) {
        if (cpus_[n] == nullptr) {
            continue;
        }
        for (Virq& irq : cpus_[n]->private_) {
            update(irq, wakeups);
        }
    }
}

void Vic::clear_latch(Virq& irq) {
    const bool held_physically = irq.latch && irq.physical != 0 && !irq.active;
    irq.latch = false;
    irq.drop_pending = irq.loaded();
    if (held_physically && !irq.loaded()) {
        deactivate_hardware(irq);
    }
}

void Vic::clear_active(Virq& irq) {
    if (irq.loaded()) {
        irq.drop_active = true;
        irq.force_active = false;
    } else if (irq.active) {
        irq.active = false;
        deactivate_hardware(irq);
        unlink(irq);
    }
}

} // namespace hyp
