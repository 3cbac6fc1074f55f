// SPDX-License-Identifier: BSD-3-Clause
// A booted Resource Manager on the model, and a stand-in for Linux in the primary VM that speaks
// its protocol.
#pragma once

#include "service/resource_manager.hpp"
#include "testing/guest_tree_source.hpp"
#include "testing/model_hypervisor.hpp"

#include <bitset>
#include <string>

namespace rm::testing {

class ModelInterrupts final : public LocalInterrupts {
public:
    explicit ModelInterrupts(VirqAllocator& virqs) : LocalInterrupts(virqs) {}
    void enable(std::uint32_t intid) override { enabled.set(intid); }
    void disable(std::uint32_t intid) override { enabled.reset(intid); }
    std::bitset<1020> enabled;
};

class CapturingSink final : public rt::Sink {
public:
    void write(std::string_view text) override { lines.append(text); }
    std::string lines;
};

using Bytes = std::vector<std::byte>;

struct Reply {
    std::uint32_t error = 0xdeadbeef;
    Bytes payload;
};
struct Notification {
    std::uint32_t id;
    Bytes payload;
};

/// Little-endian bytes of a list of integers.
template <typename... Integers>
Bytes wire(Integers... values) {
    Bytes bytes;
    const auto add = [&](auto value) {
        for (std::size_t i = 0; i < sizeof(value); ++i) {
            bytes.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i)));
        }
    };
    (add(values), ...);
    return bytes;
}
inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

class PrimaryLinux {
public:
    /// Boots on QEMU virt's tree with 2 CPUs and 2 GiB.
    PrimaryLinux();
    ~PrimaryLinux();

    // --- RPC
    Reply call(std::uint32_t id, const Bytes& payload);
    /// Without reading any answer; false when RM's queue is full.
    bool send(std::uint32_t id, std::uint16_t sequence, const Bytes& payload);
    /// Lets RM work as long as it is interrupted.
    void run();
    /// Takes what RM has sent; replies go to `replies`, by sequence.
    void receive();
    std::map<std::uint16_t, Reply> replies;
    std::vector<Notification> notifications;
    /// Sequence and id of each reply, in the order in which they came.
    std::vector<std::pair<std::uint16_t, std::uint32_t>> answered;

    // --- the v11 driver's steps
    std::uint16_t alloc();
    std::uint32_t share(std::uint16_t vmid, std::uint64_t ipa, std::uint64_t size);
    Reply config_image(std::uint16_t vmid, std::uint32_t parcel, std::uint64_t dtb_offset,
                       std::uint64_t dtb_size);
    Reply vm_call(std::uint32_t id, std::uint16_t vmid) { return call(id, wire(vmid, U16{0})); }
    /// Writes a guest's image and tree into the primary VM's RAM.
    void place_guest(std::uint64_t ipa, std::uint64_t dtb_offset,
                     const GuestTreeOptions& options = {});
    /// The vCPU's halt interrupt with the state that vcpu_run_check then shows.
    void halt_vcpu(std::uint16_t vmid, unsigned index, const VcpuState& state);
    std::shared_ptr<Object> guest_vcpu(std::uint16_t vmid, unsigned index);
    std::map<std::string, std::uint64_t> counters();

    ModelHypervisor model;
    VirqAllocator virqs{32, 1019};
    ModelInterrupts interrupts{virqs};
    CapturingSink log;
    gh_rm_boot boot{};
    std::vector<std::uint64_t> hwirqs;
    std::vector<std::byte> tree;
    std::unique_ptr<ResourceManager> manager;
    CapId to_rm; // RM's capabilities of the queues
    CapId from_rm;
    std::shared_ptr<Object> space; // the primary VM's address space

private:
    void receive_one(const Bytes& message);

    std::uint16_t sequence_ = 0;
    struct Incoming {
        std::uint8_t type = 0;
        std::uint16_t sequence = 0;
        std::uint32_t id = 0;
        unsigned missing = 0;
        Bytes content;
    };
    Incoming incoming_;
};

} // namespace rm::testing
