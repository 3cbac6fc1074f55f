// SPDX-License-Identifier: BSD-3-Clause
// Three CPUs, a thread each, whose VMs make random calls on the same objects: capabilities come and
// go, memory is mapped and taken away, messages are sent from memory that is being unmapped.
// ThreadSanitizer looks for races; at the end nothing is left.
#include "fake/test_machine.hpp"
#include "hypercall/dispatch.hpp"
#include "memory/address_space.hpp"
#include "memory/memextent.hpp"
#include "memory/partition.hpp"
#include "object/cspace.hpp"
#include "schedule/scheduler.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>
#include <arch/cpu.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace hyp {
namespace {

using Word = std::uint64_t;

constexpr unsigned cpus = 3;
constexpr auto duration = std::chrono::seconds(4);
constexpr Word page = 4096;
constexpr int given = 4 + cpus; // capabilities of each VM that stay
constexpr Word pages = 64;      // of the extent that all share, and of each address space

struct Caller {
    Ref<Cspace> cspace;
    Ref<AddressSpace> memory;
    Ref<Vcpu> vcpu;
    std::vector<Word> names; // capabilities that it knows of, good and gone
    std::minstd_rand random;
};

class Calls : public fake::TestMachine {
protected:
    void SetUp() override {
        TestMachine::SetUp();
        init_hypercalls();
        for (unsigned i = 0; i < cpus; ++i) {
            Caller& caller = callers_[i];
            caller.cspace = make_object<Cspace>();
            ASSERT_TRUE(caller.cspace->configure(200) && caller.cspace->activate());
            caller.memory = make_object<AddressSpace>();
            ASSERT_TRUE(caller.memory->configure(i + 1) && caller.memory->activate());
            caller.vcpu = make_object<Vcpu>(scheduler());
            ASSERT_TRUE(caller.vcpu->attach_cspace(caller.cspace));
            ASSERT_TRUE(caller.vcpu->attach_address_space(caller.memory));
            caller.random.seed(seed_ + i);
        }
        Ref<Partition> partition = make_object<Partition>();
        ASSERT_TRUE(partition->activate());
        Ref<MemExtent> ram = make_object<MemExtent>();
        ASSERT_TRUE(ram->configure(fake::vm_ram.base, pages * page,
                                   {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse}));
        ASSERT_TRUE(ram->activate());
        for (Caller& caller : callers_) {
            partition_ = give(caller, partition);
            ram_ = give(caller, ram);
            for (Caller& other : callers_) {
                give(caller, other.memory);
            }
        }
        // Each has every capability to its own space only: spaces that hold each other never end.
        // One space that no VM uses to make calls is everybody's.
        Ref<Cspace> common = make_object<Cspace>();
        ASSERT_TRUE(common->configure(100) && common->activate());
        for (Caller& caller : callers_) {
            own_ = give(caller, caller.cspace);
            common_ = give(caller, common);
        }
        common_space_ = common;
    }

    void TearDown() override {
        for (Caller& caller : callers_) {
            for (const Word name : caller.names) {
                (void)caller.cspace->remove(name);
                (void)common_space_->remove(name);
            }
            caller.vcpu = nullptr;
        }
        common_space_ = nullptr;
        for (Caller& caller : callers_) {
            caller.cspace = nullptr;
            caller.memory = nullptr;
        }
        TestMachine::TearDown();
    }

    static Word give(Caller& caller, const Ref<Object>& object) {
        caller.names.push_back(*caller.cspace->insert(object, GH_RIGHTS_ALL));
        return caller.names.back();
    }

    /// x0; what the call names is noted.
    std::uint64_t call(Caller& caller, unsigned number, std::initializer_list<Word> arguments) {
        auto& x = caller.vcpu->registers.x;
        std::fill_n(x, 8, Word{0});
        std::copy(arguments.begin(), arguments.end(), x);
        const Word x0 = hypercall(*caller.vcpu, number, 0);
        {
            const std::lock_guard guard(tally_lock_);
            succeeded_[number] += x0 == GH_ERROR_OK ? 1 : 0;
        }
        const bool names_something =
            number == GH_CSPACE_COPY_CAP_FROM ||
            (number >= GH_PARTITION_CREATE_PARTITION && number <= GH_PARTITION_CREATE_VPM_GROUP);
        if (x0 == GH_ERROR_OK && names_something) {
            caller.names.push_back(x[1]);
            posted_[x[1] % posted_.size()] = x[1];
        }
        return x0;
    }

    void act(Caller& caller) {
        const auto number = [&](std::size_t limit) { return Word{caller.random() % limit}; };
        const auto name = [&] { return caller.names[number(caller.names.size())]; };
        const auto some = [&] { return (1 + number(4)) * page; };
        constexpr Word attributes =
            GH_ACCESS_RWX << GH_MAP_ATTR_KERNEL_SHIFT | Word{15} << GH_MAP_ATTR_MEMTYPE_SHIFT;
        const Word space = number(2) == 0 ? own_ : common_;
        const Word cap = name();
        const Word memory = number(4) == 0 ? cap : caller.names[2 + number(cpus)];
        const Word offset = number(pages) * page;
        switch (number(20)) {
        case 0: {
            static constexpr unsigned kinds[] = {
                GH_PARTITION_CREATE_MEMEXTENT, GH_PARTITION_CREATE_DOORBELL,
                GH_PARTITION_CREATE_MSGQUEUE, GH_PARTITION_CREATE_ADDRSPACE};
            (void)call(caller, kinds[number(4)], {partition_, space, 0});
            return;
        }
        case 1:
            (void)call(
                caller, GH_MEMEXTENT_CONFIGURE_DERIVE,
                {cap, number(2) == 0 ? ram_ : name(), number(pages) * page, some(),
                 GH_ACCESS_RWX | Word{GH_MEMEXTENT_TYPE_SPARSE} << GH_MEMEXTENT_ATTR_TYPE_SHIFT,
                 0});
            return;
        case 2:
            (void)call(caller, GH_MSGQUEUE_CONFIGURE, {cap, 4 | 64 << 16, 0});
            return;
        case 3:
            (void)call(caller, GH_ADDRSPACE_CONFIGURE, {cap, 10 + number(100), 0});
            return;
        case 4:
        case 5:
            (void)call(caller, GH_OBJECT_ACTIVATE, {cap, 0});
            return;
        case 6:
        case 7:
            (void)call(
                caller, GH_CSPACE_COPY_CAP_FROM,
                {own_, cap == own_ || cap == common_ ? ram_ : cap, common_, GH_RIGHTS_ALL, 0});
            return;
        case 8: // what another VM has put there
            (void)call(caller, GH_CSPACE_COPY_CAP_FROM,
                       {common_, posted_[number(posted_.size())], own_, GH_RIGHTS_ALL, 0});
            return;
        case 9:
            if (std::find(caller.names.begin(), caller.names.begin() + given, cap) ==
                caller.names.begin() + given) {
                (void)call(caller, GH_CSPACE_DELETE_CAP_FROM, {space, cap, 0});
            }
            return;
        case 10:
            if (number(16) == 0) {
                (void)call(caller, GH_CSPACE_REVOKE_CAPS_FROM, {space, cap, 0});
            }
            return;
        case 11:
        case 12:
        case 13:
            (void)call(caller, GH_ADDRSPACE_MAP,
                       {memory, ram_, offset, attributes, GH_MAP_FLAG_PARTIAL, offset, some()});
            return;
        case 14:
            (void)call(caller, GH_ADDRSPACE_UNMAP,
                       {memory, ram_, offset, GH_MAP_FLAG_PARTIAL, offset, some()});
            return;
        case 15:
            (void)call(caller, GH_MEMEXTENT_DONATE,
                       {number(3), ram_, cap, number(pages) * page, some(), 0});
            return;
        case 16:
            (void)call(caller, GH_MSGQUEUE_SEND, {cap, 1 + number(64), number(pages) * page, 0, 0});
            return;
        case 17:
            (void)call(caller, GH_MSGQUEUE_RECEIVE, {cap, number(pages) * page, 64, 0});
            return;
        case 18:
            (void)call(caller, GH_DOORBELL_SEND, {cap, 1, 0});
            (void)call(caller, GH_DOORBELL_RECEIVE, {cap, 1, 0});
            return;
        default:
            (void)call(caller, GH_MEMEXTENT_MODIFY, {cap, GH_MEMEXTENT_MODIFY_UNMAP_ALL, 0, 0});
            return;
        }
    }

    void run(unsigned cpu) {
        fake::set_cpu_index(cpu);
        Caller& caller = callers_[cpu];
        while (!stop_) {
            act(caller);
            ++steps_;
            if (caller.names.size() > 40) { // the oldest after those of SetUp()
                const auto oldest = caller.names.begin() + given;
                (void)call(caller, GH_CSPACE_DELETE_CAP_FROM, {own_, *oldest, 0});
                (void)call(caller, GH_CSPACE_DELETE_CAP_FROM, {common_, *oldest, 0});
                caller.names.erase(oldest);
            }
        }
    }

    const std::uint32_t seed_ = std::random_device{}();
    std::array<Caller, cpus> callers_;
    Ref<Cspace> common_space_;
    std::array<std::atomic<Word>, 64> posted_; // names in any space, for all
    // The first capabilities, which have the same names in all spaces.
    Word partition_ = 0, ram_ = 0, own_ = 0, common_ = 0;
    std::mutex tally_lock_;
    std::map<unsigned, std::size_t> succeeded_;
    std::atomic<bool> stop_ = false;
    std::atomic<std::size_t> steps_ = 0;
};

TEST_F(Calls, OnTheSameObjects) {
    std::printf("seed %u\n", seed_);
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        threads.emplace_back([this, cpu] { run(cpu); });
    }
    std::this_thread::sleep_for(duration);
    stop_ = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    fake::set_cpu_index(0);
    std::size_t sum = 0;
    for (const auto& [number, tally] : succeeded_) {
        std::printf("%8zu times: call %#x\n", tally, number);
        sum += tally;
    }
    EXPECT_GT(sum, 1000U) << "of " << steps_ << " calls succeeded";
}

} // namespace
} // namespace hyp
