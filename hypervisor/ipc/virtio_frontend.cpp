// SPDX-License-Identifier: BSD-3-Clause
// A virtio-mmio device's registers as the frontend's driver stores to them.
#include "interrupt/vic.hpp"
#include "ipc/virtio_mmio.hpp"
#include "ipc/virtio_registers.hpp"

#include <abi/hypercall.h>
#include <arch/physmap.hpp>

#include <atomic>
#include <cstring>

namespace hyp {

namespace {

void set_half(std::uint64_t& word, bool high, std::uint32_t value) {
    const unsigned shift = high ? 32 : 0;
    word = (word & ~(std::uint64_t{0xffffffff} << shift)) | std::uint64_t{value} << shift;
}

} // namespace

/// Other CPUs read the page while we write it.
void VirtioMmio::show(std::uint64_t offset, std::uint32_t value) {
    auto* page = static_cast<std::byte*>(phys_to_virt(page_->range().base));
    std::atomic_ref(*reinterpret_cast<std::uint32_t*>(page + offset))
        .store(value, std::memory_order_release);
}

/// All registers that the frontend may read and that change.
void VirtioMmio::show_state() {
    const Queue* queue = selected();
    show(virtio::device_features,
         device_features_select_ < 2 ? device_features_[device_features_select_] : 0);
    show(virtio::queue_size_limit, queue != nullptr ? queue->size_limit : 0);
    show(virtio::queue_ready, queue != nullptr && queue->ready ? 1 : 0);
    show(virtio::interrupt_status, interrupt_status_);
    show(virtio::status, status_);
}

VirtioMmio::Queue* VirtioMmio::selected() {
    return queue_select_ < queue_count_ ? &queues_[queue_select_] : nullptr;
}

/// A device of a known type stays in reset until its type's own configuration is there.
bool VirtioMmio::may_start() const {
    return !is_input_ || input_.configured();
}

void VirtioMmio::store(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const LockGuard guard(lock_);
    if (resetting_) {
        return;
    }
    if (offset >= config_offset) {
        store_config(offset - config_offset, size, value);
    } else if (size == sizeof(std::uint32_t) && offset % size == 0) {
        store_register(offset, static_cast<std::uint32_t>(value));
        show_state();
    }
}

void VirtioMmio::store_register(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
    case virtio::device_features_select:
        device_features_select_ = value;
        break;
    case virtio::driver_features_select:
        driver_features_select_ = value;
        break;
    case virtio::driver_features:
        if (driver_features_select_ < 2 && (status_ & virtio::status_features_ok) == 0) {
            driver_features_[driver_features_select_] = value;
        }
        break;
    case virtio::queue_select:
        queue_select_ = value;
        break;
    case virtio::queue_notify:
        if (value < queue_count_) {
            notify(GH_VIRTIO_NOTIFY_NEW_BUFFER, std::uint64_t{1} << value);
        }
        break;
    case virtio::interrupt_acknowledge:
        interrupt_status_ &= ~value;
        frontend_.set_level(interrupt_status_ != 0);
        break;
    case virtio::status:
        store_status(value);
        break;
    default:
        store_queue_register(offset, value);
        break;
    }
}

/// A queue's place cannot change while it is ready (4.2.2.2).
void VirtioMmio::store_queue_register(std::uint64_t offset, std::uint32_t value) {
    Queue* queue = selected();
    if (queue == nullptr) {
        return;
    }
    if (offset == virtio::queue_ready) {
        queue->ready = (value & 1) != 0 && queue->size != 0;
    } else if (queue->ready) {
        return;
    } else if (offset == virtio::queue_size && value <= queue->size_limit) {
        queue->size = value;
    } else if (offset >= virtio::queue_areas && offset < virtio::queue_areas_end) {
        const std::uint64_t relative = offset - virtio::queue_areas;
        if (relative % 16 < 8) {
            set_half(queue->areas[relative / 16], relative % 16 == 4, value);
        }
    }
}

bool VirtioMmio::features_agree() const {
    const bool offered = (driver_features_[0] & ~device_features_[0]) == 0 &&
                         (driver_features_[1] & ~device_features_[1]) == 0;
    constexpr std::uint32_t enforced = virtio::features_1_enforced;
    return offered && (driver_features_[1] & enforced) == enforced;
}

void VirtioMmio::store_status(std::uint32_t value) {
    if (value == 0) {
        if (status_ != 0) {
            resetting_ = true;
            notify(GH_VIRTIO_NOTIFY_RESET, 0);
        }
        return;
    }
    if (!may_start()) {
        return;
    }
    std::uint32_t next = (value & virtio::status_driver_bits) | status_; // bits are never cleared
    const std::uint32_t risen = next & ~status_;
    if ((risen & virtio::status_features_ok) != 0 && !features_agree()) {
        next &= ~virtio::status_features_ok; // which is how the driver learns of it (3.1.1)
    }
    status_ = next;
    if ((risen & virtio::status_driver_ok) != 0) {
        notify(GH_VIRTIO_NOTIFY_DRIVER_OK, 0);
    }
    if ((risen & virtio::status_failed) != 0) {
        notify(GH_VIRTIO_NOTIFY_FAILED, 0);
    }
}

/// Device-specific configuration: an input device's selectors, else bytes for the backend to see.
void VirtioMmio::store_config(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (!range_within(offset, size, config_size_)) {
        return;
    }
    auto* config = static_cast<std::byte*>(phys_to_virt(page_->range().base)) + config_offset;
    std::memcpy(config + offset, &value, size);
    constexpr std::uint64_t selectors = 2;
    if (is_input_ && offset < selectors) {
        input_.show(std::span(config, config_size_));
    }
}

void VirtioMmio::reset_driver_state() {
    for (std::uint32_t i = 0; i < queue_count_; ++i) {
        queues_[i] = Queue{.size_limit = queues_[i].size_limit};
    }
    driver_features_ = {};
    device_features_select_ = 0;
    driver_features_select_ = 0;
    queue_select_ = 0;
    interrupt_status_ = 0;
    status_ = 0;
    frontend_.set_level(false);
    show_state();
}

} // namespace hyp
