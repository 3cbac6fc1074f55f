// SPDX-License-Identifier: BSD-3-Clause
// Virtqueue: ring access, chain walking, notification suppression (VIRTIO 1.2, 2.7.5 to 2.7.14).
#include "virtio/virtqueue.hpp"

#include <atomic>
#include <bit>
#include <cstring>

#include "virtio/ring_constants.hpp"

namespace vmm {
namespace {

static_assert(std::endian::native == std::endian::little, "ring fields are little-endian");

// Byte offsets within the available and used rings (2.7.6, 2.7.8).
constexpr std::size_t flags_offset = 0;
constexpr std::size_t index_offset = 2;
constexpr std::size_t entries_offset = 4;
constexpr std::size_t available_entry_size = 2;
constexpr std::size_t used_entry_size = 8;

constexpr std::size_t available_size(std::size_t size) {
    return entries_offset + size * available_entry_size + sizeof(std::uint16_t);
}
constexpr std::size_t used_size(std::size_t size) {
    return entries_offset + size * used_entry_size + sizeof(std::uint16_t);
}
// used_event stands behind the available ring, avail_event behind the used ring (2.7.10).
constexpr std::size_t used_event_offset(std::size_t size) {
    return available_size(size) - sizeof(std::uint16_t);
}
constexpr std::size_t avail_event_offset(std::size_t size) {
    return used_size(size) - sizeof(std::uint16_t);
}

// Ring addresses are aligned to at least 2 (checked in create), so 16-bit fields are atomic.
std::uint16_t load16(std::span<std::byte> ring, std::size_t offset) {
    auto* field = reinterpret_cast<std::uint16_t*>(ring.data() + offset);
    return std::atomic_ref{*field}.load(std::memory_order_acquire);
}
void store16(std::span<std::byte> ring, std::size_t offset, std::uint16_t value) {
    auto* field = reinterpret_cast<std::uint16_t*>(ring.data() + offset);
    std::atomic_ref{*field}.store(value, std::memory_order_release);
}

// Orders our store to one ring before our load from the other one (2.7.7.1, 2.7.13.3).
void full_barrier() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

} // namespace

struct Virtqueue::Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
};

// A descriptor table in guest memory: the queue's own, or an indirect one.
struct Virtqueue::Table {
    std::span<const std::byte> bytes;
    std::size_t count;

    std::expected<Descriptor, QueueError> at(std::uint32_t index) const {
        if (index >= count) {
            return std::unexpected{QueueError::index_out_of_range};
        }
        return fetch_once<Descriptor>(
            bytes.subspan(index * sizeof(Descriptor), sizeof(Descriptor)));
    }
};

// Follows `next` from descriptor to descriptor and collects the buffers.
class Virtqueue::ChainBuilder {
public:
    ChainBuilder(const GuestMemory& memory, std::uint16_t queue_size, RingFeatures features)
        : memory_{memory}, budget_{queue_size}, features_{features} {}

    std::expected<void, QueueError> walk(const Table& table, std::uint16_t first, bool indirect) {
        for (std::uint32_t index = first;;) {
            const auto descriptor = table.at(index);
            if (!descriptor) {
                return std::unexpected{descriptor.error()};
            }
            if (budget_-- == 0) {
                return std::unexpected{QueueError::chain_too_long};
            }
            const auto added = (descriptor->flags & VRING_DESC_F_INDIRECT) != 0
                                   ? add_indirect(*descriptor, indirect)
                                   : add_buffer(*descriptor);
            if (!added || (descriptor->flags & VRING_DESC_F_NEXT) == 0) {
                return added;
            }
            index = descriptor->next;
        }
    }

    DescriptorChain chain;

private:
    std::expected<void, QueueError> add_buffer(const Descriptor& descriptor) {
        const auto range = memory_.range(descriptor.address, descriptor.length);
        if (!range) {
            return std::unexpected{QueueError::buffer_outside_memory};
        }
        if ((descriptor.flags & VRING_DESC_F_WRITE) != 0) {
            chain.writable.push_back(*range);
            return {};
        }
        if (!chain.writable.empty()) {
            return std::unexpected{QueueError::readable_after_writable};
        }
        chain.readable.push_back(*range);
        return {};
    }

    std::expected<void, QueueError> add_indirect(const Descriptor& descriptor, bool nested) {
        const std::size_t count = descriptor.length / sizeof(Descriptor);
        const bool whole = descriptor.length % sizeof(Descriptor) == 0;
        const bool continues = (descriptor.flags & VRING_DESC_F_NEXT) != 0;
        if (!features_.indirect || nested || continues || !whole || count == 0) {
            return std::unexpected{QueueError::bad_indirect};
        }
        const auto range = memory_.range(descriptor.address, descriptor.length);
        if (!range) {
            return std::unexpected{QueueError::buffer_outside_memory};
        }
        budget_ += 1; // the descriptor that refers to the table is no buffer of the chain
        return walk(Table{*range, count}, 0, true);
    }

    const GuestMemory& memory_;
    std::uint32_t budget_; // descriptors that may still follow; also what ends a loop
    RingFeatures features_;
};

std::expected<Virtqueue, QueueError>
Virtqueue::create(const GuestMemory& memory, const QueueLayout& layout, RingFeatures features) {
    if (!std::has_single_bit(layout.size) || layout.size > max_size) {
        return std::unexpected{QueueError::bad_size};
    }
    // 2.7: descriptor table 16, available ring 2, used ring 4.
    if (layout.descriptors % 16 != 0 || layout.available % 2 != 0 || layout.used % 4 != 0) {
        return std::unexpected{QueueError::misaligned_ring};
    }
    static_assert(sizeof(Descriptor) == 16);
    const auto descriptors = memory.range(layout.descriptors, layout.size * sizeof(Descriptor));
    const auto available = memory.range(layout.available, available_size(layout.size));
    const auto used = memory.range(layout.used, used_size(layout.size));
    if (!descriptors || !available || !used) {
        return std::unexpected{QueueError::ring_outside_memory};
    }
    return Virtqueue{memory, layout.size, features, *descriptors, *available, *used};
}

std::uint16_t Virtqueue::available_index() const {
    return load16(available_, index_offset);
}

std::expected<std::optional<DescriptorChain>, QueueError> Virtqueue::pop() {
    const auto waiting = static_cast<std::uint16_t>(available_index() - next_available_);
    if (waiting == 0) {
        return std::nullopt;
    }
    if (waiting > size_) {
        return std::unexpected{QueueError::available_overrun};
    }
    const std::size_t slot = next_available_ % size_;
    const std::uint16_t head = load16(available_, entries_offset + slot * available_entry_size);
    auto chain = read_chain(head);
    if (!chain) {
        return std::unexpected{chain.error()};
    }
    ++next_available_;
    return std::move(*chain);
}

std::expected<DescriptorChain, QueueError> Virtqueue::read_chain(std::uint16_t head) const {
    ChainBuilder builder{memory_, size_, features_};
    builder.chain.head = head;
    if (auto walked = builder.walk(Table{descriptors_, size_}, head, false); !walked) {
        return std::unexpected{walked.error()};
    }
    return std::move(builder.chain);
}

void Virtqueue::push(std::span<const UsedChain> chains) {
    for (const UsedChain& chain : chains) {
        const std::size_t slot = next_used_ % size_;
        const std::uint32_t entry[2] = {chain.head, chain.written};
        static_assert(sizeof(entry) == used_entry_size);
        std::memcpy(used_.data() + entries_offset + slot * used_entry_size, entry, sizeof(entry));
        ++next_used_;
    }
    // Release: the entries and the data are visible before the index that announces them.
    store16(used_, index_offset, next_used_);
}

bool Virtqueue::needs_interrupt() {
    full_barrier();
    const std::uint16_t before = signalled_used_;
    signalled_used_ = next_used_;
    if (before == next_used_) {
        return false;
    }
    if (!features_.event_index) {
        return (load16(available_, flags_offset) & VRING_AVAIL_F_NO_INTERRUPT) == 0;
    }
    const std::uint16_t event = load16(available_, used_event_offset(size_));
    return vring_need_event(event, next_used_, before) != 0;
}

void Virtqueue::suppress_kicks() {
    // With event indices an avail_event that stays behind means the same without a store.
    if (!features_.event_index) {
        store16(used_, flags_offset, VRING_USED_F_NO_NOTIFY);
    }
}

bool Virtqueue::allow_kicks() {
    if (features_.event_index) {
        store16(used_, avail_event_offset(size_), next_available_);
    } else {
        store16(used_, flags_offset, 0);
    }
    full_barrier();
    return available_index() != next_available_;
}

} // namespace vmm
