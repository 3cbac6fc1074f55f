// SPDX-License-Identifier: BSD-3-Clause
// drive(): a small language of driver actions, one byte each with its arguments behind it.
#include "fuzz/device_driver.hpp"

#include <cstdlib>
#include <optional>
#include <vector>

#include "virtio/guest_memory.hpp"
#include "virtio/ring_constants.hpp"

namespace vmm::fuzz {
namespace {

constexpr std::uint64_t ram_base = 0x10'0000;
constexpr std::size_t ram_size = 0x1'0000;
constexpr std::uint16_t queue_size = 16;
constexpr std::uint64_t queue_area = 0x400; // of each queue, from ram_base on
constexpr std::uint64_t buffers = 0x4000;   // offset

enum class Action : std::uint8_t { describe, offer, store, process, host, reset, count };

// A descriptor in ten bytes: compact, and mostly near what is valid.
struct CompactDescriptor {
    std::uint8_t queue;
    std::uint8_t index;
    std::uint8_t flags;
    std::uint8_t next;
    std::uint16_t page; // address in units of 16 from ram_base on; 0xffff: far outside
    std::uint32_t length;
};

struct Queue {
    QueueLayout layout;
    std::uint16_t available = 0;
    std::optional<Virtqueue> ring;
};

class Driver {
public:
    Driver(VirtioDevice& device, FuzzInput& input, const HostSide& host)
        : device_{device}, input_{input}, host_{host}, ram_(ram_size) {
        const auto bits = input_.take<std::uint8_t>();
        features_ = {.indirect = (bits & 1) != 0, .event_index = (bits & 2) != 0};
        queues_.resize(device.queue_sizes().size());
        make_queues();
    }

    void run() {
        while (!input_.empty()) {
            const auto action = input_.take<std::uint8_t>();
            step(static_cast<Action>(action % static_cast<unsigned>(Action::count)));
        }
        for (std::size_t index = 0; index < queues_.size(); ++index) {
            process(index);
        }
    }

private:
    void make_queues() {
        for (std::size_t index = 0; index < queues_.size(); ++index) {
            const std::uint64_t base = ram_base + index * queue_area;
            queues_[index].layout = {.size = queue_size,
                                     .descriptors = base,
                                     .available = base + 0x200,
                                     .used = base + 0x280};
            queues_[index].available = 0;
            queues_[index].ring =
                Virtqueue::create({ram_base, ram_}, queues_[index].layout, features_).value();
        }
    }

    void step(Action action) {
        switch (action) {
        case Action::describe:
            describe();
            break;
        case Action::offer:
            offer(input_.take<std::uint8_t>(), input_.take<std::uint8_t>());
            break;
        case Action::store:
            store();
            break;
        case Action::process:
            process(input_.take<std::uint8_t>() % queues_.size());
            break;
        case Action::host:
            if (host_) {
                host_(input_);
            }
            break;
        case Action::reset:
            device_.reset();
            std::ranges::fill(ram_, std::byte{0});
            make_queues();
            break;
        case Action::count:
            break;
        }
    }

    void put(std::uint64_t offset, std::span<const std::byte> bytes) {
        offset %= ram_size;
        const std::size_t count = std::min<std::uint64_t>(bytes.size(), ram_size - offset);
        std::ranges::copy(bytes.first(count), ram_.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    template <typename T>
    void put_value(std::uint64_t address, const T& value) {
        put(address - ram_base, std::as_bytes(std::span{&value, 1}));
    }

    void describe() {
        const CompactDescriptor compact{.queue = input_.take<std::uint8_t>(),
                                        .index = input_.take<std::uint8_t>(),
                                        .flags = input_.take<std::uint8_t>(),
                                        .next = input_.take<std::uint8_t>(),
                                        .page = input_.take<std::uint16_t>(),
                                        .length = input_.take<std::uint32_t>()};
        const vring_desc descriptor{.addr = compact.page == 0xffff
                                                ? ~std::uint64_t{0xfff}
                                                : ram_base + std::uint64_t{compact.page} * 16,
                                    .len = compact.length,
                                    .flags = compact.flags,
                                    .next = compact.next};
        const Queue& queue = queues_[compact.queue % queues_.size()];
        put_value(queue.layout.descriptors + compact.index % queue_size * sizeof(descriptor),
                  descriptor);
    }

    void offer(std::uint8_t number, std::uint8_t head) {
        Queue& queue = queues_[number % queues_.size()];
        put_value(queue.layout.available + 4 + 2 * (queue.available % queue_size),
                  std::uint16_t{head});
        put_value(queue.layout.available + 2, ++queue.available);
    }

    // Anywhere in memory, rings included; mostly into buffers.
    void store() {
        const auto offset = input_.take<std::uint16_t>();
        const auto count = input_.take<std::uint8_t>();
        put(buffers + offset, input_.take_bytes(count));
    }

    void process(std::size_t index) {
        Queue& queue = queues_[index];
        if (!queue.ring) {
            return;
        }
        const std::uint16_t before = queue.ring->pushed();
        if (!device_.process(static_cast<unsigned>(index), *queue.ring)) {
            queue.ring.reset(); // as the transport does until the driver resets the device
            return;
        }
        static_cast<void>(queue.ring->needs_interrupt());
        if (static_cast<std::uint16_t>(queue.ring->pushed() - before) > queue_size) {
            std::abort(); // one turn is at most a queue's length
        }
    }

    VirtioDevice& device_;
    FuzzInput& input_;
    const HostSide& host_;
    std::vector<std::byte> ram_;
    RingFeatures features_;
    std::vector<Queue> queues_;
};

} // namespace

void drive(VirtioDevice& device, FuzzInput& input, const HostSide& host) {
    Driver{device, input, host}.run();
}

} // namespace vmm::fuzz
