// SPDX-License-Identifier: BSD-3-Clause
// The rings. A CPU's first record brings its ring, a page, which stays. Only its own CPU writes it;
// a reader elsewhere sees by the position, written last, whether a record changed under it.
#include "heap/trace.hpp"

#include "heap/page_allocator.hpp"

#include <arch/cpu.hpp>
#include <arch/guest_state.hpp>

#include <array>

namespace hyp {

namespace {

struct Slot {
    std::atomic<std::uint64_t> number{0}; // position + 1; 0: being written, or never
    std::atomic<std::uint64_t> time, what, argument;
};

constexpr std::uint64_t slots_per_ring = page_size / sizeof(Slot);

struct Ring {
    std::atomic<Slot*> slots{nullptr};
    std::atomic<std::uint64_t> written{0};
};

Ring& ring_of(unsigned cpu) {
    static constinit std::array<Ring, max_cpus> rings{};
    return rings[cpu];
}

} // namespace

constinit std::atomic<std::uint64_t> trace_flags{0};

std::uint64_t update_trace_flags(std::uint64_t set, std::uint64_t clear) {
    trace_flags.fetch_and(~clear);
    return trace_flags.fetch_or(set & trace_classes) | (set & trace_classes);
}

void write_trace(TraceClass trace_class, std::uint32_t event, std::uint64_t argument) {
    Ring& ring = ring_of(cpu_index());
    Slot* slots = ring.slots.load();
    if (slots == nullptr) {
        slots = static_cast<Slot*>(page_allocator().allocate_zeroed(0));
        if (slots == nullptr) {
            return;
        }
        ring.slots.store(slots);
    }
    const std::uint64_t position = ring.written.load();
    Slot& slot = slots[position % slots_per_ring];
    slot.number.store(0);
    slot.time.store(arch::counter());
    slot.what.store(std::uint64_t{static_cast<std::uint8_t>(trace_class)} << 32 | event);
    slot.argument.store(argument);
    slot.number.store(position + 1);
    ring.written.store(position + 1);
}

Result<TraceRecord> read_trace(unsigned cpu, std::uint64_t position) {
    RT_FAIL_IF(cpu >= max_cpus, Error::argument_invalid);
    Ring& ring = ring_of(cpu);
    for (;; ++position) {
        const std::uint64_t written = ring.written.load();
        RT_FAIL_IF(position >= written, Error::idle);
        if (written - position > slots_per_ring) {
            position = written - slots_per_ring;
        }
        const Slot& slot = ring.slots.load()[position % slots_per_ring];
        const TraceRecord record{position, slot.time.load(), slot.what.load(),
                                 slot.argument.load()};
        if (slot.number.load() == position + 1) {
            return record;
        }
    }
}

} // namespace hyp
