// SPDX-License-Identifier: BSD-3-Clause
// The list of registers, and patterns for them.
#include "machine/system_image.hpp"

#include "machine/sysreg.hpp"

namespace test {

namespace {

#define REGISTER(name, bits)                                                                       \
    {#name, [] { return READ_SYSREG(name); },                                                      \
     [](std::uint64_t value) { WRITE_SYSREG(name, value); }, bits}

constexpr std::uint64_t all = ~std::uint64_t{0};
constexpr std::uint64_t canonical = 0x0000'ffff'ffff'fffc; // an address of the lower half

constexpr SystemRegister registers[] = {
    REGISTER(tpidr_el0, all),
    REGISTER(tpidrro_el0, all),
    REGISTER(tpidr_el1, all),
    REGISTER(contextidr_el1, 0xffffffff),
    REGISTER(sp_el0, all),
    REGISTER(far_el1, canonical),
    REGISTER(elr_el1, canonical),
    REGISTER(cntkctl_el1, 0x3),
    REGISTER(csselr_el1, 0x1),
    REGISTER(par_el1, 0x0000'ffff'ffff'f000),
    REGISTER(ttbr1_el1, 0x0000'00ff'ffff'f000), // walks by it are off (EPD1)
    // APIAKeyLo/Hi, APIBKey, APDAKey, APDBKey, APGAKey, by encoding for assemblers of Armv8.0.
    REGISTER(s3_0_c2_c1_0, all),
    REGISTER(s3_0_c2_c1_1, all),
    REGISTER(s3_0_c2_c1_2, all),
    REGISTER(s3_0_c2_c1_3, all),
    REGISTER(s3_0_c2_c2_0, all),
    REGISTER(s3_0_c2_c2_1, all),
    REGISTER(s3_0_c2_c2_2, all),
    REGISTER(s3_0_c2_c2_3, all),
    REGISTER(s3_0_c2_c3_0, all),
    REGISTER(s3_0_c2_c3_1, all),
};
constexpr std::size_t key_registers = 10;

#undef REGISTER

} // namespace

bool has_pointer_authentication() {
    constexpr std::uint64_t isar1_fields = 0xff000ff0; // GPI, GPA, API, APA
    constexpr std::uint64_t isar2_fields = 0xff00;     // APA3, GPA3
    return (READ_SYSREG(id_aa64isar1_el1) & isar1_fields) != 0 ||
           (READ_SYSREG(s3_0_c0_c6_2) & isar2_fields) != 0;
}

std::size_t system_register_count() {
    return std::size(registers) - (has_pointer_authentication() ? 0 : key_registers);
}

const SystemRegister& system_register(std::size_t index) {
    return registers[index];
}

SystemImage fill_system_registers(std::uint64_t seed) {
    SystemImage image{};
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        image[i] = (seed + i + 1) * 0x9e3779b97f4a7c15 & registers[i].bits;
    }
    write_system_registers(image);
    return image;
}

SystemImage read_system_registers() {
    SystemImage image{};
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        image[i] = registers[i].read() & registers[i].bits;
    }
    return image;
}

void write_system_registers(const SystemImage& image) {
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        registers[i].write(image[i]);
    }
    isb();
}

UntrappedImage read_untrapped_registers() {
    UntrappedImage image{0, 0};
    asm volatile("mrs %0, s3_0_c12_c1_1" : "+r"(image.disr) : : "memory");   // DISR_EL1
    asm volatile("mrs %0, s3_3_c13_c0_5" : "+r"(image.tpidr2) : : "memory"); // TPIDR2_EL0
    return image;
}

void write_untrapped_registers(const UntrappedImage& image) {
    WRITE_SYSREG(s3_0_c12_c1_1, image.disr);
    WRITE_SYSREG(s3_3_c13_c0_5, image.tpidr2);
    isb();
}

std::string_view first_difference(const SystemImage& a, const SystemImage& b) {
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        if (a[i] != b[i]) {
            return registers[i].name;
        }
    }
    return {};
}

} // namespace test
