// SPDX-License-Identifier: BSD-3-Clause
// Address spaces: mapping rules, lookup, EL2's access, VMMIO ranges, virtual devices, the end.
#include "memory/address_space.hpp"

#include "fake/test_machine.hpp"
#include "heap/page_allocator.hpp"

#include <arch/cpu.hpp>
#include <arch/tlb.hpp>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace hyp {
namespace {

constexpr std::uint64_t size = std::uint64_t{4} << 20;
constexpr PhysAddr base = fake::vm_ram.base;
constexpr ExtentAttributes sparse{GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse};
constexpr ExtentAttributes basic{GH_ACCESS_RW, ExtentMemoryType::any, ExtentKind::basic};
constexpr MapAttributes rwx{GH_ACCESS_RWX, GH_ACCESS_RWX, MemoryType::normal_writeback};
constexpr MapAttributes rw{GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::normal_writeback};
constexpr MapAttributes ro{GH_ACCESS_R, GH_ACCESS_R, MemoryType::normal_writeback};

class AddressSpaceTest : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        ram = make_object<MemExtent>();
        ASSERT_TRUE(ram->configure(base, size, sparse));
        ASSERT_TRUE(ram->activate());
        space = make_space();
        empty_tables = space->table_pages();
    }
    void TearDown() override {
        space.clear();
        ram.clear();
        TestMachine::TearDown();
    }
    static Ref<AddressSpace> make_space() {
        auto made = make_object<AddressSpace>();
        EXPECT_TRUE(made->configure(3));
        EXPECT_TRUE(made->activate());
        return made;
    }
    rt::Result<> map_part(std::uint64_t ipa, std::uint64_t offset, std::uint64_t bytes,
                          MapAttributes attributes = rwx) {
        return space->map(*ram, Ipa{ipa}, attributes, {true, offset, bytes});
    }
    Ref<MemExtent> ram;
    Ref<AddressSpace> space;
    std::size_t empty_tables = 0;
};

TEST_F(AddressSpaceTest, ConfigurationIsChecked) {
    auto fresh = make_object<AddressSpace>();
    EXPECT_EQ(fresh->activate().error(), rt::Error::object_config);
    EXPECT_EQ(fresh->configure(0x10000).error(), rt::Error::argument_invalid);
    EXPECT_EQ(fresh->map(*ram, Ipa{0}, rwx, {}).error(), rt::Error::object_state);
    EXPECT_TRUE(fresh->configure(0xffff));
    EXPECT_TRUE(fresh->activate());
    EXPECT_EQ(fresh->vmid(), 0xffff);
    EXPECT_EQ(fresh->configure(1).error(), rt::Error::object_state);
    EXPECT_NE(fresh->vttbr() >> 48, space->vttbr() >> 48);
}

TEST_F(AddressSpaceTest, HardwareVmidsRunOutAndComeBack) {
    std::vector<Ref<AddressSpace>> spaces;
    for (int i = 0; i < 254; ++i) {
        spaces.push_back(make_space());
    }
    auto last = make_object<AddressSpace>();
    ASSERT_TRUE(last->configure(3));
    EXPECT_EQ(last->activate().error(), rt::Error::no_resources);
    spaces.pop_back();
    EXPECT_TRUE(last->activate());
}

TEST_F(AddressSpaceTest, MapArgumentsAreChecked) {
    EXPECT_EQ(map_part(1, 0, page_size).error(), rt::Error::argument_alignment);
    EXPECT_EQ(map_part(0, 1, page_size).error(), rt::Error::argument_alignment);
    EXPECT_EQ(map_part(0, 0, 0).error(), rt::Error::argument_size);
    EXPECT_EQ(map_part(0, size, page_size).error(), rt::Error::argument_invalid);
    EXPECT_EQ(map_part(0 - page_size, 0, 2 * page_size).error(), rt::Error::address_overflow);
    EXPECT_EQ(map_part(Stage2::ipa_limit(), 0, page_size).error(), rt::Error::address_invalid);
    EXPECT_EQ(space->table_pages(), empty_tables);
    auto whole = make_object<MemExtent>();
    ASSERT_TRUE(whole->configure(base + size, page_size, basic));
    ASSERT_TRUE(whole->activate());
    EXPECT_EQ(space->map(*whole, Ipa{0}, rw, {true, 0, page_size}).error(),
              rt::Error::memextent_type);
    EXPECT_EQ(space->map(*whole, Ipa{0}, rwx, {}).error(), rt::Error::denied);
    EXPECT_TRUE(space->map(*whole, Ipa{0}, rw, {}));
    EXPECT_EQ(space->map(*whole, Ipa{0}, rw, {}).error(), rt::Error::existing_mapping);
    EXPECT_EQ(ownership().mappings_of(base + size), 1U);
    EXPECT_TRUE(space->unmap(*whole, Ipa{0}, {}));
    EXPECT_EQ(ownership().mappings_of(base + size), 0U);
}

TEST_F(AddressSpaceTest, WholeSparseExtentIsMappedWithoutWhatItLent) {
    auto child = make_object<MemExtent>();
    ASSERT_TRUE(child->configure_derive(ram, 0, size, sparse));
    ASSERT_TRUE(child->activate());
    ASSERT_TRUE(MemExtent::donate(MemExtent::DonateTo::child, *ram, *child, 0x3000, 0x2000));
    ASSERT_TRUE(space->map(*ram, Ipa{0x40000000}, rwx, {}));
    EXPECT_TRUE(space->permits(Ipa{0x40002fff}, GH_ACCESS_X));
    EXPECT_FALSE(space->permits(Ipa{0x40003000}, GH_ACCESS_R));
    EXPECT_FALSE(space->permits(Ipa{0x40004fff}, GH_ACCESS_R));
    EXPECT_TRUE(space->permits(Ipa{0x40005000}, GH_ACCESS_W));
    EXPECT_EQ(space->map(*ram, Ipa{0x80000000}, rwx, {true, 0x2000, 0x2000}).error(),
              rt::Error::not_owner);
    // The lent pages may lie in the hole.
    ASSERT_TRUE(space->map(*child, Ipa{0x40003000}, ro, {true, 0x3000, 0x2000}));
    ASSERT_TRUE(space->unmap(*ram, Ipa{0x40000000}, {}));
    EXPECT_FALSE(space->permits(Ipa{0x40005000}, GH_ACCESS_R));
    EXPECT_TRUE(space->permits(Ipa{0x40003000}, GH_ACCESS_R));
    EXPECT_EQ(space->unmap(*ram, Ipa{0x40000000}, {}).error(), rt::Error::argument_invalid);
    ASSERT_TRUE(child->unmap_all());
    EXPECT_EQ(space->table_pages(), empty_tables);
}

TEST_F(AddressSpaceTest, PartsAreUnmappedExactly) {
    ASSERT_TRUE(map_part(0x10000, 0, 0x8000));
    const auto unmap = [&](std::uint64_t ipa, std::uint64_t offset, std::uint64_t bytes) {
        return space->unmap(*ram, Ipa{ipa}, {true, offset, bytes});
    };
    EXPECT_EQ(unmap(0x10000, 0x1000, 0x1000).error(), rt::Error::argument_invalid); // shifted
    EXPECT_EQ(unmap(0x17000, 0x7000, 0x2000).error(), rt::Error::argument_invalid); // too long
    EXPECT_EQ(unmap(0xf000, 0, 0x1000).error(), rt::Error::argument_invalid);
    EXPECT_TRUE(unmap(0x12000, 0x2000, 0x2000));
    EXPECT_EQ(unmap(0x10000, 0, 0x8000).error(), rt::Error::argument_invalid); // a hole
    EXPECT_TRUE(unmap(0x10000, 0, 0x2000));
    EXPECT_TRUE(unmap(0x14000, 0x4000, 0x4000));
    EXPECT_EQ(space->table_pages(), empty_tables);
    EXPECT_EQ(ownership().first_run(ram->range(), ram->owner_id()).mapped, false);
}

TEST_F(AddressSpaceTest, UpdateStaysWithinTheExtent) {
    constexpr ExtentAttributes read_only{GH_ACCESS_R, ExtentMemoryType::any, ExtentKind::sparse};
    auto child = make_object<MemExtent>();
    ASSERT_TRUE(child->configure_derive(ram, 0, size, read_only));
    ASSERT_TRUE(child->activate());
    ASSERT_TRUE(MemExtent::donate(MemExtent::DonateTo::child, *ram, *child, 0, 0x4000));
    EXPECT_EQ(space->map(*child, Ipa{0}, rw, {}).error(), rt::Error::denied);
    ASSERT_TRUE(space->map(*child, Ipa{0}, ro, {}));
    const ExtentPart part{true, 0, page_size};
    EXPECT_EQ(space->update_access(*child, Ipa{0}, GH_ACCESS_RW, GH_ACCESS_RW, part).error(),
              rt::Error::denied);
    ASSERT_TRUE(map_part(0x100000, 0x4000, 0x4000));
    ASSERT_TRUE(space->update_access(*ram, Ipa{0x101000}, GH_ACCESS_R, GH_ACCESS_R,
                                     {true, 0x5000, 0x1000}));
    EXPECT_FALSE(space->permits(Ipa{0x101000}, GH_ACCESS_W));
    EXPECT_TRUE(space->permits(Ipa{0x102000}, GH_ACCESS_W));
    EXPECT_EQ(
        space->update_access(*ram, Ipa{0x101000}, GH_ACCESS_R, GH_ACCESS_R, {true, 0x4000, 0x1000})
            .error(),
        rt::Error::argument_invalid);
}

TEST_F(AddressSpaceTest, LookupTellsOffsetAndStretch) {
    ASSERT_TRUE(map_part(0x10000, 0x5000, 0x4000));
    ASSERT_TRUE(map_part(0x14000, 0x9000, 0x1000, ro));
    auto found = space->lookup(*ram, Ipa{0x11000}, 0x10000);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->offset, 0x6000U);
    EXPECT_EQ(found->size, 0x3000U); // until the attributes change
    EXPECT_EQ(found->attributes, rwx);
    EXPECT_EQ(space->lookup(*ram, Ipa{0x11000}, 0x1000)->size, 0x1000U);
    EXPECT_EQ(space->lookup(*ram, Ipa{0x14000}, 0x2000)->size, 0x1000U);
    EXPECT_EQ(space->lookup(*ram, Ipa{0xf000}, 0x2000).error(), rt::Error::address_invalid);
    EXPECT_EQ(space->lookup(*ram, Ipa{0x11001}, 0x1000).error(), rt::Error::argument_alignment);
    EXPECT_EQ(space->lookup(*ram, Ipa{0x11000}, 0).error(), rt::Error::argument_size);
    EXPECT_EQ(space->lookup(*ram, Ipa{0 - page_size}, 2 * page_size).error(),
              rt::Error::address_overflow);
    auto other = make_object<MemExtent>();
    ASSERT_TRUE(other->configure(base + size, page_size, basic));
    ASSERT_TRUE(other->activate());
    EXPECT_EQ(space->lookup(*other, Ipa{0x11000}, 0x1000).error(), rt::Error::not_owner);
    auto child = make_object<MemExtent>();
    ASSERT_TRUE(child->configure_derive(ram, 0, size, sparse));
    ASSERT_TRUE(child->activate());
    EXPECT_EQ(space->lookup(*child, Ipa{0x11000}, 0x1000).error(), rt::Error::not_owner);
}

TEST_F(AddressSpaceTest, El2ReadsAndWritesWhatTheVmMay) {
    ASSERT_TRUE(map_part(0x10000, 0x5000, 0x1000));
    ASSERT_TRUE(map_part(0x11000, 0x1000, 0x1000)); // not contiguous in memory
    ASSERT_TRUE(map_part(0x12000, 0x8000, 0x1000, ro));
    std::array<std::byte, 64> text;
    text.fill(std::byte{0x42});
    ASSERT_TRUE(space->write(Ipa{0x10fe0}, text));
    std::array<std::byte, 64> back{};
    ASSERT_TRUE(space->read(Ipa{0x10fe0}, back));
    EXPECT_EQ(back, text);
    const auto* second = static_cast<const std::byte*>(phys_to_virt(base + 0x1000));
    EXPECT_EQ(second[31], std::byte{0x42});
    EXPECT_EQ(second[32], std::byte{0});
    EXPECT_EQ(space->write(Ipa{0x11fff}, text).error(), rt::Error::address_invalid);
    EXPECT_TRUE(space->read(Ipa{0x12000}, back));
    EXPECT_EQ(space->read(Ipa{0x12fff}, back).error(), rt::Error::address_invalid);
    EXPECT_EQ(space->read(Ipa{~std::uint64_t{0}}, back).error(), rt::Error::address_invalid);
    // Device memory, even if mapped as normal: EL2 does not see it.
    auto device = make_object<MemExtent>();
    ASSERT_TRUE(device->configure(PhysAddr{0x9000000}, page_size, basic));
    ASSERT_TRUE(device->activate());
    ASSERT_TRUE(space->map(*device, Ipa{0x20000}, rw, {}));
    EXPECT_EQ(space->read(Ipa{0x20000}, back).error(), rt::Error::address_invalid);
}

TEST_F(AddressSpaceTest, VmmioRanges) {
    const auto range = [](std::uint64_t from, std::uint64_t bytes) {
        return IpaRange{Ipa{from}, bytes};
    };
    EXPECT_EQ(space->add_vmmio(range(0, 0)).error(), rt::Error::argument_size);
    EXPECT_EQ(space->add_vmmio(range(~std::uint64_t{0}, 2)).error(), rt::Error::address_overflow);
    EXPECT_EQ(space->add_vmmio(range(Stage2::ipa_limit() - 1, 2)).error(),
              rt::Error::address_invalid);
    ASSERT_TRUE(space->add_vmmio(range(0x1001, 0x10)));
    EXPECT_EQ(space->add_vmmio(range(0x1010, 0x10)).error(), rt::Error::argument_invalid);
    EXPECT_TRUE(space->is_vmmio(range(0x1001, 4)));
    EXPECT_FALSE(space->is_vmmio(range(0x1000, 4)));
    EXPECT_FALSE(space->is_vmmio(range(0x100e, 4)));
    EXPECT_EQ(space->remove_vmmio(range(0x1001, 0xf)).error(), rt::Error::argument_invalid);
    for (std::uint64_t i = 1; i < AddressSpace::max_vmmio_ranges; ++i) {
        ASSERT_TRUE(space->add_vmmio(range(0x10000 * i, 0x1000)));
    }
    EXPECT_EQ(space->add_vmmio(range(0, 1)).error(), rt::Error::no_resources);
    ASSERT_TRUE(space->remove_vmmio(range(0x1001, 0x10)));
    EXPECT_FALSE(space->is_vmmio(range(0x1001, 4)));
    EXPECT_TRUE(space->is_vmmio(range(0x1f0000, 4)));
    EXPECT_TRUE(space->add_vmmio(range(0, 1)));
}

class Register final : public Object, public Vdevice {
public:
    static constexpr ObjectType type = ObjectType::vic;
    Register() : Object(type) {}
    std::uint64_t value = 0;

private:
    ~Register() override = default;
    std::uint64_t read(std::uint64_t offset, unsigned) override { return offset == 8 ? value : 0; }
    void write(std::uint64_t offset, unsigned, std::uint64_t written) override {
        value = offset == 8 ? written : value;
    }
};

TEST_F(AddressSpaceTest, VirtualDevicesAnswer) {
    auto device = make_object<Register>();
    const IpaRange range{Ipa{0x3fff0000}, 0x10000};
    ASSERT_TRUE(space->attach_vdevice(device, *device, range));
    EXPECT_EQ(space->attach_vdevice(device, *device, {Ipa{0x3ffff000}, 0x10000}).error(),
              rt::Error::busy);
    EXPECT_EQ(space->attach_vdevice(device, *device, {Ipa{0}, 0}).error(),
              rt::Error::argument_size);
    EXPECT_TRUE(space->attach_vdevice(device, *device, {Ipa{0x40000000}, 0x10000}));
    Register* watched = device.get();
    device.clear(); // the address space keeps it
    MmioAccess write{0, 4, true, 77};
    EXPECT_TRUE(space->access_vdevice(range.base + 8, write));
    EXPECT_EQ(watched->value, 77U);
    MmioAccess read{0, 4, false, 0};
    EXPECT_TRUE(space->access_vdevice(Ipa{0x40000008}, read));
    EXPECT_EQ(read.value, 77U);
    MmioAccess askew{0, 8, false, 0};
    EXPECT_TRUE(space->access_vdevice(range.base + 4, askew));
    EXPECT_EQ(askew.value, 0U);
    EXPECT_FALSE(space->access_vdevice(range.base - 4, read));
    EXPECT_FALSE(space->access_vdevice(range.base - 2, read)); // straddles the edge
}

TEST_F(AddressSpaceTest, TheEndLeavesNothingMapped) {
    auto other = make_space();
    std::vector<std::uint64_t> invalidated;
    fake::on_invalidate = [&](std::uint64_t vttbr, Ipa, std::uint64_t) {
        invalidated.push_back(vttbr);
    };
    ASSERT_TRUE(map_part(0x10000, 0, size));
    ASSERT_TRUE(other->map(*ram, Ipa{0}, ro, {true, 0, 0x3000}));
    auto device = make_object<MemExtent>();
    ASSERT_TRUE(device->configure(PhysAddr{0x9000000}, page_size, basic));
    ASSERT_TRUE(device->activate());
    ASSERT_TRUE(other->map(*device, Ipa{0x20000}, rw, {}));
    const std::uint64_t vttbr = other->vttbr();
    other.clear();
    EXPECT_FALSE(invalidated.empty());
    EXPECT_EQ(invalidated.back(), vttbr);
    EXPECT_EQ(ownership().mappings_of(base), 1U);
    device.clear(); // must not look for the mapping that is gone
    fake::on_invalidate = nullptr;
}

TEST_F(AddressSpaceTest, OutOfMemoryLeavesCountsRight) {
    std::vector<void*> hoard;
    while (void* block = page_allocator().allocate(0)) {
        hoard.push_back(block);
    }
    EXPECT_EQ(map_part(0x1000, 0, page_size).error(), rt::Error::no_memory);
    EXPECT_EQ(ownership().mappings_of(base), 0U);
    for (void* block : hoard) {
        page_allocator().release(block);
    }
    EXPECT_TRUE(map_part(0x1000, 0, page_size));
}

/// CPUs map, unmap, lend and destroy at once; in the end every page is back at the root, unmapped.
TEST_F(AddressSpaceTest, ConcurrentUseKeepsTheInvariants) {
    auto second = make_space();
    std::vector<std::thread> threads;
    std::atomic<int> lent = 0;
    for (unsigned cpu = 1; cpu <= 3; ++cpu) {
        threads.emplace_back([&, cpu] {
            fake::set_cpu_index(cpu);
            const std::array spaces{space, second};
            for (std::uint64_t round = 0; round < 400; ++round) {
                const std::uint64_t offset = (round * 7 + cpu) % 16 * page_size;
                AddressSpace& target = *spaces[(round + cpu) % 2];
                const Ipa ipa{0x10000000ULL * cpu + offset};
                const ExtentPart part{true, offset, page_size};
                if (target.map(*ram, ipa, rwx, part)) {
                    EXPECT_TRUE(target.unmap(*ram, ipa, part));
                }
                auto child = make_object<MemExtent>();
                EXPECT_TRUE(child->configure_derive(ram, 0, size, sparse));
                EXPECT_TRUE(child->activate());
                if (MemExtent::donate(MemExtent::DonateTo::child, *ram, *child, offset,
                                      page_size)) {
                    ++lent;
                    EXPECT_TRUE(target.map(*child, ipa, rwx, part));
                    EXPECT_EQ(ownership().owner_of(base + offset), child->owner_id());
                    if (round % 2 == 0) {
                        EXPECT_TRUE(target.unmap(*child, ipa, part));
                    }
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_GT(lent, 100);
    const auto run = ownership().first_run({base, 16 * page_size}, ram->owner_id());
    EXPECT_EQ(ownership().first_owned(fake::vm_ram, ram->owner_id()), ram->range());
    EXPECT_FALSE(run.mapped);
    EXPECT_EQ(space->table_pages(), empty_tables);
}

} // namespace
} // namespace hyp
