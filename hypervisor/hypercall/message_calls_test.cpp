// SPDX-License-Identifier: BSD-3-Clause
// Calls on message queues and doorbells, whose messages lie in the caller's memory; and those that
// name no object: random numbers, trace, counters, console.
#include "hypercall/testing/calls_fixture.hpp"

#include "platform/random.hpp"

#include <array>

namespace hyp {
namespace {

class MessageCalls : public CallsTest {
protected:
    CapId make_queue(std::uint64_t depth = 2, std::uint64_t size = 16) {
        const CapId queue = create(GH_PARTITION_CREATE_MSGQUEUE);
        EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE, {queue, 1ULL << 32}), GH_ERROR_ARG_INVAL);
        EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE, {queue, depth | size << 16}), GH_ERROR_OK);
        activate(queue);
        return queue;
    }
};

TEST_F(MessageCalls, AMessageGoesFromMemoryToMemory) {
    const CapId queue = make_queue();
    byte_at(memory + 3) = 'm';
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, memory, 16}), GH_ERROR_MSGQUEUE_EMPTY);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 1, nowhere}), GH_ERROR_ADDR_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 1, memory + 3, 2}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 17, memory + 3}), GH_ERROR_ARG_SIZE);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 1, memory + 3}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 1U) << "room for another";
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 2, memory + 3, GH_MSGQUEUE_SEND_PUSH}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 0U);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {queue, 1, memory + 3}), GH_ERROR_MSGQUEUE_FULL);
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, nowhere, 16}), GH_ERROR_ADDR_INVAL) << "it stays";
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, memory + 64, 16, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, memory + 64, 16}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 1U);
    EXPECT_EQ(x(2), 1U) << "one more waits";
    EXPECT_EQ(byte_at(memory + 64), 'm');
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, memory + 64, 1}), GH_ERROR_ADDR_OVFL);
    EXPECT_EQ(call(GH_MSGQUEUE_FLUSH, {queue}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {queue, memory, 16}), GH_ERROR_MSGQUEUE_EMPTY);
    EXPECT_EQ(call(GH_MSGQUEUE_SEND, {0, 1, memory}), GH_ERROR_CSPACE_CAP_NULL);
    EXPECT_EQ(call(GH_MSGQUEUE_RECEIVE, {0, memory, 16}), GH_ERROR_CSPACE_CAP_NULL);
}

TEST_F(MessageCalls, ThresholdsStayWithinTheQueue) {
    constexpr std::uint64_t same = ~0ULL, depth = ~0ULL - 1;
    const CapId queue = make_queue();
    EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE_SEND, {queue, 1, same, same}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE_SEND, {queue, 3, same, same}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE_SEND, {queue, 1, same, 0}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE_RECEIVE, {queue, depth, 100, same}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_CONFIGURE_RECEIVE, {queue, 3, same, same}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_MSGQUEUE_BIND_SEND_VIRQ, {queue, vic_, 40}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_BIND_RECEIVE_VIRQ, {queue, vic_, 41}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_UNBIND_SEND_VIRQ, {queue}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_MSGQUEUE_UNBIND_RECEIVE_VIRQ, {queue}), GH_ERROR_OK);
}

TEST_F(MessageCalls, ADoorbellCollectsFlags) {
    const CapId bell = create(GH_PARTITION_CREATE_DOORBELL);
    EXPECT_EQ(call(GH_DOORBELL_SEND, {bell, 1}), GH_ERROR_OBJECT_STATE);
    activate(bell);
    EXPECT_EQ(call(GH_DOORBELL_BIND_VIRQ, {bell, vic_, 40}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_DOORBELL_SEND, {bell, 5}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 0U) << "flags before";
    EXPECT_EQ(call(GH_EXT_DOORBELL_RING, {bell, 2}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 5U);
    EXPECT_EQ(call(GH_EXT_DOORBELL_RING, {bell, 2, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_DOORBELL_RECEIVE, {bell, 3}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 7U);
    EXPECT_EQ(call(GH_DOORBELL_MASK, {bell, 1, 1}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_DOORBELL_RESET, {bell}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_DOORBELL_UNBIND_VIRQ, {bell}), GH_ERROR_OK);
}

TEST_F(MessageCalls, RandomNumbersOfTheSizeAskedFor) {
    EXPECT_EQ(call(GH_PRNG_GET_ENTROPY, {0}), GH_ERROR_ARG_SIZE);
    EXPECT_EQ(call(GH_PRNG_GET_ENTROPY, {33}), GH_ERROR_ARG_SIZE);
    EXPECT_EQ(call(GH_PRNG_GET_ENTROPY, {8, 1}), GH_ERROR_ARG_INVAL);
    const std::array<std::byte, 32> seed{std::byte{1}};
    random_generator().add(seed, 256);
    EXPECT_EQ(call(GH_PRNG_GET_ENTROPY, {9}), GH_ERROR_OK);
    EXPECT_NE(x(1), 0U);
    EXPECT_LT(x(2), 256U) << "one byte";
    EXPECT_EQ(x(3) | x(4), 0U);
}

TEST_F(MessageCalls, TheRootPartitionsHolderSeesCountersTraceAndConsole) {
    EXPECT_EQ(call(GH_EXT_QUERY_COUNTER, {ram_, 0}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_EXT_QUERY_COUNTER, {partition_, GH_COUNTER_COUNT}), GH_ERROR_ARG_INVAL);
    std::array<std::uint64_t, GH_COUNTER_COUNT> counters{};
    for (unsigned i = 0; i < GH_COUNTER_COUNT; ++i) {
        EXPECT_EQ(call(GH_EXT_QUERY_COUNTER, {partition_, i}), GH_ERROR_OK);
        counters[i] = x(1);
    }
    EXPECT_EQ(counters[GH_COUNTER_OBJECTS], Object::count());
    EXPECT_EQ(counters[GH_COUNTER_VCPUS], 1U);
    EXPECT_EQ(counters[GH_COUNTER_ADDRSPACES], 1U);
    EXPECT_EQ(counters[GH_COUNTER_MEMEXTENTS], 1U);
    EXPECT_EQ(counters[GH_COUNTER_CAPABILITIES], 7U);
    EXPECT_GT(counters[GH_COUNTER_PAGE_TABLE_PAGES], 0U);
    EXPECT_LT(counters[GH_COUNTER_HEAP_PAGES_USED], counters[GH_COUNTER_HEAP_PAGES_TOTAL]);
    EXPECT_EQ(call(GH_EXT_CONSOLE_WRITE, {partition_, 33}), GH_ERROR_ARG_SIZE);
    EXPECT_EQ(call(GH_EXT_CONSOLE_WRITE, {partition_, 2, 0x0a68}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_EXT_CONSOLE_WRITE, {ram_, 2, 0x0a68}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_EXT_TRACE_READ, {partition_, max_cpus, 0}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_EXT_TRACE_READ, {partition_, max_cpus - 1, 0}), GH_ERROR_IDLE);
    EXPECT_EQ(call(GH_EXT_TRACE_READ, {ram_, 0, 0}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
}

TEST_F(MessageCalls, TheTraceIsThePrimaryVmsToSwitch) {
    EXPECT_EQ(call(GH_TRACE_UPDATE_CLASS_FLAGS, {0, 0, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_TRACE_UPDATE_CLASS_FLAGS, {0, ~0ULL}), GH_ERROR_OK);
    EXPECT_EQ(x(1), 0U);
    const Ref<Vcpu> other = vm_->make_vcpu(1, {});
    std::fill_n(other->registers.x, 8, std::uint64_t{0});
    EXPECT_EQ(hypercall(*other, GH_TRACE_UPDATE_CLASS_FLAGS, 0),
              static_cast<std::uint64_t>(GH_ERROR_DENIED));
    retire({other});
}

TEST_F(MessageCalls, ObjectsCanBeActivatedButNotReset) {
    const CapId bell = create(GH_PARTITION_CREATE_DOORBELL);
    EXPECT_EQ(call(GH_OBJECT_ACTIVATE, {bell, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_OBJECT_ACTIVATE_FROM, {cspace_, bell, 1}), GH_ERROR_ARG_INVAL);
    EXPECT_EQ(call(GH_OBJECT_ACTIVATE_FROM, {cspace_, bell}), GH_ERROR_OK);
    EXPECT_EQ(call(GH_OBJECT_ACTIVATE_FROM, {bell, bell}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_OBJECT_RESET, {bell}), GH_ERROR_UNIMPLEMENTED);
    EXPECT_EQ(call(GH_OBJECT_RESET_FROM, {cspace_, bell}), GH_ERROR_UNIMPLEMENTED);
    EXPECT_EQ(call(GH_OBJECT_RESET_FROM, {bell, bell}), GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    EXPECT_EQ(call(GH_HYPERVISOR_IDENTIFY, {}), static_cast<std::int64_t>(GH_API_INFO));
    EXPECT_EQ(call(0x1f0, {}), GH_ERROR_UNIMPLEMENTED);
}

} // namespace
} // namespace hyp
