// SPDX-License-Identifier: BSD-3-Clause
// The rules of doorbells and message queues, with no interrupt bound.
#include "find.hpp"
#include "model.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>
#include <abi/rights.h>

#include <algorithm>

namespace model {

Answer Machine::ring(Caller& caller, Word cap, Word flags, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_active<Doorbell>(caller, cap, GH_RIGHT_DOORBELL_SEND);
    if (found.error != 0) {
        return refuse(found.error);
    }
    const Word before = found.object->flags;
    found.object->flags |= flags;
    return {0, {before}};
}

Answer Machine::hear(Caller& caller, Word cap, Word clear, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_active<Doorbell>(caller, cap, GH_RIGHT_DOORBELL_RECEIVE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if (clear == 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Word before = found.object->flags;
    found.object->flags &= ~clear;
    return {0, {before}};
}

Answer Machine::queue_configure(Caller& caller, Word cap, Word options, Word reserved) {
    if (reserved != 0 || options >> 32 != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find<Queue>(caller, cap, GH_RIGHT_OBJECT_ACTIVATE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    const Word depth = options & 0xffff, limit = options >> 16;
    if (found.object->active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (depth == 0 || depth > 256 || limit == 0 || limit > GH_MSGQUEUE_MAX_MESSAGE_SIZE) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    found.object->depth = depth;
    found.object->limit = limit;
    found.object->configured = true;
    return {};
}

Answer Machine::send(Caller& caller, Word cap, Word size, Word address, Word flags, Word reserved) {
    const auto found = find_active<Queue>(caller, cap, GH_RIGHT_MSGQUEUE_SEND);
    if (found.error != 0) {
        return refuse(found.error);
    }
    Queue& queue = *found.object;
    if ((flags & ~Word{GH_MSGQUEUE_SEND_PUSH}) != 0 || reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    if (queue.messages.size() == queue.depth) {
        return refuse(GH_ERROR_MSGQUEUE_FULL);
    }
    if (size == 0 || size > queue.limit) {
        return refuse(GH_ERROR_ARG_SIZE);
    }
    const Page* page = accessible(caller, address, GH_ACCESS_R);
    if (page == nullptr) {
        return refuse(GH_ERROR_ADDR_INVAL);
    }
    queue.messages.emplace_back(page->content.begin(),
                                page->content.begin() + static_cast<std::ptrdiff_t>(size));
    return {0, {queue.messages.size() < queue.depth ? Word{1} : Word{0}}};
}

Answer Machine::receive(Caller& caller, Word cap, Word address, Word limit, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_active<Queue>(caller, cap, GH_RIGHT_MSGQUEUE_RECEIVE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    auto& messages = found.object->messages;
    if (messages.empty()) {
        return refuse(GH_ERROR_MSGQUEUE_EMPTY);
    }
    if (messages.front().size() > limit) {
        return refuse(GH_ERROR_ADDR_OVFL);
    }
    Page* page = accessible(caller, address, GH_ACCESS_W);
    if (page == nullptr) {
        return refuse(GH_ERROR_ADDR_INVAL);
    }
    std::copy(messages.front().begin(), messages.front().end(), page->content.begin());
    const Word size = messages.front().size();
    messages.pop_front();
    return {0, {size, messages.empty() ? Word{0} : Word{1}}};
}

Answer Machine::flush(Caller& caller, Word cap, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_active<Queue>(caller, cap, GH_RIGHT_MSGQUEUE_RECEIVE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    found.object->messages.clear();
    return {};
}

} // namespace model
