// SPDX-License-Identifier: BSD-3-Clause
// MmioTransport: register reads and writes, device status, queue set-up, interrupts.
#include "virtio/mmio_transport.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "virtio/ring_constants.hpp"

namespace vmm {
namespace {

constexpr std::uint32_t magic = 0x74726976; // "virt"
constexpr std::uint32_t version = 2;
constexpr std::uint32_t vendor = 0x594e5547; // "GUNY"

constexpr std::uint64_t transport_features = feature(VIRTIO_F_VERSION_1) |
                                             feature(VIRTIO_RING_F_INDIRECT_DESC) |
                                             feature(VIRTIO_RING_F_EVENT_IDX);

std::uint32_t half(std::uint64_t value, std::uint32_t select) {
    return select < 2 ? static_cast<std::uint32_t>(value >> (32 * select)) : 0;
}
void set_half(std::uint64_t& value, bool high, std::uint32_t bits) {
    const unsigned shift = high ? 32 : 0;
    value = (value & ~(std::uint64_t{0xffffffff} << shift)) | (std::uint64_t{bits} << shift);
}

} // namespace

MmioTransport::MmioTransport(VirtioDevice& device, const GuestMemory& memory,
                             TransportEvents events)
    : device_{device}, memory_{memory}, events_{std::move(events)} {
    for (const std::uint16_t max_size : device.queue_sizes()) {
        queues_.push_back({.layout = {}, .max_size = max_size, .ring = {}});
    }
}

std::uint64_t MmioTransport::read(std::uint64_t offset, unsigned size) {
    if (offset == VIRTIO_MMIO_INTERRUPT_STATUS) {
        return interrupt_status_.load();
    }
    if (offset >= VIRTIO_MMIO_CONFIG) {
        return read_config(offset - VIRTIO_MMIO_CONFIG, size);
    }
    // 4.2.2.2: the driver uses aligned 32-bit accesses for everything below the configuration.
    if (size != 4 || offset % 4 != 0) {
        return 0;
    }
    const std::scoped_lock lock{mutex_};
    return read_register(offset);
}

void MmioTransport::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (size != 4 || offset % 4 != 0) {
        return;
    }
    const auto bits = static_cast<std::uint32_t>(value);
    if (offset == VIRTIO_MMIO_INTERRUPT_ACK) {
        acknowledge(bits);
        return;
    }
    const std::scoped_lock lock{mutex_};
    write_register(offset, bits);
}

std::uint32_t MmioTransport::read_register(std::uint64_t offset) {
    const Queue* queue = selected_queue();
    switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
        return magic;
    case VIRTIO_MMIO_VERSION:
        return version;
    case VIRTIO_MMIO_DEVICE_ID:
        return device_.device_id();
    case VIRTIO_MMIO_VENDOR_ID:
        return vendor;
    case VIRTIO_MMIO_DEVICE_FEATURES:
        return half(offered_features(), device_features_select_);
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
        return queue != nullptr ? queue->max_size : 0;
    case VIRTIO_MMIO_QUEUE_READY:
        return queue != nullptr && queue->ring ? 1 : 0;
    case VIRTIO_MMIO_STATUS:
        return status_;
    case VIRTIO_MMIO_SHM_LEN_LOW:
    case VIRTIO_MMIO_SHM_LEN_HIGH:
    case VIRTIO_MMIO_SHM_BASE_LOW:
    case VIRTIO_MMIO_SHM_BASE_HIGH:
        return ~std::uint32_t{0}; // 4.2.2.1: no such shared memory region
    case VIRTIO_MMIO_CONFIG_GENERATION:
        return config_generation_;
    default:
        return 0;
    }
}

std::uint64_t MmioTransport::read_config(std::uint64_t offset, unsigned size) {
    const std::scoped_lock lock{mutex_};
    const auto config = device_.config();
    std::uint64_t value = 0;
    if (offset < config.size()) {
        const std::size_t count = std::min<std::size_t>(size, config.size() - offset);
        std::memcpy(&value, config.data() + offset, std::min(count, sizeof(value)));
    }
    return value;
}

void MmioTransport::write_register(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
        device_features_select_ = value;
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
        write_driver_features(value);
        break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
        driver_features_select_ = value;
        break;
    case VIRTIO_MMIO_QUEUE_SEL:
        queue_select_ = value;
        break;
    case VIRTIO_MMIO_QUEUE_NUM:
        if (Queue* queue = configurable_queue(); queue != nullptr) {
            // A size that does not fit 16 bits becomes 0, which QueueReady refuses.
            queue->layout.size =
                value <= queue->max_size ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
        }
        break;
    case VIRTIO_MMIO_QUEUE_READY:
        set_queue_ready(value != 0);
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY:
        if (value < queues_.size() && events_.kick) {
            events_.kick(value);
        }
        break;
    case VIRTIO_MMIO_STATUS:
        write_status(value);
        break;
    default:
        write_queue_address(offset, value);
    }
}

void MmioTransport::write_queue_address(std::uint64_t offset, std::uint32_t value) {
    Queue* queue = configurable_queue();
    if (queue == nullptr) {
        return;
    }
    switch (offset) {
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
        set_half(queue->layout.descriptors, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
        break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
        set_half(queue->layout.available, offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH, value);
        break;
    case VIRTIO_MMIO_QUEUE_USED_LOW:
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
        set_half(queue->layout.used, offset == VIRTIO_MMIO_QUEUE_USED_HIGH, value);
        break;
    default:
        break;
    }
}

std::uint64_t MmioTransport::offered_features() const {
    return device_.features() | transport_features;
}

RingFeatures MmioTransport::ring_features() const {
    return {.indirect = (driver_features_ & feature(VIRTIO_RING_F_INDIRECT_DESC)) != 0,
            .event_index = (driver_features_ & feature(VIRTIO_RING_F_EVENT_IDX)) != 0};
}

MmioTransport::Queue* MmioTransport::selected_queue() {
    return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

// 4.2.2.2: a queue that is ready keeps its size and addresses.
MmioTransport::Queue* MmioTransport::configurable_queue() {
    Queue* queue = selected_queue();
    return queue != nullptr && !queue->ring ? queue : nullptr;
}

void MmioTransport::write_driver_features(std::uint32_t value) {
    // 2.2.1: features are fixed once FEATURES_OK stands.
    if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0 && driver_features_select_ < 2) {
        set_half(driver_features_, driver_features_select_ == 1, value);
    }
}

void MmioTransport::write_status(std::uint32_t value) {
    if (value == 0) {
        reset();
        return;
    }
    const bool wants_features_ok = (value & ~status_ & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
    const bool features_possible = (driver_features_ & ~offered_features()) == 0 &&
                                   (driver_features_ & feature(VIRTIO_F_VERSION_1)) != 0;
    if (wants_features_ok && !features_possible) {
        value &= ~std::uint32_t{VIRTIO_CONFIG_S_FEATURES_OK};
    }
    if (wants_features_ok && features_possible) {
        device_.negotiated(driver_features_);
    }
    // Status bits are only ever added by the driver (2.1.1), and NEEDS_RESET is the device's.
    status_ |= value & ~std::uint32_t{VIRTIO_CONFIG_S_NEEDS_RESET};
}

void MmioTransport::set_queue_ready(bool ready) {
    Queue* queue = selected_queue();
    if (queue == nullptr || !ready) {
        if (queue != nullptr && queue->ring) {
            queue->ring.reset();
            device_.reset(); // it must not wait for the host on behalf of a queue that is gone
        }
        return;
    }
    if (queue->ring || (status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0) {
        return;
    }
    auto ring = Virtqueue::create(memory_, queue->layout, ring_features());
    if (!ring) {
        needs_reset(ring.error());
        return;
    }
    queue->ring = std::move(*ring);
}

bool MmioTransport::service(unsigned index) {
    const std::scoped_lock lock{mutex_};
    const bool running =
        (status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0 && (status_ & VIRTIO_CONFIG_S_NEEDS_RESET) == 0;
    if (!running || index >= queues_.size() || !queues_[index].ring) {
        return false;
    }
    Virtqueue& ring = *queues_[index].ring;
    const std::uint16_t before = ring.pushed();
    const auto again = device_.process(index, ring);
    requests_ += static_cast<std::uint16_t>(ring.pushed() - before);
    if (!again) {
        needs_reset(again.error());
        return false;
    }
    if (ring.needs_interrupt()) {
        raise(VIRTIO_MMIO_INT_VRING);
    }
    if (device_.take_config_change()) {
        config_has_changed();
    }
    return *again;
}

void MmioTransport::change_config(const std::function<void()>& change) {
    const std::scoped_lock lock{mutex_};
    change();
    config_has_changed();
}

void MmioTransport::config_has_changed() {
    ++config_generation_; // 2.5: a driver that read half of each reads again
    if ((status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0) {
        raise(VIRTIO_MMIO_INT_CONFIG);
    }
}

std::uint64_t MmioTransport::requests() {
    const std::scoped_lock lock{mutex_};
    return requests_;
}

void MmioTransport::acknowledge(std::uint32_t bits) {
    const std::uint32_t before = interrupt_status_.fetch_and(~bits);
    const bool some_left = (before & ~bits) != 0;
    if ((before & bits) != 0 && some_left) {
        events_.interrupt();
    }
}

void MmioTransport::raise(std::uint32_t bit) {
    if (interrupt_status_.fetch_or(bit) == 0) {
        events_.interrupt();
    }
}

void MmioTransport::needs_reset(QueueError error) {
    status_ |= VIRTIO_CONFIG_S_NEEDS_RESET;
    device_.reset(); // nothing is served any more
    if (events_.fault) {
        events_.fault(describe(error));
    }
    // 2.1.2: the driver is told by a configuration change, once it is up.
    if ((status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0) {
        raise(VIRTIO_MMIO_INT_CONFIG);
    }
}

void MmioTransport::reset() {
    status_ = 0;
    driver_features_ = 0;
    device_features_select_ = 0;
    driver_features_select_ = 0;
    queue_select_ = 0;
    interrupt_status_ = 0;
    for (Queue& queue : queues_) {
        queue.layout = {};
        queue.ring.reset();
    }
    device_.reset();
}

} // namespace vmm
