// SPDX-License-Identifier: BSD-3-Clause
// Tests of libgunyah as far as it goes without a hypervisor: errors, run pages, eventfds.
#include <gtest/gtest.h>
#include <linux/gunyah.h>

#include <cerrno>
#include <string>

#include "libgunyah/device.hpp"
#include "libgunyah/error.hpp"
#include "libgunyah/event_fd.hpp"
#include "libgunyah/vcpu.hpp"

namespace gunyah {
namespace {

TEST(Error, IsOneSentenceWithTheSystemsErrorBehindIt) {
    const Error error = Error::from_errno(ENOENT, "cannot open x", "", "create it");
    EXPECT_STREQ(error.what(), "cannot open x: No such file or directory; create it [ENOENT 2]");
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.error_number(), ENOENT);
    const Error plain{ErrorKind::busy, "cannot use x", "it is in use", ""};
    EXPECT_STREQ(plain.what(), "cannot use x: it is in use");
    EXPECT_EQ(plain.error_number(), 0);
}

TEST(Device, SaysThatThereIsNoDriver) {
    try {
        Device::open("/nonexistent/gunyah");
        FAIL() << "a device was opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::not_found);
        EXPECT_NE(std::string{error.what()}.find("there is no Gunyah driver"), std::string::npos);
    }
}

TEST(Device, SomethingElseIsNoGunyahDevice) {
    const Device device = Device::open("/dev/null");
    EXPECT_THROW(static_cast<void>(device.create_vm()), Error);
}

TEST(EventFd, CollectsSignals) {
    const EventFd event;
    EXPECT_FALSE(event.drain());
    event.signal();
    event.signal();
    EXPECT_TRUE(event.drain());
    EXPECT_FALSE(event.drain());
}

TEST(RunPage, DecodesMmio) {
    gh_vcpu_run page{};
    page.exit_reason = GH_VCPU_EXIT_MMIO;
    page.mmio.phys_addr = 0x900'0018;
    page.mmio.len = 4;
    const auto read = std::get<MmioRead>(decode_exit(page));
    EXPECT_EQ(read.address, 0x900'0018U);
    EXPECT_EQ(read.size, 4U);
    page.mmio.is_write = 1;
    for (unsigned index = 0; index < 8; ++index) {
        page.mmio.data[index] = static_cast<std::uint8_t>(0x11 * (index + 1));
    }
    EXPECT_EQ(std::get<MmioWrite>(decode_exit(page)).value, 0x4433'2211U);
    page.mmio.len = 8;
    EXPECT_EQ(std::get<MmioWrite>(decode_exit(page)).value, 0x8877'6655'4433'2211U);
}

TEST(RunPage, RefusesImpossibleMmioSizes) {
    gh_vcpu_run page{};
    page.exit_reason = GH_VCPU_EXIT_MMIO;
    page.mmio.is_write = 1;
    for (const std::uint32_t length : {0U, 3U, 5U, 9U, 16U, 0xffffffffU}) {
        page.mmio.len = length;
        EXPECT_TRUE(std::holds_alternative<UnknownExit>(decode_exit(page))) << length;
    }
}

TEST(RunPage, DecodesTheEnd) {
    gh_vcpu_run page{};
    page.exit_reason = GH_VCPU_EXIT_STATUS;
    page.status.status = GH_VM_STATUS_EXITED;
    page.status.exit_info.type = GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET;
    page.status.exit_info.reason_size = 0xffff; // the Resource Manager's value may exceed 8
    page.status.exit_info.reason[7] = 0x80;
    const auto stopped = std::get<VmStopped>(decode_exit(page));
    EXPECT_EQ(stopped.status, VmStopped::Status::exited);
    EXPECT_EQ(stopped.type, ExitType::reset);
    EXPECT_EQ(stopped.reason, 0x8000'0000'0000'0000U);
    page.exit_reason = 77;
    EXPECT_EQ(std::get<UnknownExit>(decode_exit(page)).reason, 77U);
}

} // namespace
} // namespace gunyah
