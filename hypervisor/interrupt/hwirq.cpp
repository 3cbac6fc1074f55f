// SPDX-License-Identifier: BSD-3-Clause
// Hardware interrupts as objects: from the physical line to the VM that has it. Settings of the
// physical interrupt follow those of the virtual one, and while the guest has that pending or
// active, the physical one is active.
#include "interrupt/hwirq.hpp"

#include "interrupt/gicv3.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"

#include <runtime/panic.hpp>

#include <array>
#include <atomic>

namespace hyp {
namespace {

std::array<std::atomic<HwIrq*>, spi_end - first_spi> lines;

} // namespace

HwIrq::HwIrq(std::uint32_t intid) : Object(type), source_(intid) {
    rt::ensure(intid >= first_spi && intid < spi_end && lines[intid - first_spi] == nullptr,
               "a hardware interrupt made twice, or no SPI");
    // deliver() may look at it at any time: it lives for ever.
    acquire_reference();
    lines[intid - first_spi].store(this, std::memory_order_release);
}

void HwIrq::set_draining(std::uint32_t intid, bool value) {
    lines[intid - first_spi].load()->draining_.store(value, std::memory_order_release);
}

Result<> HwIrq::bind(Vic& vic, VirqInfo info) {
    RT_FAIL_IF(draining_.load(std::memory_order_acquire), Error::busy);
    return source_.bind(vic, info);
}

bool HwIrq::deliver(std::uint32_t intid) {
    if (intid < first_spi || intid >= spi_end) {
        return false;
    }
    HwIrq* line = lines[intid - first_spi].load(std::memory_order_acquire);
    return line != nullptr && line->source_.assert_edge();
}

void Vic::attach_hardware(Virq& irq, std::uint32_t physical) {
    irq.physical = physical;
    gic().spi_set_enabled(physical, false);
    gic().spi_set_edge(physical, irq.edge);
    route_hardware(irq);
    gic().spi_set_enabled(physical, irq.enabled);
}

void Vic::detach_hardware(Virq& irq) {
    gic().spi_set_enabled(irq.physical, false);
    gic().spi_set_pending(irq.physical, false);
    if (irq.loaded()) {
        // The guest may end it at any moment, through the list register: done when that is folded.
        HwIrq::set_draining(irq.physical, true);
    } else {
        finish_detach_hardware(irq);
    }
}

void Vic::finish_detach_hardware(Virq& irq) {
    gic().spi_set_active(irq.physical, false);
    HwIrq::set_draining(irq.physical, false);
    irq.physical = 0;
}

void Vic::deactivate_hardware(Virq& irq) {
    if (irq.physical == 0) {
        return;
    }
    if (irq.is_private()) {
        // Only its own CPU can: VicCpu::adjust_ppis() at the next enter().
        cpus_[irq.vcpu]->request_attention();
    } else {
        gic().spi_set_active(irq.physical, false);
    }
}

void Vic::route_hardware(Virq& irq) {
    VicCpu* target = target_of(irq);
    const unsigned cpu = target != nullptr ? target->target_.physical_cpu() : max_cpus;
    if (cpu < max_cpus) {
        gic().spi_route(irq.physical, cpu);
    }
}

void Vic::reroute_hardware() {
    const LockGuard guard(lock_);
    for (unsigned n = 0; n < shared_count_; n++) {
        if (shared_[n].physical != 0) {
            route_hardware(shared_[n]);
        }
    }
}

} // namespace hyp
