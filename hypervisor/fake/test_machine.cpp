// SPDX-License-Identifier: BSD-3-Clause
// Sets up the fake machine around each host test and counts what it left behind.
#include "fake/test_machine.hpp"

#include "heap/page_allocator.hpp"
#include "memory/carveouts.hpp"
#include "memory/ownership.hpp"
#include "memory/stage2.hpp"
#include "object/cspace.hpp"
#include "object/object.hpp"

#include <arch/stage2_attributes.hpp>
#include <arch/tlb.hpp>

namespace hyp::fake {

void TestMachine::SetUp() {
    if (page_allocator().total_pages() == 0) {
        ASSERT_TRUE(page_allocator().set_pool(pool.base, pool.size));
    }
    stage2_features = {};
    on_invalidate = nullptr;
    pages_before_ = page_allocator().used_pages();
    objects_before_ = Object::count();
    capabilities_before_ = Cspace::total_capabilities();
    tables_before_ = Stage2::total_table_pages();
    ASSERT_TRUE(ownership().add_ram(vm_ram));
    ASSERT_TRUE(carveouts().add({ram_base, ram_size}));
}

void TestMachine::TearDown() {
    on_invalidate = nullptr;
    EXPECT_TRUE(stage2_settled());
    EXPECT_EQ(Object::count(), objects_before_);
    EXPECT_EQ(Cspace::total_capabilities(), capabilities_before_);
    EXPECT_EQ(Stage2::total_table_pages(), tables_before_);
    ownership().clear();
    carveouts().clear();
    EXPECT_EQ(page_allocator().used_pages(), pages_before_);
}

} // namespace hyp::fake
