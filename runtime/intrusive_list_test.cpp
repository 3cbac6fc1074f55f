// SPDX-License-Identifier: BSD-3-Clause
// Order and membership of the intrusive list.
#include <runtime/intrusive_list.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace {

struct FirstTag {};
struct SecondTag {};

struct Item : rt::ListNode<FirstTag>, rt::ListNode<SecondTag> {
    explicit Item(int n) : number(n) {}
    int number;
};

using List = rt::IntrusiveList<Item, FirstTag>;
using OtherList = rt::IntrusiveList<Item, SecondTag>;

template <typename L>
std::vector<int> numbers(L& list) {
    std::vector<int> result;
    for (const Item& item : list) {
        result.push_back(item.number);
    }
    return result;
}

TEST(IntrusiveList, keeps_the_order_of_insertion) {
    List list;
    Item a(1), b(2), c(3), d(4);
    EXPECT_TRUE(list.empty());
    list.push_back(b);
    list.push_back(d);
    list.push_front(a);
    list.insert_before(d, c);
    EXPECT_EQ(numbers(list), (std::vector{1, 2, 3, 4}));
}

TEST(IntrusiveList, removes_from_anywhere_and_ignores_strangers) {
    List list;
    Item a(1), b(2), c(3), stranger(9);
    list.push_back(a);
    list.push_back(b);
    list.push_back(c);
    List::remove(b);
    List::remove(b);
    List::remove(stranger);
    EXPECT_EQ(numbers(list), (std::vector{1, 3}));
    EXPECT_EQ(list.pop_front(), &a);
    EXPECT_EQ(list.pop_front(), &c);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, an_item_can_be_on_one_list_per_tag) {
    List list;
    OtherList other;
    Item a(1), b(2);
    list.push_back(a);
    list.push_back(b);
    other.push_back(b);
    other.push_back(a);
    List::remove(a);
    EXPECT_EQ(numbers(list), (std::vector{2}));
    EXPECT_EQ(numbers(other), (std::vector{2, 1}));
}

} // namespace
