// SPDX-License-Identifier: BSD-3-Clause
// The creator changes a guest's device tree while RM reads it: RM looks at a copy that it made
// once, so that whatever it answers, nothing is harmed and nothing is left.
#include "testing/lifecycle_fixture.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

namespace {

using namespace rm::testing;

constexpr int rounds = 100;
constexpr std::size_t changed_size = 0x600; // within the tree and its first page

/// Writes random bytes over the tree, and puts right what it has changed, until its end.
class Changer {
public:
    Changer(std::byte* tree, std::uint32_t seed)
        : thread_([this, tree, seed] { change(tree, seed); }) {
        while (changes_.load() == 0) {
            std::this_thread::yield();
        }
    }
    Changer(const Changer&) = delete;
    Changer& operator=(const Changer&) = delete;
    ~Changer() {
        ends_ = true;
        thread_.join();
    }

private:
    void change(std::byte* tree, std::uint32_t seed) {
        std::mt19937 random(seed);
        while (!ends_) {
            // Sizes and offsets in the header, names and lengths behind it.
            const std::size_t at = random() % (random() % 4 == 0 ? 0x28 : changed_size);
            volatile std::byte& place = tree[at];
            const std::byte before = place;
            place = static_cast<std::byte>(random());
            ++changes_;
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
            place = before;
        }
    }

    std::atomic<bool> ends_ = false;
    std::atomic<unsigned> changes_ = 0;
    std::thread thread_;
};

class ChangingTree : public LifecycleTest {};

TEST_F(ChangingTree, HarmsNobody) {
    const Snapshot before = snapshot();
    int refused = 0;
    for (int round = 0; round < rounds; ++round) {
        linux_vm.log.lines.clear();
        const Guest guest = configure();
        std::uint32_t error = 0;
        {
            const Changer changer(linux_vm.model.physical(guest_memory + dtb_offset),
                                  static_cast<std::uint32_t>(round));
            error = linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error;
        }
        refused += error != 0 ? 1 : 0;
        tear_down(guest);
        ASSERT_EQ(snapshot(), before) << "round " << round;
    }
    std::printf("%d of %d trees were refused\n", refused, rounds);
    EXPECT_GT(refused, 0) << "nobody saw the tree change";
    EXPECT_LT(refused, rounds) << "a tree was never whole";
}

} // namespace
