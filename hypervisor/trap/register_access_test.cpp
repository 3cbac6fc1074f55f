// SPDX-License-Identifier: BSD-3-Clause
// Decoding of trapped system register accesses and of MMIO loads.
#include "trap/register_access.hpp"

#include "vcpu/run_report.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

TEST(RegisterAccess, DecodesTheSyndrome) {
    // mrs x5, icc_sgi1r_el1 would be Op0 3, Op1 0, CRn 12, CRm 11, Op2 5, Rt 5, direction read.
    const std::uint64_t esr =
        (3u << 20) | (5u << 17) | (0u << 14) | (12u << 10) | (5u << 5) | (11u << 1) | 1u;
    const RegisterAccess access = decode_register_access(esr);
    EXPECT_EQ(access.encoding(), encoding(3, 0, 12, 11, 5));
    EXPECT_EQ(access.rt, 5u);
    EXPECT_FALSE(access.write);
}

TEST(RegisterAccess, EncodingsDoNotCollide) {
    EXPECT_NE(encoding(2, 0, 0, 1, 4), encoding(2, 0, 0, 1, 5));
    EXPECT_NE(encoding(3, 7, 15, 15, 7), encoding(2, 7, 15, 15, 7));
    EXPECT_NE(encoding(3, 0, 1, 0, 1), encoding(3, 0, 0, 8, 1));
}

MmioRequest load(unsigned size, bool sign_extend, bool wide) {
    return {.ipa = 0,
            .value = 0,
            .size = static_cast<std::uint8_t>(size),
            .target = 3,
            .write = false,
            .sign_extend = sign_extend,
            .wide = wide};
}

std::uint64_t loaded(const MmioRequest& request, std::uint64_t value) {
    GuestRegisters registers{};
    registers.x[3] = 0x1111222233334444;
    complete_mmio_read(registers, request, value);
    return registers.x[3];
}

TEST(MmioRead, TakesOnlyTheBytesOfTheAccess) {
    EXPECT_EQ(loaded(load(1, false, true), 0xaabbccddeeff1122), 0x22u);
    EXPECT_EQ(loaded(load(2, false, true), 0xaabbccddeeff1122), 0x1122u);
    EXPECT_EQ(loaded(load(4, false, true), 0xaabbccddeeff1122), 0xeeff1122u);
    EXPECT_EQ(loaded(load(8, false, true), 0xaabbccddeeff1122), 0xaabbccddeeff1122u);
}

TEST(MmioRead, ExtendsTheSign) {
    EXPECT_EQ(loaded(load(1, true, true), 0x80), 0xffffffffffffff80u);
    EXPECT_EQ(loaded(load(1, true, false), 0x80), 0xffffff80u);
    EXPECT_EQ(loaded(load(2, true, true), 0x7fff), 0x7fffu);
    EXPECT_EQ(loaded(load(4, true, true), 0x80000000), 0xffffffff80000000u);
}

TEST(MmioRead, LeavesTheZeroRegisterAndWritesAlone) {
    GuestRegisters registers{};
    MmioRequest to_zero = load(8, false, true);
    to_zero.target = 31;
    complete_mmio_read(registers, to_zero, 5);
    MmioRequest write = load(8, false, true);
    write.write = true;
    complete_mmio_read(registers, write, 5);
    for (const std::uint64_t x : registers.x) {
        EXPECT_EQ(x, 0u);
    }
    EXPECT_EQ(registers.pc, 0u);
}

} // namespace
} // namespace hyp
