// SPDX-License-Identifier: BSD-3-Clause
// Exits that are served with only some registers in memory: what they do, and what they leave
// untouched for the whole exit.
#include "schedule/vm_fixture.hpp"
#include "trap/exception_class.hpp"
#include "trap/exits.hpp"

namespace hyp {
namespace {

constexpr std::uint64_t distributor_size = 0x10000;
constexpr Ipa distributor{0x08000000};
constexpr std::uint64_t ctlr = 0x0000;
constexpr std::uint64_t typer = 0x0004;

/// Of a 32-bit access through Xn that found no translation.
constexpr std::uint64_t abort(unsigned n, bool write) {
    return esr::ec_data_abort_lower << esr::ec_shift | esr::isv | 2u << esr::sas_shift |
           std::uint64_t{n} << esr::srt_shift | (write ? esr::wnr : 0) | esr::fsc_translation;
}

/// Of an access to a system register through Xn (Arm ARM D19.2.40).
constexpr std::uint64_t system_register(unsigned op1, unsigned crn, unsigned crm, unsigned op2,
                                        unsigned n, bool read) {
    return esr::ec_sysreg << esr::ec_shift | 3u << 20 | op2 << 17 | op1 << 14 | crn << 10 | n << 5 |
           crm << 1 | (read ? 1 : 0);
}
constexpr std::uint64_t read_pfr0(unsigned n) {
    return system_register(0, 0, 4, 0, n, true);
}
constexpr std::uint64_t write_sgi1r(unsigned n) {
    return system_register(0, 12, 11, 5, n, false);
}

class AtOnce : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
        ASSERT_TRUE(vm_->memory->attach_vdevice(vm_->vic, *vm_->vic->vdevice(0),
                                                {distributor, distributor_size}));
        vcpu_ = vm_->make_vcpu(0, {});
        for (std::uint64_t n = 0; n < 31; ++n) {
            x(n) = painted + n;
        }
        vcpu_->registers.pc = start;
        arch::forget_work();
    }
    void TearDown() override {
        arch::forget_work();
        retire({vcpu_});
        vcpu_ = nullptr;
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }
    std::uint64_t& x(std::uint64_t n) { return vcpu_->registers.x[n]; }

    std::uint64_t serve_abort(Ipa ipa, std::uint64_t esr) {
        fake::guest_hardware().syndrome = {
            .esr = esr, .far = ipa.offset_in_page(), .hpfar = ipa.value >> 12 << 4};
        return serve_device_at_once(*vcpu_, esr);
    }
    std::uint32_t device(std::uint64_t offset) {
        MmioAccess access{.offset = offset, .size = 4};
        vm_->vic->vdevice(0)->access(access);
        return static_cast<std::uint32_t>(access.value);
    }
    /// The last exit was served: PC is for the caller to move, and nothing else is to be done.
    void expect_served(std::uint64_t moves) {
        EXPECT_EQ(moves, instruction_done);
        EXPECT_EQ(arch::work_left() & arch::work_whole_exit, 0u);
        EXPECT_EQ(vcpu_->registers.pc, start);
    }
    /// Nothing happened but the note.
    void expect_left(std::uint64_t moves) {
        EXPECT_EQ(moves, 0u);
        EXPECT_EQ(arch::work_left(), arch::work_whole_exit);
        EXPECT_EQ(vcpu_->registers.pc, start);
        for (std::uint64_t n = 0; n < 31; ++n) {
            EXPECT_EQ(x(n), painted + n);
        }
        arch::forget_work();
    }

    static constexpr std::uint64_t painted = 0xa5a5a5a500000000;
    static constexpr std::uint64_t start = 0x4000;
    std::unique_ptr<TestVm> vm_;
    Ref<Vcpu> vcpu_;
};

TEST_F(AtOnce, RegistersAtHandAreThoseThatTheExitStores) {
    for (unsigned n = 0; n < 32; ++n) {
        EXPECT_EQ(is_at_hand(n), n <= 17 || n >= 29) << n;
    }
}

TEST_F(AtOnce, DeviceReadFillsTheWholeRegister) {
    expect_served(serve_abort(distributor + typer, abort(17, false)));
    EXPECT_EQ(x(17), device(typer));
    expect_served(serve_abort(distributor + typer, abort(31, false)));
}

TEST_F(AtOnce, DeviceWriteTakesTheAccessSizeOfTheRegister) {
    x(30) = 0xffffffff00000002;
    expect_served(serve_abort(distributor + ctlr, abort(30, true)));
    EXPECT_EQ(device(ctlr) & 3, 2u);
    expect_served(serve_abort(distributor + ctlr, abort(31, true)));
    EXPECT_EQ(device(ctlr) & 3, 0u);
    EXPECT_EQ(x(30), 0xffffffff00000002);
}

TEST_F(AtOnce, OtherAbortsAreLeft) {
    const Ipa at = distributor + typer;
    for (const unsigned n : {18u, 19u, 28u}) {
        expect_left(serve_abort(at, abort(n, false)));
    }
    expect_left(serve_abort(at, abort(1, false) & ~esr::isv));
    expect_left(serve_abort(at, abort(1, false) | esr::sse));
    expect_left(serve_abort(at, abort(1, false) | esr::s1ptw));
    expect_left(serve_abort(at, abort(1, false) | esr::fsc_permission));
    expect_left(serve_abort(distributor + distributor_size, abort(1, false)));
    expect_left(serve_abort(distributor - 4, abort(1, true)));
}

TEST_F(AtOnce, IdentificationIsServedOnceItIsMade) {
    handle_system_register(*vcpu_, read_pfr0(1)); // makes it, whoever was first
    const std::uint64_t value = x(1);
    vcpu_->registers.pc = start;
    expect_served(serve_register_at_once(*vcpu_, read_pfr0(17)));
    EXPECT_EQ(x(17), value);
    x(1) = painted + 1;
    x(17) = painted + 17;
    expect_left(serve_register_at_once(*vcpu_, read_pfr0(18)));
    expect_left(serve_register_at_once(*vcpu_, read_pfr0(31)));
    expect_left(serve_register_at_once(*vcpu_, system_register(0, 0, 4, 0, 1, false)));
    expect_left(serve_register_at_once(*vcpu_, system_register(0, 0, 0, 5, 1, true))); // MPIDR_EL1
    expect_left(serve_register_at_once(*vcpu_, system_register(1, 0, 4, 0, 1, true)));
}

TEST_F(AtOnce, SgiIsSentToItsTargets) {
    constexpr unsigned sgi = 5;
    const auto pending = [&] {
        MmioAccess access{.offset = 0x10200, .size = 4}; // GICR_ISPENDR0
        vm_->vic->vdevice(1)->access(access);
        return access.value;
    };
    EXPECT_EQ(pending() & 1u << sgi, 0u);
    expect_left(serve_register_at_once(*vcpu_, write_sgi1r(20)));
    EXPECT_EQ(pending() & 1u << sgi, 0u);
    x(2) = sgi << 24 | 1; // to Aff0 0 of Aff3.2.1 0.0.0
    expect_served(serve_register_at_once(*vcpu_, write_sgi1r(2)));
    EXPECT_NE(pending() & 1u << sgi, 0u);
}

} // namespace
} // namespace hyp
