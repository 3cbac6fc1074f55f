// SPDX-License-Identifier: BSD-3-Clause
// Message queues: order, limits, thresholds, push, and when each side is interrupted.
#include "ipc/message_queue.hpp"

#include "interrupt/testing/test_vm.hpp"

#include <arch/guest_state.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <thread>

namespace hyp {
namespace {

constexpr std::uint32_t send_irq = 40;
constexpr std::uint32_t receive_irq = 41;

class Text final : public MessageSource {
public:
    explicit Text(std::span<const std::byte> bytes) : bytes_(bytes) {}
    rt::Result<> give(std::span<std::byte> place) override {
        std::ranges::copy(bytes_.first(place.size()), place.begin());
        return {};
    }

private:
    std::span<const std::byte> bytes_;
};

rt::Result<std::uint32_t> send_to(MessageQueue& queue, std::span<const std::byte> bytes,
                                  bool push) {
    Text text(bytes);
    return queue.send(bytes.size(), text, push);
}

class Buffer final : public MessageSink {
public:
    rt::Result<> take(std::span<const std::byte> message) override {
        if (refuse) {
            return rt::fail(rt::Error::address_invalid);
        }
        text.assign(reinterpret_cast<const char*>(message.data()), message.size());
        return {};
    }
    std::string text;
    bool refuse = false;
};

class MessageQueueTest : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(1);
        enable(send_irq);
        enable(receive_irq);
    }
    void TearDown() override {
        queue.clear();
        VicTest::TearDown();
    }
    void make(std::size_t depth, std::size_t size) {
        queue = make_object<MessageQueue>();
        ASSERT_TRUE(queue->configure(depth, size));
        ASSERT_TRUE(queue->activate());
    }
    void bind() {
        ASSERT_TRUE(queue->bind_send(*vic, {send_irq, 0}));
        ASSERT_TRUE(queue->bind_receive(*vic, {receive_irq, 0}));
    }
    rt::Result<std::uint32_t> send(std::string_view text, bool push = false) {
        return send_to(*queue, std::as_bytes(std::span(text)), push);
    }
    rt::Result<MessageQueue::Received> receive(std::size_t limit = 240) {
        return queue->receive(limit, buffer);
    }
    /// What the guest is interrupted for since the last call.
    std::vector<std::uint32_t> interrupts() {
        enter(0);
        auto handled = guest[0].handle_all();
        exit(0);
        std::sort(handled.begin(), handled.end());
        return handled;
    }
    using Irqs = std::vector<std::uint32_t>;

    Ref<MessageQueue> queue;
    Buffer buffer;
};

TEST_F(MessageQueueTest, ConfigurationIsChecked) {
    queue = make_object<MessageQueue>();
    EXPECT_EQ(queue->activate().error(), rt::Error::object_config);
    EXPECT_EQ(queue->configure(0, 1).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->configure(1, 0).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->configure(257, 1).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->configure(1, 241).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->flush().error(), rt::Error::object_state);
    EXPECT_TRUE(queue->configure(256, 240));
    EXPECT_TRUE(queue->activate());
    EXPECT_EQ(queue->configure(1, 1).error(), rt::Error::object_state);
}

TEST_F(MessageQueueTest, LooksEmptyAndFullWithoutItsLock) {
    make(2, 8);
    EXPECT_TRUE(queue->looks_empty());
    EXPECT_FALSE(queue->looks_full());
    ASSERT_TRUE(send("a"));
    EXPECT_FALSE(queue->looks_empty());
    EXPECT_FALSE(queue->looks_full());
    ASSERT_TRUE(send("b"));
    EXPECT_TRUE(queue->looks_full());
    EXPECT_EQ(send("c").error(), rt::Error::msgqueue_full);
    ASSERT_TRUE(receive());
    EXPECT_FALSE(queue->looks_full());
    buffer.refuse = true; // what was not taken is still there
    EXPECT_FALSE(receive());
    EXPECT_FALSE(queue->looks_empty());
    buffer.refuse = false;
    ASSERT_TRUE(receive());
    EXPECT_TRUE(queue->looks_empty());
    ASSERT_TRUE(send("d"));
    ASSERT_TRUE(queue->flush());
    EXPECT_TRUE(queue->looks_empty());
}

// The handler answers "full" by looks_full() alone: the sender is remembered all the same.
TEST_F(MessageQueueTest, SenderThatFilledItIsInterruptedWhenItBinds) {
    make(2, 8);
    ASSERT_TRUE(send("a"));
    ASSERT_TRUE(send("b"));
    ASSERT_TRUE(queue->looks_full());
    ASSERT_TRUE(receive());
    ASSERT_TRUE(queue->bind_send(*vic, {send_irq, 0}));
    EXPECT_EQ(interrupts(), Irqs{send_irq});
}

TEST_F(MessageQueueTest, MessagesComeInOrderAndWhole) {
    make(3, 5);
    EXPECT_EQ(receive().error(), rt::Error::msgqueue_empty);
    EXPECT_EQ(send("").error(), rt::Error::argument_size);
    EXPECT_EQ(send("123456").error(), rt::Error::argument_size);
    EXPECT_EQ(*send("one"), true);
    EXPECT_EQ(*send("three"), true);
    EXPECT_EQ(*send("5"), false);
    EXPECT_EQ(send("no").error(), rt::Error::msgqueue_full);
    EXPECT_EQ(receive(2).error(), rt::Error::address_overflow);
    buffer.refuse = true;
    EXPECT_EQ(receive().error(), rt::Error::address_invalid);
    buffer.refuse = false;
    auto first = receive(3); // neither failure lost it
    EXPECT_EQ(buffer.text, "one");
    EXPECT_TRUE(first->not_empty);
    EXPECT_EQ(first->size, 3U);
    EXPECT_EQ(*send("wrap"), false);
    receive();
    EXPECT_EQ(buffer.text, "three");
    receive();
    EXPECT_EQ(buffer.text, "5");
    EXPECT_FALSE(receive()->not_empty);
    EXPECT_EQ(buffer.text, "wrap");
}

TEST_F(MessageQueueTest, DefaultsInterruptOnFirstMessageAndFirstRoom) {
    make(2, 8);
    bind();
    EXPECT_EQ(interrupts(), Irqs{});
    ASSERT_TRUE(send("a"));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    ASSERT_TRUE(send("b"));
    EXPECT_EQ(interrupts(), Irqs{}); // the receiver knows
    ASSERT_TRUE(receive());
    EXPECT_EQ(interrupts(), Irqs{send_irq}); // it was full
    ASSERT_TRUE(receive());
    EXPECT_EQ(interrupts(), Irqs{});
}

TEST_F(MessageQueueTest, PushAlwaysInterrupts) {
    make(4, 8);
    bind();
    ASSERT_TRUE(queue->set_receive_threshold(3, {}));
    ASSERT_TRUE(send("a"));
    EXPECT_EQ(interrupts(), Irqs{});
    ASSERT_TRUE(send("b", true));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    ASSERT_TRUE(send("c"));
    EXPECT_EQ(interrupts(), Irqs{receive_irq}); // the threshold
    ASSERT_TRUE(send("d", true));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
}

TEST_F(MessageQueueTest, ThresholdsAreChecked) {
    make(4, 8);
    bind();
    EXPECT_EQ(queue->set_send_threshold(4, {}).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->set_receive_threshold(0, {}).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->set_receive_threshold(5, {}).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->set_receive_threshold({}, 10'000'001).error(), rt::Error::argument_invalid);
    EXPECT_EQ(queue->set_send_threshold({}, 10'000'001).error(), rt::Error::argument_invalid);
    EXPECT_TRUE(queue->set_send_threshold(0, 0));
    EXPECT_TRUE(queue->set_receive_threshold(4, {}));
    for (const char* text : {"a", "b", "c", "d"}) {
        EXPECT_EQ(interrupts(), Irqs{});
        ASSERT_TRUE(send(text));
    }
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(receive());
        EXPECT_EQ(interrupts(), Irqs{});
    }
    ASSERT_TRUE(receive());
    EXPECT_EQ(interrupts(), Irqs{send_irq}); // empty now
    ASSERT_TRUE(send("a"));
    EXPECT_EQ(interrupts(), Irqs{});
    ASSERT_TRUE(queue->set_receive_threshold(1, {})); // what waits is enough now
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
}

TEST_F(MessageQueueTest, NobodyMissesWhatHappenedBeforeBinding) {
    make(1, 8);
    ASSERT_TRUE(send("a"));
    EXPECT_EQ(send("b").error(), rt::Error::msgqueue_full);
    ASSERT_TRUE(queue->bind_receive(*vic, {receive_irq, 0}));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    ASSERT_TRUE(receive());
    ASSERT_TRUE(queue->bind_send(*vic, {send_irq, 0}));
    EXPECT_EQ(interrupts(), Irqs{send_irq});
}

TEST_F(MessageQueueTest, BindingIsExclusive) {
    make(1, 8);
    bind();
    EXPECT_EQ(queue->bind_send(*vic, {50, 0}).error(), rt::Error::virq_bound);
    auto other = make_object<MessageQueue>();
    ASSERT_TRUE(other->configure(1, 1));
    ASSERT_TRUE(other->activate());
    EXPECT_EQ(other->bind_receive(*vic, {receive_irq, 0}).error(), rt::Error::busy);
    queue->unbind_receive();
    queue->unbind_receive();
    EXPECT_TRUE(other->bind_receive(*vic, {receive_irq, 0}));
    ASSERT_TRUE(send("a"));
    EXPECT_EQ(interrupts(), Irqs{});
}

TEST_F(MessageQueueTest, FlushEmptiesAndFreesTheSender) {
    make(2, 8);
    bind();
    ASSERT_TRUE(send("a"));
    ASSERT_TRUE(send("b"));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    ASSERT_TRUE(queue->flush());
    EXPECT_EQ(interrupts(), Irqs{send_irq});
    EXPECT_EQ(receive().error(), rt::Error::msgqueue_empty);
    ASSERT_TRUE(queue->flush());
    EXPECT_EQ(interrupts(), Irqs{});
    ASSERT_TRUE(send("c"));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
}

TEST_F(MessageQueueTest, RandomTrafficFollowsTheModel) {
    make(7, 30);
    std::deque<std::string> model;
    std::mt19937 random(4);
    for (int step = 0; step < 20000; ++step) {
        if (random() % 2 == 0) {
            const std::string text(1 + random() % 30, static_cast<char>('a' + random() % 26));
            const auto sent = send(text);
            ASSERT_EQ(sent.has_value(), model.size() < 7);
            if (sent) {
                model.push_back(text);
                ASSERT_EQ(*sent, model.size() < 7);
            }
        } else {
            const std::size_t limit = random() % 40;
            const auto received = receive(limit);
            const bool fits = !model.empty() && model.front().size() <= limit;
            ASSERT_EQ(received.has_value(), fits);
            if (fits) {
                ASSERT_EQ(buffer.text, model.front());
                model.pop_front();
                ASSERT_EQ(received->not_empty, !model.empty());
            }
        }
    }
}

TEST_F(MessageQueueTest, TwoCpusLoseNothing) {
    make(4, 8);
    constexpr std::uint32_t count = 5000;
    std::thread sender([&] {
        fake::set_cpu_index(1);
        for (std::uint32_t i = 0; i < count;) {
            const auto bytes = std::as_bytes(std::span(&i, 1));
            i += send_to(*queue, bytes, false) ? 1U : 0U;
        }
    });
    for (std::uint32_t expected = 0; expected < count;) {
        if (receive()) {
            std::uint32_t value = 0;
            std::memcpy(&value, buffer.text.data(), sizeof(value));
            ASSERT_EQ(value, expected++);
        }
    }
    sender.join();
}

TEST_F(MessageQueueTest, DelaysInterruptForWhatIsBelowTheThreshold) {
    make(4, 16);
    bind();
    const auto pass_us = [](std::uint64_t us) {
        fake::guest_hardware().counter += us * 1000;
        SoftTimerQueue::mine().expire();
    };
    ASSERT_TRUE(queue->set_receive_threshold(3, 50));
    ASSERT_TRUE(queue->set_send_threshold(1, 70));
    ASSERT_TRUE(send("a"));
    pass_us(49);
    ASSERT_TRUE(send("b"));
    EXPECT_EQ(interrupts(), Irqs{});
    pass_us(1);
    EXPECT_EQ(interrupts(), Irqs{receive_irq}) << "counted from the first message";
    ASSERT_TRUE(send("c"));
    EXPECT_EQ(interrupts(), Irqs{receive_irq});
    ASSERT_TRUE(send("d"));
    ASSERT_TRUE(receive());
    pass_us(69);
    EXPECT_EQ(interrupts(), Irqs{});
    pass_us(1);
    EXPECT_EQ(interrupts(), Irqs{send_irq});
    ASSERT_TRUE(queue->flush());
    static_cast<void>(interrupts());
    ASSERT_TRUE(send("e"));
    ASSERT_TRUE(receive());
    pass_us(1000);
    EXPECT_EQ(interrupts(), Irqs{}) << "nothing is left to be told of";
    ASSERT_TRUE(send("f"));
    queue.clear(); // with its timer armed
    pass_us(1000);
}

} // namespace
} // namespace hyp
