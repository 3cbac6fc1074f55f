// SPDX-License-Identifier: BSD-3-Clause
// A model of the hypervisor for RM's host tests: objects, capabilities, ownership and mappings as
// the public API document defines them, strict about states and rights, with counters and fault
// injection. Tests only; nothing of it is in the product.
#pragma once

#include "calls/hypervisor.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rm::testing {

struct Object {
    explicit Object(unsigned creation) : type(creation) {}
    unsigned type; // creating hypercall
    bool active = false;
    bool configured = false;

    // cspace
    struct Slot {
        std::shared_ptr<Object> object;
        std::uint64_t rights;
    };
    std::map<std::uint64_t, Slot> slots;

    // addrspace: IPA page -> physical page and attributes
    struct Mapping {
        std::uint64_t physical;
        std::uint64_t attributes;
        Object* extent;
    };
    std::map<std::uint64_t, Mapping> pages;
    std::uint64_t vmid = 0;
    std::map<std::uint64_t, std::pair<unsigned, std::uint64_t>> vdevices; // base -> index, size
    std::vector<std::pair<std::uint64_t, std::uint64_t>> vmmio;

    // memextent
    std::shared_ptr<Object> parent;
    std::uint64_t base = 0;
    std::uint64_t size = 0;
    bool sparse = false;

    // thread
    std::shared_ptr<Object> thread_cspace, thread_addrspace, thread_vic, thread_group,
        thread_watchdog;
    unsigned index = 0;
    std::optional<unsigned> affinity;
    unsigned priority = GH_VCPU_PRIORITY_DEFAULT;
    std::uint64_t timeslice = 0;
    std::uint64_t options = 0;
    std::uint64_t stolen_time = 0;
    bool powered = false;
    bool killed = false;
    std::uint64_t entry = 0;
    std::uint64_t context = 0;
    VcpuState halt{GH_VCPU_STATE_POWERED_OFF, {}};
    bool halted = false;

    // vic: virq -> source description
    std::map<std::uint32_t, Object*> bound;
    unsigned max_vcpus = 0;
    // sources: kind -> (vic, virq)
    std::map<unsigned, std::pair<std::shared_ptr<Object>, std::uint32_t>> bindings;

    // msgqueue
    std::deque<std::vector<std::byte>> messages;
    std::size_t depth = 0;
    std::size_t message_size = 0;

    ~Object();
};

class ModelHypervisor final : public Hypervisor {
public:
    static constexpr std::uint64_t window_ipa = 0xc000'0000;
    static constexpr std::size_t window_size = 64U << 20;

    ModelHypervisor();
    ~ModelHypervisor() override;

    // --- what the hypervisor gives RM at boot
    CapId add_ram(std::uint64_t base, std::uint64_t size);
    CapId partition, cspace, addrspace, vcpu, vic, device_extent;
    CapId add_hwirq();
    std::byte* window_view() const { return window_; }

    // --- what tests look at and do
    /// Bytes of physical memory, made when first touched.
    std::byte* physical(std::uint64_t address);
    void write(std::uint64_t address, const void* data, std::size_t size);
    std::shared_ptr<Object> object(CapId cap, CapId in = {}) const;
    std::size_t objects() const;
    std::size_t capabilities() const;
    std::size_t mapped_pages() const;
    std::vector<std::shared_ptr<Object>> all(ObjectType type) const;
    /// The n-th hypercall from now (0 = the next one) fails with `error`, once.
    void fail_call(std::size_t n, rt::Error error = rt::Error::no_memory);
    bool fault_pending() const { return fail_at_.has_value(); }
    std::size_t calls = 0;
    std::map<unsigned, std::size_t> calls_by_number;
    std::uint64_t longest_change = 0; // of an address space's mappings by one call, bytes
    std::string console;
    /// Interrupts asserted on RM's VIC since the last look.
    std::set<std::uint32_t> raised;
    bool entropy_available = true;
    std::set<std::uint64_t> cleaned; // physical pages cleaned from the caches

    /// The peer's side of a message queue.
    bool peer_send(CapId queue, std::vector<std::byte> message);
    std::optional<std::vector<std::byte>> peer_receive(CapId queue);

protected:
    Outcome hypercall(unsigned number, const Arguments& x) override;

private:
    using Ref = std::shared_ptr<Object>;
    static constexpr std::uint64_t all_rights = GH_RIGHTS_ALL;

    rt::Result<Outcome> dispatch(unsigned number, const Arguments& x);
    rt::Result<Outcome> create_object(unsigned type, const Arguments& x);
    rt::Result<Outcome> copy(const Arguments& x);
    rt::Result<Outcome> remove(const Arguments& x);
    rt::Result<Outcome> attach(unsigned number, const Arguments& x);
    rt::Result<Outcome> map(const Arguments& x);
    rt::Result<Outcome> unmap(const Arguments& x);
    rt::Result<Outcome> extent_call(unsigned number, const Arguments& x);
    rt::Result<Outcome> modify(const Arguments& x);
    rt::Result<Outcome> donate(const Arguments& x);
    rt::Result<Outcome> configure(unsigned number, const Arguments& x);
    rt::Result<Outcome> vcpu_call(unsigned number, const Arguments& x);
    rt::Result<Outcome> bind(unsigned number, const Arguments& x);
    rt::Result<Outcome> queue_call(unsigned number, const Arguments& x);

    rt::Result<Ref> lookup(std::uint64_t cap, unsigned type, std::uint64_t rights);
    CapId give(Ref object);
    Ref make(unsigned type);
    void unmap_page(Object& space, std::uint64_t ipa);
    void assert_virq(Object& source, unsigned kind);
    bool is_own(const Object& space) const;

    int memory_file_ = -1;
    std::byte* window_ = nullptr;
    Ref own_cspace_;
    Ref own_addrspace_;
    Ref own_vic_;
    std::vector<std::weak_ptr<Object>> everything_;
    std::map<std::uint64_t, std::uint64_t> file_offset_; // physical page -> offset in the file
    std::map<std::uint64_t, std::byte*> page_view_;
    std::map<std::uint64_t, Object*> owner_; // physical page -> extent
    std::map<std::uint64_t, unsigned> map_count_;
    std::uint64_t next_cap_ = 0x1000;
    std::optional<std::size_t> fail_at_;
    rt::Error fail_with_ = rt::Error::no_memory;
};

} // namespace rm::testing
