// SPDX-License-Identifier: BSD-3-Clause
// Every offset of the GIC's frames, and addresses where nothing of this VM is.
#include "hostile/program/attacks.hpp"
#include "machine/mmio.hpp"

namespace test::hostile {

namespace {

constexpr std::uint64_t frames = guest_redistributors;
constexpr std::uint64_t frames_size = guest_distributor + 0x10000 - guest_redistributors;

void load(std::uint64_t address, unsigned size) {
    switch (size) {
    case 1:
        (void)mmio::read8(address);
        break;
    case 2:
        (void)mmio::read16(address);
        break;
    case 4:
        (void)mmio::read32(address);
        break;
    default:
        (void)mmio::read64(address);
        break;
    }
}

void store(std::uint64_t address, unsigned size, std::uint64_t value) {
    switch (size) {
    case 1:
        mmio::write8(address, static_cast<std::uint8_t>(value));
        break;
    case 2:
        mmio::write16(address, static_cast<std::uint16_t>(value));
        break;
    case 4:
        mmio::write32(address, static_cast<std::uint32_t>(value));
        break;
    default:
        mmio::write64(address, value);
        break;
    }
}

/// Accesses without a syndrome, and such that are no plain loads or stores.
void odd_access(std::uint64_t address, std::uint64_t kind) {
    std::uint64_t value = 0;
    std::uint64_t at = address;
    switch (kind) {
    case 0:
        asm volatile("ldp %0, x8, [%1]" : "=r"(value) : "r"(at) : "x8", "memory");
        break;
    case 1:
        asm volatile("stp %0, %0, [%1]" : : "r"(value), "r"(at) : "memory");
        break;
    case 2:
        asm volatile("ldr %0, [%1], #8" : "=&r"(value), "+r"(at) : : "memory");
        break;
    case 3:
        asm volatile("str %0, [%1, #-8]!" : : "r"(value), "r"(at) : "memory");
        break;
    case 4:
        asm volatile("ldxr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
        break;
    case 5:
        asm volatile("stlxr w8, %0, [%1]" : : "r"(value), "r"(at) : "x8", "memory");
        break;
    case 6:
        asm volatile("dc zva, %0" : : "r"(at) : "memory");
        break;
    case 7:
        asm volatile("dc civac, %0" : : "r"(at) : "memory");
        break;
    case 8:
        asm volatile("prfm pldl1keep, [%0]" : : "r"(at) : "memory");
        break;
    case 9:
        asm volatile("blr %0" : : "r"(at & ~3ULL) : "x30", "memory");
        break;
    case 10:
        asm volatile("at s1e1r, %0" : : "r"(at) : "memory");
        break;
    default:
        asm volatile("ldrsb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
        break;
    }
}

/// Not this program's own memory.
bool is_own(std::uint64_t address) {
    constexpr std::uint64_t reach = 64;
    return address + reach >= guest_ram_base && address < guest_ram_base + guest_ram_size + reach;
}

} // namespace

void gic_registers(Attacker& attacker) {
    for (std::uint64_t offset = 0; offset < frames_size; offset += 4) {
        load(frames + offset, 4);
        const std::uint64_t choice = attacker.random() % 3;
        store(frames + offset, 4, choice == 0 ? 0 : choice == 1 ? ~0ULL : attacker.random());
        attacker.step();
    }
    for (std::uint64_t i = 0; i < 20'000 * attacker.box.rounds; ++i) {
        // Half of them where registers are dense: the first 4 KiB of a frame.
        const std::uint64_t random = attacker.random();
        const std::uint64_t offset = (random & 1) != 0 ? random >> 8 : random >> 8 & ~0xf000ULL;
        const unsigned size = 1u << (random >> 1 & 3);
        const bool aligned = (random >> 3 & 7) != 0;
        const std::uint64_t address =
            (frames + offset % frames_size) & (aligned ? ~std::uint64_t{size - 1} : ~0ULL);
        if ((random >> 6 & 1) != 0) {
            load(address, size);
        } else {
            store(address, size, attacker.edge());
        }
        attacker.step();
    }
    reset_own_gic(attacker.cpu);
}

void addresses(Attacker& attacker) {
    for (std::uint64_t i = 0; i < 20'000 * attacker.box.rounds; ++i) {
        const std::uint64_t address = attacker.edge();
        if (is_own(address)) {
            continue;
        }
        const std::uint64_t random = attacker.random();
        if ((random & 3) == 0) {
            load(address, 1u << (random >> 4 & 3));
        } else if ((random & 3) == 1) {
            store(address, 1u << (random >> 4 & 3), random);
        } else {
            odd_access(address, (random >> 8) % 12);
        }
        attacker.step();
    }
}

} // namespace test::hostile
