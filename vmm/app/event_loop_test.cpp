// SPDX-License-Identifier: BSD-3-Clause
// Tests of EventLoop: handlers that add and remove sources, their own included.
#include "app/event_loop.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace vmm {
namespace {

TEST(EventLoop, AHandlerRemovesItselfAndAddsOthers) {
    EventLoop loop;
    const gunyah::EventFd first;
    const gunyah::EventFd second;
    std::string order;
    std::size_t first_index = 0;
    // The handler owns something that must live as long as the handler runs.
    auto owned = std::make_shared<std::string>("a");
    first_index = loop.add(first.fd(), [&, owned] {
        loop.remove(first_index);
        for (int count = 0; count < 100; ++count) { // as many as move a vector
            loop.add(second.fd(), [&] {
                order += "b";
                loop.stop();
            });
        }
        order += *owned;
        second.signal();
    });
    owned.reset();
    first.signal();
    loop.run();
    EXPECT_EQ(order.front(), 'a');
    EXPECT_EQ(order[1], 'b');
}

TEST(EventLoop, IndicesOfRemovedSourcesAreUsedAgain) {
    EventLoop loop;
    const gunyah::EventFd event;
    const auto first = loop.add(event.fd(), [] { FAIL() << "removed"; });
    loop.add(event.fd(), [&] { loop.stop(); });
    loop.remove(first);
    EXPECT_EQ(loop.add(event.fd(), [] {}), first);
    event.signal();
    loop.run();
}

} // namespace
} // namespace vmm
