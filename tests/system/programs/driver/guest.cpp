// SPDX-License-Identifier: BSD-3-Clause
// A VM with one vCPU that does single operations on request.
#include "guest.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "runner.hpp"

extern "C" {
extern const std::byte guest_program_begin[];
extern const std::byte guest_program_end[];
extern const std::byte firmware_program_begin[];
extern const std::byte firmware_program_end[];
}

namespace driver {
namespace {

constexpr std::uint64_t tree_offset = guest_tree_address - guest_base;
constexpr std::uint64_t tree_size = 0x10000;

constexpr std::uint64_t control = 0x10000000;
constexpr std::uint64_t control_op = control + 0x00;
constexpr std::uint64_t control_address = control + 0x08;
constexpr std::uint64_t control_value = control + 0x10;
constexpr std::uint64_t control_result = control + 0x18;

std::uint64_t little_endian(const volatile std::uint8_t* bytes, std::uint32_t length) {
    std::uint64_t value = 0;
    for (std::uint32_t i = 0; i < length; ++i) {
        value |= std::uint64_t{bytes[i]} << (8 * i);
    }
    return value;
}

void copy_program(std::span<std::byte> place, const std::byte* begin, const std::byte* end) {
    std::memcpy(place.data(), begin, static_cast<std::size_t>(end - begin));
}

} // namespace

Guest::Guest(Mapping memory, const GuestOptions& options)
    : memory_{std::move(memory)}, vm_{create_vm()} {
    const std::span<std::byte> bytes = memory_.bytes();
    copy_program(bytes, guest_program_begin, guest_program_end);
    write_tree(bytes.subspan(tree_offset, tree_size), {.base = guest_base,
                                                       .cpus = options.cpus,
                                                       .firmware = options.firmware,
                                                       .bell_label = options.bell_label,
                                                       .watchdog = options.watchdog});
    const auto give = options.lend ? lend_region : set_region;
    expect_equal(give(vm(), 0, guest_base, bytes, rwx), 0, "the guest's memory");
    expect_equal(set_tree(vm(), guest_base + tree_offset, tree_size), 0, "the device tree");
    if (options.firmware != 0) {
        place_firmware(options.firmware);
    }
    const long vcpu = add_vcpu(vm(), 0);
    expect(vcpu >= 0, "vCPU 0");
    vcpu_ = FileDescriptor{static_cast<int>(vcpu)};
    run_.emplace(page, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_.get());
}

void Guest::place_firmware(std::uint64_t address) {
    std::span<std::byte> place;
    if (address >= guest_base && address < guest_base + memory().size()) {
        place = memory().subspan(address - guest_base, firmware_size);
    } else {
        place = firmware_.emplace(Mapping::anonymous(firmware_size)).bytes();
        expect_equal(lend_region(vm(), 1, address, place, rwx), 0, "the firmware's memory");
    }
    copy_program(place, firmware_program_begin, firmware_program_end);
    expect_equal(set_firmware(vm(), address, firmware_size), 0, "the firmware");
}

volatile gh_vcpu_run& Guest::run_page() const {
    return *reinterpret_cast<volatile gh_vcpu_run*>(run_->bytes().data());
}

void Guest::start() const {
    expect_equal(driver::start(vm()), 0, "GH_VM_START");
}

void Guest::answer(std::uint64_t value) const {
    for (unsigned i = 0; i < 8; ++i) {
        run_page().mmio.data[i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

// Whether to go on: not when the guest asks for the next operation.
bool Guest::serve(const Access& access, bool is_write) {
    if (is_write && access.address == control_result) {
        result_ = access.value;
    } else if (is_write) {
        accesses_.push_back(access);
    } else if (access.address == control_op) {
        asked_ = !performing_;
        performing_ = false;
        answer(static_cast<std::uint64_t>(operation_));
        return !asked_;
    } else if (access.address == control_address) {
        answer(address_);
    } else if (access.address == control_value) {
        answer(value_);
    } else {
        answer(0);
    }
    return true;
}

void Guest::perform(Operation operation, std::uint64_t address, std::uint64_t value) {
    operation_ = operation;
    address_ = address;
    value_ = value;
    accesses_.clear();
    performing_ = !asked_;
    if (asked_) {
        answer(static_cast<std::uint64_t>(operation));
        asked_ = false;
    }
    for (bool more = true; more;) {
        const long done = call(vcpu(), GH_VCPU_RUN);
        if (done == -EINTR) {
            ++interruptions_;
            continue;
        }
        expect_equal(done, 0, "GH_VCPU_RUN");
        volatile gh_vcpu_run& run = run_page();
        if (run.exit_reason == GH_VCPU_EXIT_STATUS) {
            gh_vm_exit_info info{};
            std::memcpy(&info, const_cast<gh_vm_exit_info*>(&run.status.exit_info), sizeof(info));
            expect_equal(run.status.status, GH_VM_STATUS_EXITED, "the VM's status");
            ended_ = info;
            return;
        }
        expect_equal(run.exit_reason, GH_VCPU_EXIT_MMIO, "the reason of the exit");
        const std::uint32_t length = run.mmio.len;
        expect(length <= 8, "an access of more than 8 bytes");
        more = serve({.address = run.mmio.phys_addr,
                      .length = length,
                      .value = little_endian(run.mmio.data, length)},
                     run.mmio.is_write != 0);
    }
}

} // namespace driver
