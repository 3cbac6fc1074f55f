// SPDX-License-Identifier: BSD-3-Clause
// A VM with one vCPU that does single operations on request.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "guest_tree.hpp"
#include "ioctls.hpp"
#include "memory.hpp"

namespace driver {

// The numbers that guest_program.S knows. The write operations are their size in bytes.
enum class Operation : std::uint64_t {
    write_1 = 1,
    write_2 = 2,
    write_4 = 4,
    write_8 = 8,
    read_8 = 16, // of the guest's memory; the result is Guest::result()
    count = 17,  // writes 1, 2, ... value to the address
    spin = 18,   // for ever
    system_off = 19,
    system_reset = 20,
    starve_watchdog = 21, // which bites after value milliseconds
    jump = 22,            // to the address; where nothing is, one exception follows the other
};

// A write of the guest that came back to the VMM.
struct Access {
    std::uint64_t address;
    std::uint32_t length;
    std::uint64_t value;
};

constexpr std::uint64_t guest_base = 0x80000000;
constexpr std::uint64_t guest_tree_address = guest_base + 0x100000;
constexpr std::uint64_t guest_device = 0x10100000; // any address that nobody serves

struct GuestOptions {
    std::uint32_t cpus = 1;
    std::uint32_t bell_label = 0;
    bool lend = false;
    bool watchdog = false;
    std::uint64_t firmware = 0; // where it starts, as a protected VM; 0: it is none
};

// Where guest_program.S's firmware notes what it was started with, from its own beginning.
constexpr std::uint64_t firmware_note = 0x800;
constexpr std::size_t firmware_size = page;

class Guest {
public:
    // Prepares the VM down to its vCPU 0. Not started.
    explicit Guest(Mapping memory, const GuestOptions& options = {});

    [[nodiscard]] int vm() const { return vm_.get(); }
    [[nodiscard]] int vcpu() const { return vcpu_.get(); }
    [[nodiscard]] volatile gh_vcpu_run& run_page() const;
    [[nodiscard]] std::span<std::byte> memory() const { return memory_.bytes(); }
    [[nodiscard]] std::span<std::byte> firmware() const { return firmware_->bytes(); }
    void close_vm() { vm_ = FileDescriptor{}; }
    void close_vcpu() {
        run_.reset();
        vcpu_ = FileDescriptor{};
    }
    void start() const;

    // Has the guest do it, until it asks for the next one or ends. Writes that nobody in the
    // kernel served are in accesses(). Goes on after EINTR.
    void perform(Operation operation, std::uint64_t address = 0, std::uint64_t value = 0);
    [[nodiscard]] const std::vector<Access>& accesses() const { return accesses_; }
    [[nodiscard]] std::uint64_t result() const { return result_; }
    // Whether the VM has ended, and how.
    [[nodiscard]] const std::optional<gh_vm_exit_info>& ended() const { return ended_; }
    [[nodiscard]] int interruptions() const { return interruptions_; }

private:
    void place_firmware(std::uint64_t address);
    bool serve(const Access& read_or_write, bool is_write);
    void answer(std::uint64_t value) const;

    Mapping memory_;
    std::optional<Mapping> firmware_; // if it is not within memory_
    FileDescriptor vm_;
    FileDescriptor vcpu_;
    std::optional<Mapping> run_;
    std::vector<Access> accesses_;
    std::uint64_t result_ = 0;
    std::optional<gh_vm_exit_info> ended_;
    int interruptions_ = 0;
    Operation operation_ = Operation::spin;
    std::uint64_t address_ = 0;
    std::uint64_t value_ = 0;
    bool asked_ = false; // its question for an operation waits for an answer
    bool performing_ = false;
};

} // namespace driver
