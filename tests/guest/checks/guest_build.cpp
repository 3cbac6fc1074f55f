// SPDX-License-Identifier: BSD-3-Clause
// The life of a VM as the Resource Manager's requests make it: created, refused, started, ended,
// and nothing left of it.
#include "check/tables.hpp"
#include "machine/exceptions.hpp"
#include "machine/mmio.hpp"
#include "vm/guest.hpp"

#include <algorithm>

namespace test {

namespace {

struct Counter {
    std::array<char, GH_RM_COUNTER_NAME_SIZE> name{};
    std::uint64_t value = 0;

    [[nodiscard]] std::string_view text() const {
        return {name.data(),
                static_cast<std::size_t>(std::find(name.begin(), name.end(), '\0') - name.begin())};
    }
};

using Counters = rt::FixedVector<Counter, 64>;

Counters read_counters() {
    Counters counters;
    PayloadReader reply = rpc().must(GH_RM_GET_COUNTERS);
    const std::uint32_t count = reply.u32();
    for (std::uint32_t i = 0; i < count; ++i) {
        Counter counter;
        for (char& character : counter.name) {
            character = static_cast<char>(reply.u8());
        }
        counter.value = reply.u64();
        expect(counters.push_back(counter), "at most 64 counters");
    }
    expect(reply.finished() && !counters.empty(), "the counters can be read");
    return counters;
}

void expect_same(const Counters& before, const Counters& after) {
    expect_equal("number of counters", after.size(), before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i].value != after[i].value) {
            fail("counter {} was {} and is {}", before[i].text(), before[i].value, after[i].value);
        }
    }
}

bool any_grew(const Counters& before, const Counters& after) {
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (after[i].value > before[i].value) {
            return true;
        }
    }
    return false;
}

void whole_life(MemoryLayout layout, MemoryTransfer kind) {
    guest().create_and_boot(layout, kind);
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

void created_and_removed() {
    whole_life(MemoryLayout::contiguous, MemoryTransfer::share);
}

// 256 pages in the opposite order: a request of 18 messages, and no two neighbours join.
void scattered_memory() {
    whole_life(MemoryLayout::scattered, MemoryTransfer::share);
}

// Nothing remains, and it does not matter how often.
void counters_return() {
    guest().begin();
    whole_life(MemoryLayout::scattered, MemoryTransfer::share); // tables that grow only once
    const Counters before = read_counters();
    for (int round = 0; round < 4; ++round) {
        guest().create_and_boot();
        expect(any_grew(before, read_counters()), "a VM shows in the counters");
        guest().stop();
        guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
        guest().tear_down();
        expect_same(before, read_counters());
    }
}

void counters_return_after_each_stage() {
    guest().begin();
    const Counters before = read_counters();
    guest().allocate();
    guest().deallocate();
    expect_same(before, read_counters());

    guest().allocate();
    guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    guest().reclaim();
    guest().deallocate();
    expect_same(before, read_counters());

    guest().allocate();
    guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    guest().configure_image();
    guest().initialise();
    guest().tear_down();
    expect_same(before, read_counters());
}

// What is lent is out of reach until it comes back, and then it is zero.
void lent_memory() {
    constexpr std::uint64_t probe = 0x40000;
    guest().create_and_boot(MemoryLayout::contiguous, MemoryTransfer::lend);
    std::byte* ours = guest().memory(probe);
    const auto address = reinterpret_cast<std::uint64_t>(ours);
    const auto taken = catch_exception([&] { (void)mmio::read32(address); });
    expect(taken.has_value(), "lent memory is unreachable for its owner");
    expect_equal("class", taken->ec(), ec_data_abort);
    expect_equal("fault", taken->fault_status(), fsc_alignment);
    expect_equal("FAR", taken->far, address);
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
    for (std::uint64_t offset = 0; offset < guest_ram_size; offset += 8) {
        const std::uint64_t value =
            mmio::read64(reinterpret_cast<std::uint64_t>(guest().memory(offset)));
        expect_equal("returned memory", value, 0);
    }
}

void reclaim_in_use_is_refused() {
    guest().create_and_boot();
    PayloadWriter payload;
    payload.u32(guest().parcel()).u32(0);
    const RpcReply reply = rpc().call(GH_RM_MEM_RECLAIM, payload.bytes());
    expect(reply.error != GH_RM_ERROR_OK, "memory of a running VM cannot be reclaimed");
    const RpcReply dealloc = rpc().call(GH_RM_VM_DEALLOC_VMID, guest().vmid_payload());
    expect(dealloc.error != GH_RM_ERROR_OK, "the VMID of a running VM cannot be given back");
    guest().execute(0, Operation::nothing); // it goes on
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

// Requests in states in which they make no sense; the VM and the Resource Manager survive.
void wrong_order() {
    guest().begin();
    guest().allocate();
    for (const std::uint32_t id : {GH_RM_VM_START, GH_RM_VM_INIT, GH_RM_VM_RESET}) {
        if (rpc().call(id, guest().vmid_payload()).error == GH_RM_ERROR_OK) {
            fail("request {x} was accepted right after VM_ALLOC_VMID", id);
        }
    }
    guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    guest().configure_image();
    expect(rpc().call(GH_RM_VM_START, guest().vmid_payload()).error != GH_RM_ERROR_OK,
           "VM_START before VM_INIT is refused");
    guest().initialise();
    expect(rpc().call(GH_RM_VM_INIT, guest().vmid_payload()).error != GH_RM_ERROR_OK,
           "a second VM_INIT is refused");
    guest().read_resources();
    guest().start();
    expect(rpc().call(GH_RM_VM_START, guest().vmid_payload()).error != GH_RM_ERROR_OK,
           "a second VM_START is refused");
    guest().run_to_signal(0);
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

void expect_init_refused(const GuestTreeOptions& options) {
    guest().begin();
    guest().allocate();
    guest().fill_memory(options);
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    PayloadWriter payload;
    payload.u16(guest().vmid()).u16(GH_RM_AUTH_NONE).u32(guest().parcel()).u64(0).u64(0);
    payload.u64(guest_dtb).u64(guest_dtb_size);
    std::uint32_t error = rpc().call(GH_RM_VM_CONFIG_IMAGE, payload.bytes()).error;
    if (error == GH_RM_ERROR_OK) {
        error = rpc().call(GH_RM_VM_INIT, guest().vmid_payload()).error;
    }
    expect(error != GH_RM_ERROR_OK, "the VM's device tree is refused");
    guest().begin(); // removes it, in whatever state that left it
    expect_equal("own VMID", rpc().must(GH_RM_VM_GET_VMID).u32(), GH_VMID_PRIMARY);
}

void bad_trees_are_refused() {
    expect_init_refused({.base_address = guest_ram_base, .cpus = guest_cpus, .config = false});
    expect_init_refused({.base_address = guest_ram_base + 0x1000, .cpus = guest_cpus});
    expect_init_refused({.base_address = 0x20000000, .cpus = guest_cpus});
    expect_init_refused({.base_address = ~std::uint64_t{0x1fffff}, .cpus = guest_cpus});
    expect_init_refused({.base_address = guest_ram_base, .cpus = 0});
    expect_init_refused(
        {.base_address = guest_ram_base, .cpus = guest_cpus, .affinity = "nowhere"});
}

// A tree of noise, and offsets that point outside of the parcel.
void bad_images_are_refused() {
    guest().begin();
    guest().allocate();
    guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    struct Place {
        std::uint64_t offset;
        std::uint64_t size;
    };
    for (const Place place :
         {Place{guest_ram_size, 0x1000}, Place{guest_dtb, guest_ram_size}, Place{~0ULL, 0x1000},
          Place{guest_dtb, ~0ULL}, Place{guest_dtb, 0}, Place{0x1000, 0x1000}}) {
        PayloadWriter payload;
        payload.u16(guest().vmid()).u16(GH_RM_AUTH_NONE).u32(guest().parcel()).u64(0).u64(0);
        payload.u64(place.offset).u64(place.size);
        std::uint32_t error = rpc().call(GH_RM_VM_CONFIG_IMAGE, payload.bytes()).error;
        if (error == GH_RM_ERROR_OK) {
            error = rpc().call(GH_RM_VM_INIT, guest().vmid_payload()).error;
            guest().begin();
            guest().allocate();
            guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
            guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
        }
        if (error == GH_RM_ERROR_OK) {
            fail("a device tree at {x}, size {x}, was accepted", place.offset, place.size);
        }
    }
    guest().begin();
}

// Memory that is not this VM's to give: the hypervisor's, a device's, none.
void foreign_memory_is_refused() {
    guest().begin();
    guest().allocate();
    struct Place {
        std::uint64_t base;
        std::uint64_t size;
    };
    const std::uint64_t ram = board().ram[0].base;
    for (const Place place :
         {Place{ram - 0x1000, 0x1000}, Place{board().uart, 0x1000},
          Place{board().distributor.base, 0x10000}, Place{0x3f'0000'0000, 0x1000},
          Place{ram + 1, 0x1000}, Place{ram, 0x1001}, Place{ram, 0}, Place{~0ULL - 0xfff, 0x1000},
          Place{ram, ~0ULL - 0xfff}}) {
        PayloadWriter payload;
        payload.u8(GH_RM_MEM_TYPE_NORMAL).u8(0).u8(0).u8(0).u32(0);
        payload.u32(1).u16(guest().vmid()).u8(7).u8(0);
        payload.u16(1).u16(0).u64(place.base).u64(place.size).u32(0);
        for (const std::uint32_t id : {GH_RM_MEM_SHARE, GH_RM_MEM_LEND}) {
            if (rpc().call(id, payload.bytes()).error == GH_RM_ERROR_OK) {
                fail("{x} bytes at {x} could be given", place.size, place.base);
            }
        }
    }
    guest().deallocate();
}

void revoked_capabilities() {
    guest().create_and_boot();
    const std::uint64_t vcpu = guest().vcpu_cap(0);
    const std::uint64_t bell = guest().bell_cap();
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
    const auto is_gone = [](std::int64_t error) {
        return error == GH_ERROR_CSPACE_CAP_NULL || error == GH_ERROR_CSPACE_CAP_REVOKED;
    };
    expect(is_gone(hypercall(GH_VCPU_RUN, vcpu).error), "the vCPU's capability is gone");
    expect(is_gone(hypercall(GH_DOORBELL_SEND, bell, 1).error), "the doorbell's is gone");
}

constexpr Check checks[] = {
    {"vm.created_and_removed", created_and_removed},
    {"vm.scattered_memory", scattered_memory},
    {"vm.counters_return", counters_return, Needs::hypervisor, 60'000},
    {"vm.counters_return_after_each_stage", counters_return_after_each_stage, Needs::hypervisor,
     30'000},
    {"vm.lent_memory", lent_memory, Needs::hypervisor, 30'000},
    {"vm.reclaim_in_use_is_refused", reclaim_in_use_is_refused},
    {"vm.wrong_order", wrong_order},
    {"vm.bad_trees_are_refused", bad_trees_are_refused, Needs::hypervisor, 30'000},
    {"vm.bad_images_are_refused", bad_images_are_refused, Needs::hypervisor, 30'000},
    {"vm.foreign_memory_is_refused", foreign_memory_is_refused},
    {"vm.revoked_capabilities", revoked_capabilities},
};

} // namespace

std::span<const Check> guest_build_checks() {
    return checks;
}

} // namespace test
