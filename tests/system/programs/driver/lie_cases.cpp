// SPDX-License-Identifier: BSD-3-Clause
// A hypervisor and a Resource Manager that lie: linux/tests/liar changes what the drivers hear.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

using namespace std::chrono_literals;

const std::string parameters = "/sys/module/gunyah_liar/parameters/";
constexpr std::size_t guest_size = 2 * mebibyte;

// States of vcpu_run, and messages, as linux/include/linux/gunyah*.h number them.
constexpr std::uint64_t state_read = 4;
constexpr std::uint64_t state_write = 5;
constexpr std::uint64_t get_hyp_resources = 0x56000020;
constexpr std::uint64_t vm_exited = 0x56100001;
// In front of a reply stand header and error code, in front of a notification the header.
constexpr std::uint64_t reply_payload = 12;
constexpr std::uint64_t notification_payload = 8;

void set(const std::string& name, std::uint64_t value) {
    std::ofstream file{parameters + name};
    file << value << std::flush;
    expect(static_cast<bool>(file), "the liar does not take " + name);
}

// One lie, told at the next occasion.
class Lie {
public:
    enum class Word { state, address, length };

    // About a vCPU that is in `state`.
    Lie(std::uint64_t state, Word word, std::uint64_t value) : kind_{"vcpu_lies"} {
        set("vcpu_state", state);
        set("vcpu_word", static_cast<std::uint64_t>(word));
        set("vcpu_value", value);
        set(kind_, 1);
    }
    // In a message: its whole size, unless 0, and 32 bits at a byte offset, unless that is 0.
    Lie(std::uint64_t message, std::uint64_t size, std::uint64_t offset, std::uint32_t value)
        : kind_{"message_lies"} {
        set("message_id", message);
        set("message_size", size);
        set("message_offset", offset);
        set("message_value", value);
        set(kind_, 1);
    }
    Lie(const Lie&) = delete;
    Lie& operator=(const Lie&) = delete;
    ~Lie() { std::ofstream{parameters + kind_} << 0 << std::flush; }

    // Waits a while until it is.
    [[nodiscard]] bool is_told() const {
        for (int wait = 0; wait < 5000; ++wait) {
            std::ifstream file{parameters + kind_};
            int left = 1;
            file >> left;
            if (left == 0) {
                return true;
            }
            std::this_thread::sleep_for(1ms);
        }
        return false;
    }

private:
    std::string kind_;
};

// What GH_VCPU_RUN did not do.
std::string refusal(Guest& guest, Operation operation) {
    try {
        guest.perform(operation, guest_device, 5);
    } catch (const Mismatch& mismatch) {
        return mismatch.what();
    }
    return "";
}

// Finding 23: a length of the hypervisor's is no number of bytes to copy. Nothing but the exit's
// own fields is written, and the guest goes on.
void length_of_an_access_is_bounded() {
    constexpr std::size_t behind_exit = 64;
    constexpr std::byte untouched{0xa5};
    Guest guest{Mapping::anonymous(guest_size)};
    guest.start();
    const auto run_page = std::as_writable_bytes(std::span{
        const_cast<std::uint8_t*>(reinterpret_cast<volatile std::uint8_t*>(&guest.run_page())),
        page});
    std::ranges::fill(run_page.subspan(behind_exit), untouched);
    for (const std::uint64_t state : {state_read, state_write}) {
        for (const std::uint64_t length :
             {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{9}, std::uint64_t{16},
              std::uint64_t{64}, std::uint64_t{4096}, (std::uint64_t{1} << 32) + 4,
              ~std::uint64_t{0}}) {
            std::string where = "state " + std::to_string(state);
            where.append(", length ").append(std::to_string(length));
            const Lie lie{state, Lie::Word::length, length};
            const std::string said = refusal(guest, Operation::write_4);
            expect(lie.is_told(), "nothing was said to the driver");
            where.append(": ").append(said);
            expect(said == "GH_VCPU_RUN: -5 instead of 0", where);
            expect(std::ranges::all_of(run_page.subspan(behind_exit),
                                       [](std::byte byte) { return byte == untouched; }),
                   where + ": bytes behind the exit are written");
        }
    }
    guest.perform(Operation::write_4, guest_device, 7);
    expect_equal(static_cast<long>(guest.accesses().size()), 1, "writes after all lies");
    expect_equal(static_cast<long>(guest.accesses()[0].value), 7, "what was written");
}

// Finding 23: in v11 some states make the loop spin for ever. Each waits for the VM's end for a
// while, so all at once.
void states_that_cannot_be_have_an_end() {
    constexpr std::array<std::uint64_t, 4> states{6, 7, 0x100, 0xdead'beef};
    struct Run {
        Guest guest{Mapping::anonymous(guest_size)};
        long done = 1;
        std::jthread thread;
    };
    std::array<Run, states.size()> runs;
    for (std::size_t i = 0; i < states.size(); ++i) {
        Run& run = runs.at(i);
        run.guest.start();
        const Lie lie{state_read, Lie::Word::state, states.at(i)};
        run.thread = std::jthread{[&run] { run.done = call(run.guest.vcpu(), GH_VCPU_RUN); }};
        expect(lie.is_told(), "nothing was said to the driver");
    }
    for (std::size_t i = 0; i < states.size(); ++i) {
        Run& run = runs.at(i);
        run.thread.join();
        const std::string where = "state " + std::to_string(states.at(i));
        expect_equal(run.done, 0, where);
        expect_equal(run.guest.run_page().exit_reason, GH_VCPU_EXIT_STATUS, where + ": the exit");
    }
}

// Findings 23 and 27: a reply with another number of entries than it has bytes for.
void resources_are_counted() {
    constexpr std::uint32_t entry = 44;
    struct Said {
        std::uint64_t size;
        std::uint32_t entries;
    };
    const std::vector<Said> all{
        {0, 0},
        {0, 2},
        {0, 0xffff'ffff},
        {0, 0x05d1'745e}, // times 44: 8
        {0, 0x8000'0001},
        {reply_payload, 1},
        {reply_payload + 3, 1},
        {reply_payload + 4, 1},
        {reply_payload + 4, 0xffff'ffff},
        {reply_payload + 4 + entry - 1, 1},
        {reply_payload + 4 + entry + 1, 1},
        {240, 5},
        {8, 1},
        {11, 1},
    };
    for (const Said& said : all) {
        const std::string where =
            std::to_string(said.size) + " bytes, " + std::to_string(said.entries) + " entries";
        const Lie lie{get_hyp_resources, said.size, reply_payload, said.entries};
        const Guest guest{Mapping::anonymous(guest_size)};
        expect_equal(start(guest.vm()), -EBADMSG, where);
        expect(lie.is_told(), where + ": nothing was said to the driver");
    }
}

// Finding 27: neither more than announced nor more than there is.
void reason_of_an_exit_is_bounded() {
    for (const std::uint32_t size : {0xffff'ffffU, 0x8000'0000U, 9U, 4096U}) {
        Guest guest{Mapping::anonymous(guest_size)};
        guest.start();
        const Lie lie{vm_exited, 0, notification_payload + 4, size};
        guest.perform(Operation::system_off);
        expect(lie.is_told(), "nothing was said to the driver");
        expect(guest.ended().has_value(), "the VM has not ended");
        expect(guest.ended()->reason_size <= GH_VM_MAX_EXIT_REASON_SIZE, "too long a reason");
    }
}

// A VM_EXITED that is no whole one is none: the vCPU sleeps until it is removed, and the VM, which
// the Resource Manager does not have to stop any more, comes to its end.
void notifications_that_are_short_are_none() {
    for (const std::uint64_t size : {std::uint64_t{8}, std::uint64_t{15}, ~std::uint64_t{0}}) {
        Guest guest{Mapping::anonymous(guest_size)};
        guest.start();
        const Lie lie{vm_exited, size, 0, 0};
        std::string said;
        std::jthread runner{[&guest, &said] { said = refusal(guest, Operation::system_off); }};
        expect(lie.is_told(), "nothing was said to the driver");
        expect_equal(remove_vcpu(guest.vm(), 0), 0, "removing the vCPU");
        runner.join();
        expect(said == "GH_VCPU_RUN: -19 instead of 0",
               "size " + std::to_string(size) + ": " + said);
    }
}

long hook_balance() {
    std::ifstream file{parameters + "hook_balance"};
    long value = -1;
    file >> value;
    return value;
}

// Part 15 of the series: a platform is asked about every region, and may refuse.
void hooks_of_the_platform_are_asked() {
    const long locked = locked_kib();
    {
        const Guest guest{Mapping::anonymous(guest_size)};
        const Mapping second = Mapping::anonymous(mebibyte);
        expect_equal(set_region(guest.vm(), 1, 2 * guest_base, second.bytes()), 0, "a region");
        set("hook_spared", 1);
        set("hook_refusals", 1);
        expect_equal(start(guest.vm()), -EPERM, "a start that the platform refuses");
        expect_equal(start(guest.vm()), -ENODEV, "a second start");
        expect_equal(hook_balance(), 0, "parcels of the platform after the refusal");
        expect_equal(locked_kib() - locked, 0, "KiB locked after the refusal");
    }
    {
        Guest guest{Mapping::anonymous(guest_size)};
        guest.start();
        guest.perform(Operation::write_4, guest_device, 5);
        expect_equal(hook_balance(), 1, "parcels of the platform while a guest runs");
    }
    expect_equal(hook_balance(), 0, "parcels of the platform after the guest's end");
}

constexpr std::array cases{
    Case{"lie_length_of_an_access_is_bounded", length_of_an_access_is_bounded},
    Case{"lie_states_that_cannot_be_have_an_end", states_that_cannot_be_have_an_end},
    Case{"lie_resources_are_counted", resources_are_counted},
    Case{"lie_reason_of_an_exit_is_bounded", reason_of_an_exit_is_bounded},
    Case{"lie_hooks_of_the_platform_are_asked", hooks_of_the_platform_are_asked},
    Case{"lie_notifications_that_are_short_are_none", notifications_that_are_short_are_none},
};

} // namespace

std::span<const Case> lie_cases() {
    return ::access(parameters.c_str(), F_OK) == 0 ? std::span<const Case>{cases}
                                                   : std::span<const Case>{};
}

} // namespace driver
