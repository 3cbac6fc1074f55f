// SPDX-License-Identifier: BSD-3-Clause
// Hardware interrupts as objects: from the physical line to the VM that has it.
#include "interrupt/hwirq.hpp"

#include "interrupt/vic.hpp"
#include "interrupt/virq.hpp"

#include <runtime/panic.hpp>

#include <array>
#include <atomic>

namespace hyp {
namespace {

std::array<std::atomic<HwIrq*>, spi_end - first_spi> lines;

} // namespace

HwIrq::HwIrq(std::uint32_t intid) : Object(type), intid_(intid), source_(intid) {
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
    if (draining_.load(std::memory_order_acquire)) {
        return fail(Error::busy);
    }
    return source_.bind(vic, info);
}

bool HwIrq::deliver(std::uint32_t intid) {
    if (intid < first_spi || intid >= spi_end) {
        return false;
    }
    HwIrq* line = lines[intid - first_spi].load(std::memory_order_acquire);
    return line != nullptr && line->source_.assert_edge();
}

} // namespace hyp
