// SPDX-License-Identifier: BSD-3-Clause
// QueueError: what a guest can do wrong with a virtqueue.
#pragma once

#include <string_view>

namespace vmm {

// Each of these makes the device need a reset (VIRTIO 1.2, 2.1.2); none harms the VMM.
enum class QueueError {
    bad_size,            // queue size is not a power of two from 1 to the maximum
    misaligned_ring,     // a ring address breaks 2.7's alignment
    ring_outside_memory, // a ring is not within guest RAM
    available_overrun,   // more chains available than the queue has descriptors
    index_out_of_range,  // a descriptor index beyond the table
    chain_too_long,      // more descriptors than the queue size, or a loop
    buffer_outside_memory,
    readable_after_writable,
    bad_indirect, // nested, combined with next, empty, not whole descriptors, or not negotiated
    bad_request,  // the buffers do not hold what the device type asks for
};

constexpr std::string_view describe(QueueError error) {
    switch (error) {
    case QueueError::bad_size:
        return "queue size out of range";
    case QueueError::misaligned_ring:
        return "misaligned ring address";
    case QueueError::ring_outside_memory:
        return "ring outside guest memory";
    case QueueError::available_overrun:
        return "available index too far ahead";
    case QueueError::index_out_of_range:
        return "descriptor index out of range";
    case QueueError::chain_too_long:
        return "descriptor chain too long or looping";
    case QueueError::buffer_outside_memory:
        return "buffer outside guest memory";
    case QueueError::readable_after_writable:
        return "device-readable descriptor after a device-writable one";
    case QueueError::bad_indirect:
        return "malformed indirect descriptor";
    case QueueError::bad_request:
        return "malformed request";
    }
    return "unknown error";
}

} // namespace vmm
