// SPDX-License-Identifier: BSD-3-Clause
// Capability spaces: rights, copies, deletion, revocation, stale ids, limits, threads.
#include "object/cspace.hpp"

#include "fake/test_machine.hpp"

#include <abi/rights.h>
#include <arch/cpu.hpp>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace hyp {
namespace {

/// An object to have capabilities to.
class Partition final : public Object {
public:
    static constexpr ObjectType type = ObjectType::partition;
    Partition() : Object(type) {}
};

constexpr std::uint32_t rights_a = 0x1;
constexpr std::uint32_t rights_b = 0x2;

class CspaceTest : public fake::TestMachine {
protected:
    static Ref<Cspace> make_space(std::uint64_t max = 1000) {
        auto space = make_object<Cspace>();
        EXPECT_TRUE(space->configure(max));
        EXPECT_TRUE(space->activate());
        return space;
    }
    static rt::Error lookup_error(Cspace& space, CapId id, std::uint32_t rights = 0) {
        auto found = space.lookup<Partition>(id, rights);
        return found ? rt::Error{0} : found.error();
    }
};

TEST_F(CspaceTest, ConfigurationIsChecked) {
    auto space = make_object<Cspace>();
    EXPECT_EQ(space->activate().error(), rt::Error::object_config);
    EXPECT_EQ(space->configure(0).error(), rt::Error::argument_invalid);
    EXPECT_EQ(space->configure(65537).error(), rt::Error::argument_invalid);
    EXPECT_TRUE(space->configure(65536));
    EXPECT_EQ(space->insert(make_object<Partition>(), 0).error(), rt::Error::object_state);
    EXPECT_EQ(lookup_error(*space, 0x10000), rt::Error::cap_null);
    EXPECT_TRUE(space->activate());
    EXPECT_EQ(space->configure(5).error(), rt::Error::object_state);
}

TEST_F(CspaceTest, LookupChecksInOrder) {
    auto space = make_space();
    const CapId id = *space->insert(make_object<Partition>(), rights_a);
    EXPECT_NE(id, 0U);
    EXPECT_TRUE(space->lookup<Partition>(id, rights_a));
    EXPECT_TRUE(space->lookup_any(id, rights_a));
    EXPECT_EQ(lookup_error(*space, id, rights_a | rights_b), rt::Error::insufficient_rights);
    EXPECT_EQ(space->lookup<Cspace>(id, rights_b).error(), rt::Error::wrong_object_type);
    EXPECT_EQ(lookup_error(*space, 0), rt::Error::cap_null);
    EXPECT_EQ(lookup_error(*space, id + 1), rt::Error::cap_null);
    EXPECT_EQ(lookup_error(*space, id + 0x10000), rt::Error::cap_null);
    EXPECT_EQ(lookup_error(*space, ~CapId{0}), rt::Error::cap_null);
    EXPECT_EQ(space->lookup_active<Partition>(id, 0).error(), rt::Error::object_state);
    EXPECT_TRUE((*space->lookup<Partition>(id, 0))->activate());
    EXPECT_TRUE(space->lookup_active<Partition>(id, 0));
}

TEST_F(CspaceTest, DeletedIdsStayDead) {
    auto space = make_space();
    std::set<CapId> seen;
    for (int i = 0; i < 300; ++i) {
        const CapId id = *space->insert(make_object<Partition>(), 0);
        EXPECT_TRUE(seen.insert(id).second);
        EXPECT_TRUE(space->remove(id));
        EXPECT_EQ(space->remove(id).error(), rt::Error::cap_null);
        EXPECT_EQ(lookup_error(*space, id), rt::Error::cap_null);
    }
    EXPECT_EQ(Object::count(ObjectType::partition), 0U);
    EXPECT_EQ(space->size(), 0U);
}

TEST_F(CspaceTest, CopiesNeverGainRights) {
    auto space = make_space();
    auto other = make_space();
    const CapId id = *space->insert(make_object<Partition>(), rights_a | rights_b);
    const CapId weaker = *space->copy(id, *other, rights_b | 0x40);
    EXPECT_EQ(lookup_error(*other, weaker, rights_b), rt::Error{0});
    EXPECT_EQ(lookup_error(*other, weaker, 0x40), rt::Error::insufficient_rights);
    const CapId again = *other->copy(weaker, *space, GH_RIGHTS_ALL);
    EXPECT_EQ(lookup_error(*space, again, rights_a), rt::Error::insufficient_rights);
    EXPECT_EQ(space->copy(0, *other, 0).error(), rt::Error::cap_null);
}

TEST_F(CspaceTest, RevokingChildrenReachesAllSpaces) {
    auto space = make_space();
    auto other = make_space();
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    const CapId child = *space->copy(root, *other, GH_RIGHTS_ALL);
    const CapId grandchild = *other->copy(child, *space, GH_RIGHTS_ALL);
    const CapId sibling = *space->copy(root, *space, GH_RIGHTS_ALL);
    const CapId unrelated = *space->insert(make_object<Partition>(), rights_a);
    EXPECT_TRUE(other->revoke_children(child));
    EXPECT_EQ(lookup_error(*space, grandchild), rt::Error::cap_revoked);
    EXPECT_EQ(lookup_error(*other, child), rt::Error{0});
    EXPECT_TRUE(space->revoke_children(root));
    EXPECT_EQ(lookup_error(*other, child), rt::Error::cap_revoked);
    EXPECT_EQ(lookup_error(*space, sibling), rt::Error::cap_revoked);
    EXPECT_EQ(lookup_error(*space, root), rt::Error{0});
    EXPECT_EQ(lookup_error(*space, unrelated), rt::Error{0});
    EXPECT_EQ(other->copy(child, *space, 0).error(), rt::Error::cap_revoked);
    EXPECT_EQ(other->revoke(child).error(), rt::Error::cap_revoked);
    EXPECT_EQ(other->revoke_children(child).error(), rt::Error::cap_revoked);
    EXPECT_TRUE(other->remove(child)); // a revoked slot is still its holder's to delete
    EXPECT_EQ(lookup_error(*other, child), rt::Error::cap_null);
}

TEST_F(CspaceTest, DeletingAMiddleHandsItsChildrenUp) {
    auto space = make_space();
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    const CapId middle = *space->copy(root, *space, GH_RIGHTS_ALL);
    const CapId leaf = *space->copy(middle, *space, GH_RIGHTS_ALL);
    const CapId second = *space->copy(middle, *space, GH_RIGHTS_ALL);
    EXPECT_TRUE(space->remove(middle));
    EXPECT_EQ(lookup_error(*space, leaf), rt::Error{0});
    EXPECT_TRUE(space->revoke_children(root));
    EXPECT_EQ(lookup_error(*space, leaf), rt::Error::cap_revoked);
    EXPECT_EQ(lookup_error(*space, second), rt::Error::cap_revoked);
}

TEST_F(CspaceTest, RevokeTakesOneOnly) {
    auto space = make_space();
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    const CapId middle = *space->copy(root, *space, GH_RIGHTS_ALL);
    const CapId leaf = *space->copy(middle, *space, GH_RIGHTS_ALL);
    EXPECT_TRUE(space->revoke(middle));
    EXPECT_EQ(lookup_error(*space, middle), rt::Error::cap_revoked);
    EXPECT_EQ(lookup_error(*space, leaf), rt::Error{0});
    EXPECT_TRUE(space->revoke_children(root));
    EXPECT_EQ(lookup_error(*space, leaf), rt::Error::cap_revoked);
}

TEST_F(CspaceTest, RevocationDestroysTheObject) {
    auto space = make_space();
    auto other = make_space();
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    const CapId child = *space->copy(root, *other, GH_RIGHTS_ALL);
    EXPECT_TRUE(space->remove(root));
    EXPECT_EQ(Object::count(ObjectType::partition), 1U);
    EXPECT_TRUE(other->revoke(child));
    EXPECT_EQ(Object::count(ObjectType::partition), 0U);
}

TEST_F(CspaceTest, FullMeansFullUntilSomethingGoes) {
    auto space = make_space(130);
    std::vector<CapId> ids;
    auto partition = make_object<Partition>();
    for (int i = 0; i < 130; ++i) {
        ids.push_back(*space->insert(partition, 0));
    }
    EXPECT_EQ(space->insert(partition, 0).error(), rt::Error::cspace_full);
    EXPECT_EQ(space->copy(ids[0], *space, 0).error(), rt::Error::cspace_full);
    EXPECT_TRUE(space->remove(ids[64]));
    EXPECT_TRUE(space->insert(partition, 0));
    EXPECT_EQ(space->insert(partition, 0).error(), rt::Error::cspace_full);
    EXPECT_EQ(space->size(), 130U);
}

TEST_F(CspaceTest, LargestSpaceHoldsAll) {
    auto space = make_space(Cspace::capabilities_limit);
    auto partition = make_object<Partition>();
    CapId last = 0;
    for (std::uint64_t i = 0; i < Cspace::capabilities_limit; ++i) {
        last = *space->insert(partition, 0);
    }
    EXPECT_EQ(last & 0xffff, 0xffffU);
    EXPECT_TRUE(space->lookup<Partition>(last, 0));
    EXPECT_EQ(space->insert(partition, 0).error(), rt::Error::cspace_full);
}

TEST_F(CspaceTest, DyingSpaceLeavesTheTreeIntact) {
    auto space = make_space();
    auto middle_space = make_space();
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    const CapId middle = *space->copy(root, *middle_space, GH_RIGHTS_ALL);
    const CapId leaf = *middle_space->copy(middle, *space, GH_RIGHTS_ALL);
    middle_space.clear();
    EXPECT_TRUE(space->revoke_children(root));
    EXPECT_EQ(lookup_error(*space, leaf), rt::Error::cap_revoked);
}

TEST_F(CspaceTest, SpacesHoldingEachOtherDieWhenRevoked) {
    auto root = make_space();
    auto child_space = make_object<Cspace>();
    EXPECT_TRUE(child_space->configure(10));
    EXPECT_TRUE(child_space->activate());
    const CapId id = *root->insert(child_space, GH_RIGHTS_ALL);
    ASSERT_TRUE(root->copy(id, *child_space, GH_RIGHTS_ALL)); // a cycle
    child_space.clear();
    EXPECT_TRUE(root->revoke_children(id));
    EXPECT_TRUE(root->remove(id));
    EXPECT_EQ(Object::count(ObjectType::cspace), 1U);
}

/// Random operations against a plain model: id -> rights, parent, alive.
TEST_F(CspaceTest, RandomOperationsFollowTheModel) {
    using Key = std::pair<unsigned, CapId>;
    struct Node {
        std::uint32_t rights;
        Key parent;
        bool revoked;
    };
    std::vector<Ref<Cspace>> spaces{make_space(200), make_space(200), make_space(200)};
    std::map<Key, Node> model;
    std::mt19937 random(11);
    const auto any = [&] {
        auto it = model.begin();
        std::advance(it, static_cast<long>(random() % model.size()));
        return it;
    };
    const auto hand_up = [&](Key key, Key parent) {
        for (auto& [other, node] : model) {
            if (node.parent == key) {
                node.parent = parent;
            }
        }
    };
    for (int step = 0; step < 6000; ++step) {
        const unsigned where = random() % 3;
        const auto kind = random() % 20;
        if (model.empty() || kind < 3) {
            const auto rights = static_cast<std::uint32_t>(random());
            if (auto id = spaces[where]->insert(make_object<Partition>(), rights)) {
                model[{where, *id}] = {rights, {}, false};
            }
            continue;
        }
        const auto [key, node] = *any();
        Cspace& space = *spaces[key.first];
        if (kind < 12) {
            const auto mask = static_cast<std::uint32_t>(random());
            auto id = space.copy(key.second, *spaces[where], mask);
            if (node.revoked) {
                ASSERT_EQ(id.error(), rt::Error::cap_revoked);
            } else if (id) {
                model[{where, *id}] = {node.rights & mask, key, false};
            } else {
                ASSERT_EQ(id.error(), rt::Error::cspace_full);
            }
        } else if (kind < 17) {
            ASSERT_TRUE(space.remove(key.second));
            hand_up(key, node.parent);
            model.erase(key);
        } else if (kind < 18) {
            ASSERT_EQ(space.revoke(key.second).has_value(), !node.revoked);
            hand_up(key, node.parent);
            model[key] = {node.rights, {}, true};
        } else {
            ASSERT_EQ(space.revoke_children(key.second).has_value(), !node.revoked);
            std::set<Key> gone{key};
            for (bool more = true; more;) {
                more = false;
                for (auto& [other, child] : model) {
                    if (!child.revoked && gone.contains(child.parent)) {
                        child.revoked = true;
                        more |= gone.insert(other).second;
                    }
                }
            }
            for (const Key& dead : gone) {
                if (dead != key) {
                    model[dead].parent = {};
                }
            }
        }
        if (model.empty()) {
            continue;
        }
        const auto check = any();
        auto found = spaces[check->first.first]->lookup<Partition>(check->first.second,
                                                                   check->second.rights);
        ASSERT_EQ(found.has_value(), !check->second.revoked);
    }
    std::uint64_t sizes = 0;
    for (const auto& space : spaces) {
        sizes += space->size();
    }
    EXPECT_EQ(sizes, model.size());
}

TEST_F(CspaceTest, ThreadsLookUpWhileOthersRevoke) {
    auto space = make_space(2000);
    const CapId root = *space->insert(make_object<Partition>(), rights_a);
    std::atomic<bool> stop = false;
    std::atomic<int> rounds = 0;
    std::vector<std::thread> threads;
    for (unsigned cpu = 1; cpu <= 3; ++cpu) {
        threads.emplace_back([&, cpu] {
            fake::set_cpu_index(cpu);
            std::mt19937 random(cpu);
            std::vector<CapId> ids{root};
            for (; !stop; ++rounds) {
                const CapId from = ids[random() % ids.size()];
                if (auto id = space->copy(from, *space, GH_RIGHTS_ALL)) {
                    ids.push_back(*id);
                }
                static_cast<void>(space->lookup<Partition>(from, rights_a));
                if (ids.size() > 50) { // revoked or not, the slot is ours to free
                    EXPECT_TRUE(space->remove(ids.back()));
                    ids.pop_back();
                }
            }
        });
    }
    while (rounds < 20000) {
        EXPECT_TRUE(space->revoke_children(root));
        std::this_thread::yield();
    }
    stop = true;
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(lookup_error(*space, root, rights_a), rt::Error{0});
}

} // namespace
} // namespace hyp
