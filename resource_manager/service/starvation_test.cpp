// SPDX-License-Identifier: BSD-3-Clause
// RM's own memory runs out at each of its allocations in the life of a VM, one after the other:
// the request in which that happens gets a reply that says so, what gives back works at the next
// try, and nothing is left behind.
#include "testing/lifecycle_fixture.hpp"

#include <cstdlib>
#include <new>

namespace {

std::size_t until_failure = 0; // allocations, the failing one included; 0: none fails

bool fails() {
    const bool last = until_failure == 1;
    until_failure -= until_failure == 0 ? 0 : 1;
    return last;
}

} // namespace

// RM allocates in this form only; the tests and the C++ library in the other one.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fails() ? nullptr : std::malloc(size);
}
// Both forms are deleted in the same way.
void* operator new(std::size_t size) {
    void* memory = std::malloc(size);
    return memory != nullptr ? memory : throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}

namespace {

using namespace rm::testing;
using rm::Reader;

/// One whole life of a VM, in which allocation `n` of RM fails.
class StarvedLife {
public:
    StarvedLife(PrimaryLinux& linux_vm, std::size_t n) : linux_vm_(linux_vm), n_(n) {
        linux_vm_.place_guest(guest_memory, dtb_offset);
        until_failure = n;
        lead();
        survived_ = until_failure != 0;
        until_failure = 0;
    }
    /// There were fewer than `n` allocations.
    [[nodiscard]] bool survived() const { return survived_; }

private:
    void lead() {
        const Bytes vmid = repeated("VM_ALLOC_VMID", GH_RM_VM_ALLOC_VMID, wire(U16{0}, U16{0}));
        vmid_ = Reader(vmid).u16();
        const Bytes parcel =
            repeated("MEM_SHARE", GH_RM_MEM_SHARE,
                     wire(U32{0}, U32{0}, U32{2}, vmid_, U8{7}, U8{0}, U16{3}, U8{7}, U8{0}, U16{1},
                          U16{0}, guest_memory, guest_size, U32{0}));
        const std::uint32_t handle = Reader(parcel).u32();
        repeated("VM_CONFIG_IMAGE", GH_RM_VM_CONFIG_IMAGE,
                 wire(vmid_, U16{0}, handle, U64{0}, U64{0}, dtb_offset, dtb_size));
        // A VM whose start has failed is only good for being reset.
        if (once("VM_INIT", GH_RM_VM_INIT) && once("VM_START", GH_RM_VM_START)) {
            repeated("VM_GET_HYP_RESOURCES", GH_RM_VM_GET_HYP_RESOURCES, wire(vmid_, U16{0}));
            linux_vm_.halt_vcpu(vmid_, 0, powered_off);
            linux_vm_.run();
            linux_vm_.receive();
        }
        repeated("VM_RESET", GH_RM_VM_RESET, wire(vmid_, U16{0}));
        repeated("MEM_RECLAIM", GH_RM_MEM_RECLAIM, wire(handle, U32{0}));
        repeated("VM_DEALLOC_VMID", GH_RM_VM_DEALLOC_VMID, wire(vmid_, U16{0}));
    }

    Reply request(const char* name, std::uint32_t id, const Bytes& payload) {
        const bool armed = until_failure != 0;
        linux_vm_.log.lines.clear();
        Reply reply = linux_vm_.call(id, payload);
        if (reply.error != 0) {
            EXPECT_TRUE(armed && until_failure == 0) << name << " fails for another reason";
            EXPECT_EQ(reply.error, GH_RM_ERROR_NOMEM) << name << ", allocation " << n_;
            EXPECT_NE(linux_vm_.log.lines, "") << name << ": no sentence, allocation " << n_;
        }
        return reply;
    }
    bool once(const char* name, std::uint32_t id) {
        return request(name, id, wire(vmid_, U16{0})).error == 0;
    }
    Bytes repeated(const char* name, std::uint32_t id, const Bytes& payload) {
        Reply reply = request(name, id, payload);
        if (reply.error != 0) {
            reply = request(name, id, payload);
            EXPECT_EQ(reply.error, 0U) << name << " at the second try, allocation " << n_;
        }
        return reply.payload;
    }

    PrimaryLinux& linux_vm_;
    const std::size_t n_;
    std::uint16_t vmid_ = 0;
    bool survived_ = false;
};

TEST_F(LifecycleTest, WhereverMemoryRunsOutNothingIsLeft) {
    const Snapshot before = snapshot();
    std::size_t n = 1;
    for (; !StarvedLife(linux_vm, n).survived(); ++n) {
        ASSERT_EQ(snapshot(), before) << "after the failure of allocation " << n;
        ASSERT_LT(n, 1000U);
    }
    std::printf("%zu allocations failed\n", n - 1);
    EXPECT_GT(n, 15U);
}

} // namespace
