// SPDX-License-Identifier: BSD-3-Clause
// Calls on address spaces, extents and partitions.
#include "hypercall/testing/calls_fixture.hpp"

namespace hyp {
namespace {

constexpr std::uint64_t rwx = GH_ACCESS_RWX << GH_MAP_ATTR_KERNEL_SHIFT;
constexpr std::uint64_t write_back = rwx | 15ULL << GH_MAP_ATTR_MEMTYPE_SHIFT;
constexpr std::uint64_t sparse = GH_ACCESS_RWX | std::uint64_t{GH_MEMEXTENT_TYPE_SPARSE}
                                                     << GH_MEMEXTENT_ATTR_TYPE_SHIFT;
constexpr std::uint64_t part = GH_MAP_FLAG_PARTIAL;

class MemoryCalls : public CallsTest {
protected:
    CapId make_space() {
        const CapId space = create(GH_PARTITION_CREATE_ADDRSPACE);
        EXPECT_EQ(call(GH_ADDRSPACE_CONFIGURE, {space, 0x10000}), GH_ERROR_ARG_INVAL);
        EXPECT_EQ(call(GH_ADDRSPACE_CONFIGURE, {space, 0x80}), GH_ERROR_OK);
        activate(space);
        return space;
    }
    /// A child of the VM's RAM, of `count` pages from page `first` on, owning nothing.
    CapId make_child(std::uint64_t first, std::uint64_t count) {
        const CapId child = create(GH_PARTITION_CREATE_MEMEXTENT);
        EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE_DERIVE,
                       {child, ram_, first * page_size, count * page_size, sparse}),
                  GH_ERROR_OK);
        activate(child);
        return child;
    }
};

TEST_F(MemoryCalls, MappingsComeChangeAndGo) {
    const CapId space = make_space();
    const auto map = [&](std::uint64_t base, std::uint64_t attributes, std::uint64_t flags) {
        return call(GH_ADDRSPACE_MAP, {space, ram_, base, attributes, flags, 0, 2 * page_size});
    };
    EXPECT_EQ(map(0x1000, write_back, 2), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(map(0x1000, 0, part), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(map(0x1001, write_back, part), GH_ERROR_ARG_ALIGN);
    EXPECT_EQ(map(0x1000, write_back, part | GH_MAP_FLAG_NOSYNC), GH_ERROR_OK);
    EXPECT_EQ(map(0x2000, write_back, part), GH_ERROR_EXISTING_MAPPING);
    EXPECT_EQ(call(GH_ADDRSPACE_LOOKUP, {space, ram_, 0x2000, 4 * page_size}), GH_ERROR_OK);
    EXPECT_EQ(x(1), page_size);
    EXPECT_EQ(x(2), page_size);
    EXPECT_EQ(call(GH_ADDRSPACE_LOOKUP, {space, ram_, 0x2000, page_size, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_ADDRSPACE_LOOKUP, {space, ram_, 0x8000, page_size}), GH_ERROR_ADDR_INVAL);
    EXPECT_EQ(call(GH_ADDRSPACE_LOOKUP, {space, space, 0x2000, page_size}),
              GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    const auto update = [&](std::uint64_t access) {
        return call(GH_ADDRSPACE_UPDATE_ACCESS,
                    {space, ram_, 0x1000, access << GH_MAP_ATTR_KERNEL_SHIFT, part, 0, page_size});
    };
    EXPECT_EQ(update(0), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(update(GH_ACCESS_R), GH_ERROR_OK);
    EXPECT_FALSE(object<AddressSpace>(space)->permits({0x1000}, GH_ACCESS_W));
    EXPECT_TRUE(object<AddressSpace>(space)->permits({0x2000}, GH_ACCESS_W));
    EXPECT_EQ(call(GH_ADDRSPACE_UNMAP, {space, ram_, 0x1000, part, 0, 2 * page_size}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_ADDRSPACE_UNMAP, {space, ram_, 0x1000, part, 0, page_size}),
              GH_ERROR_ARG_INVAL);
}

TEST_F(MemoryCalls, RangesOfAVmmAreAddedAndRemoved) {
    const CapId space = make_space();
    const auto change = [&](std::uint64_t operation) {
        return call(GH_ADDRSPACE_CONFIGURE_VMMIO, {space, 0x1000, 0x2000, operation});
    };
    EXPECT_EQ(change(GH_VMMIO_REMOVE_RANGE), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(change(GH_VMMIO_ADD_RANGE), GH_ERROR_OK);
    EXPECT_TRUE(object<AddressSpace>(space)->is_vmmio({{0x1000}, 4}));
    EXPECT_EQ(change(GH_VMMIO_ADD_RANGE), GH_ERROR_ARG_INVAL) << "it overlaps";
    EXPECT_EQ(change(GH_VMMIO_REMOVE_RANGE), GH_ERROR_OK);
    EXPECT_EQ(change(2), GH_ERROR_UNIMPLEMENTED);
}

TEST_F(MemoryCalls, VirtualDevicesAreThoseOfAVic) {
    const CapId space = make_space();
    const auto attach = [&](CapId vic, std::uint64_t interface) {
        return call(GH_ADDRSPACE_ATTACH_VDEVICE, {space, vic, interface, 0x10000, 0x10000});
    };
    EXPECT_EQ(attach(vic_, 99), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(attach(ram_, 0), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(attach(vic_, 0), GH_ERROR_OK);
    EXPECT_EQ(attach(vic_, 1), GH_ERROR_BUSY);
    EXPECT_TRUE(object<AddressSpace>(space)->may_be_vdevice({0x10004}));
    EXPECT_EQ(call(GH_ADDRSPACE_ATTACH_VDMA, {space, vic_, 0}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_ADDRSPACE_ATTACH_VDMA, {space, 0, 0}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_VIC_BIND_MSI_SOURCE, {vic_, ram_}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_VIC_BIND_MSI_SOURCE, {vic_, 0}), GH_ERROR_CSPACE_CAP_NULL);
}

TEST_F(MemoryCalls, AVicIsConfiguredOnce) {
    const CapId vic = create(GH_PARTITION_CREATE_VIC);
    EXPECT_EQ(call(GH_VIC_CONFIGURE, {vic, 0, 32}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VIC_CONFIGURE, {vic, 2, 32, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_VIC_CONFIGURE, {vic, 2, 32}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_VIC_ATTACH_VCPU, {vic, own_, 0}), GH_ERROR_OBJECT_STATE);
    activate(vic);
    EXPECT_EQ(call(GH_VIC_CONFIGURE, {vic, 2, 32}), GH_ERROR_OBJECT_STATE);
    EXPECT_EQ(call(GH_VIC_ATTACH_VCPU, {vic, 0, 0}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(object<Vic>(vic)->max_vcpus(), 2U);
}

TEST_F(MemoryCalls, TheInfoAreaIsPartOfASpacesConfiguration) {
    const CapId page = create(GH_PARTITION_CREATE_MEMEXTENT);
    const std::uint64_t base = fake::vm_ram.base.value + 64 * page_size;
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE, {page, base, page_size, GH_ACCESS_RWX}), GH_ERROR_OK);
    activate(page);
    const CapId space = create(GH_PARTITION_CREATE_ADDRSPACE);
    EXPECT_EQ(call(GH_ADDRSPACE_CONFIGURE, {space, 0x80}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_ADDRSPACE_CONFIGURE_INFO_AREA, {space, page, 0x3000, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_ADDRSPACE_CONFIGURE_INFO_AREA, {space, page, 0x3000}), GH_ERROR_OK);
    activate(space);
    EXPECT_TRUE(object<AddressSpace>(space)->permits({0x3000}, GH_ACCESS_R));
    EXPECT_FALSE(object<AddressSpace>(space)->permits({0x3000}, GH_ACCESS_W));
}

TEST_F(MemoryCalls, ExtentsComeOfRamAlone) {
    const CapId extent = create(GH_PARTITION_CREATE_MEMEXTENT);
    const std::uint64_t base = fake::vm_ram.base.value + 64 * page_size;
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE, {extent, 0x1000, page_size, GH_ACCESS_RWX}),
              GH_ERROR_DENIED)
        << "no RAM";
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE, {extent, ~0ULL << 12, 2 * page_size, GH_ACCESS_RWX}),
              GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE, {extent, base, page_size, 1ULL << 40}),
              GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE_DERIVE, {extent, ram_, 0, page_size, 1ULL << 40}),
              GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE_DERIVE, {extent, 0, 0, page_size, sparse}),
              GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_MEMEXTENT_CONFIGURE, {extent, base, page_size, GH_ACCESS_RWX}), GH_ERROR_OK);
}

TEST_F(MemoryCalls, ContentIsChangedPageByPage) {
    const auto modify = [&](std::uint64_t operation, std::uint64_t offset, std::uint64_t size) {
        return call(GH_MEMEXTENT_MODIFY, {ram_, operation, offset, size});
    };
    constexpr std::uint64_t at_once = GH_MEMEXTENT_MODIFY_NOSYNC;
    byte_at(memory + 5) = 1;
    byte_at(memory + page_size) = 2;
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_ZERO_RANGE, 0, page_size), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_ZERO_RANGE | at_once, 0, page_size), GH_ERROR_OK);
    EXPECT_EQ(byte_at(memory + 5), 0);
    EXPECT_EQ(byte_at(memory + page_size), 2);
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE | at_once, 0, page_size), GH_ERROR_OK);
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE | at_once, 0, page_size), GH_ERROR_OK);
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_SYNC_ALL, 0, 0), GH_ERROR_OK);
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_SYNC_ALL | at_once, 0, 0), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(modify(77, 0, 0), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(modify(1ULL << 40, 0, 0), GH_ERROR_ARG_INVAL);
    EXPECT_TRUE(vm_->memory->permits({memory}, GH_ACCESS_R));
    EXPECT_EQ(modify(GH_MEMEXTENT_MODIFY_UNMAP_ALL, 0, 0), GH_ERROR_OK);
    EXPECT_FALSE(vm_->memory->permits({memory}, GH_ACCESS_R));
}

TEST_F(MemoryCalls, MemoryIsDonatedAlongTheFamily) {
    const CapId child = make_child(8, 2), sibling = make_child(8, 2);
    const auto donate = [&](std::uint64_t how, CapId from, CapId to, std::uint64_t offset) {
        return call(GH_MEMEXTENT_DONATE, {how, from, to, offset, page_size});
    };
    EXPECT_EQ(donate(3, ram_, child, 0), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MEMEXTENT_DONATE, {0, ram_, child, 0, page_size, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_CHILD, ram_, 0, 0), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_CHILD, ram_, child, 8 * page_size), GH_ERROR_OK);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_SIBLING, child, sibling, 0), GH_ERROR_OK);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_PARENT, child, ram_, 0), GH_ERROR_MEMDB_NOT_OWNER);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_PARENT, sibling, ram_, 0), GH_ERROR_OK);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_PARENT, ram_, partition_, 12 * page_size), GH_ERROR_OK);
    EXPECT_EQ(donate(GH_MEMEXTENT_DONATE_TO_CHILD, partition_, ram_, 12 * page_size), GH_ERROR_OK);
}

TEST_F(MemoryCalls, APartitionLivesOnDonatedMemory) {
    const CapId inner = create(GH_PARTITION_CREATE_PARTITION);
    activate(inner);
    EXPECT_EQ(call(GH_PARTITION_CREATE_DOORBELL, {inner, cspace_}), GH_ERROR_NOMEM);
    const std::uint64_t spare = fake::vm_ram.base.value + 128 * page_size;
    EXPECT_EQ(call(GH_MEMEXTENT_DONATE,
                   {GH_MEMEXTENT_DONATE_TO_CHILD, partition_, inner, spare, 4 * page_size}),
              GH_ERROR_OK);
    EXPECT_EQ(call(GH_PARTITION_CREATE_DOORBELL, {inner, cspace_}), GH_ERROR_OK);
    const CapId bell = x(1);
    EXPECT_EQ(call(GH_CSPACE_DELETE_CAP_FROM, {cspace_, bell}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MEMEXTENT_DONATE,
                   {GH_MEMEXTENT_DONATE_TO_PARENT, inner, partition_, spare, 4 * page_size}),
              GH_ERROR_OK);
}

} // namespace
} // namespace hyp
