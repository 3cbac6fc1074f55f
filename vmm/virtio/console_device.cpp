// SPDX-License-Identifier: BSD-3-Clause
// ConsoleDevice: which queue belongs to which port.
#include "virtio/console_device.hpp"

#include <linux/virtio_ids.h>

#include <utility>

namespace vmm {
namespace {

constexpr std::uint16_t queue_size = 64;
// What a terminal has of which nobody knows the size.
constexpr ConsoleSize usual_size{.columns = 80, .rows = 25};

std::vector<std::string> names_of(const std::vector<ConsolePortSettings>& ports) {
    std::vector<std::string> names;
    for (const ConsolePortSettings& port : ports) {
        names.push_back(port.name);
    }
    return names;
}

} // namespace

ConsoleDevice::ConsoleDevice(std::vector<ConsolePortSettings> ports) : control_{names_of(ports)} {
    for (ConsolePortSettings& port : ports) {
        is_console_.push_back(port.name.empty());
        ports_.push_back(std::make_unique<ConsolePort>(std::move(port.sink)));
    }
    const std::size_t queues = ports_.size() == 1 ? 2 : 2 * ports_.size() + 2;
    sizes_.assign(queues, queue_size);
    config_.cols = usual_size.columns;
    config_.rows = usual_size.rows;
    config_.max_nr_ports = static_cast<std::uint32_t>(ports_.size());
}

void ConsoleDevice::on_ready(const std::function<void(unsigned)>& callback) {
    ready_ = callback;
    for (std::uint32_t number = 0; number < ports_.size(); ++number) {
        ports_[number]->on_input([callback, number] { callback(receive_queue(number)); });
    }
}

std::uint32_t ConsoleDevice::device_id() const {
    return VIRTIO_ID_CONSOLE;
}

std::uint64_t ConsoleDevice::features() const {
    return feature(VIRTIO_CONSOLE_F_SIZE) |
           (ports_.size() > 1 ? feature(VIRTIO_CONSOLE_F_MULTIPORT) : 0);
}

std::expected<bool, QueueError> ConsoleDevice::process(unsigned index, Virtqueue& queue) {
    if (index == control_receive_queue || index == control_transmit_queue) {
        return process_control(index, queue);
    }
    const std::uint32_t number = index < control_receive_queue ? 0 : index / 2 - 1;
    return index % 2 == 0 ? receive(number, queue) : transmit(number, queue);
}

// A stream is for a program: what comes while none has it open would be lost on the way. A console
// takes input at any time, also from a driver without control queues.
bool ConsoleDevice::takes_input(std::uint32_t number) {
    return ports_[number]->has_input() && (is_console_[number] || control_.guest_has_open(number));
}

std::expected<bool, QueueError> ConsoleDevice::receive(std::uint32_t number, Virtqueue& queue) {
    return drain(
        queue, [this, number](DescriptorChain& chain) { return ports_[number]->fill(chain); },
        [this, number] { return takes_input(number); });
}

std::expected<bool, QueueError> ConsoleDevice::transmit(std::uint32_t number, Virtqueue& queue) {
    return drain(
        queue, [this, number](DescriptorChain& chain) { return ports_[number]->print(chain); },
        [this, number] { return ports_[number]->can_print(); });
}

std::expected<bool, QueueError> ConsoleDevice::process_control(unsigned index, Virtqueue& queue) {
    if (index == control_receive_queue) {
        return drain(
            queue, [this](DescriptorChain& chain) { return control_.fill(chain); },
            [this] { return control_.has_message(); });
    }
    auto again =
        drain(queue, [this](DescriptorChain& chain) -> std::expected<std::uint32_t, QueueError> {
            if (!control_.handle(chain)) {
                return std::unexpected{QueueError::bad_request};
            }
            return 0;
        });
    // The answers; and input may have waited for a program to open its port.
    report_ready(control_receive_queue);
    for (std::uint32_t number = 0; number < ports_.size(); ++number) {
        if (takes_input(number)) {
            report_ready(receive_queue(number));
        }
    }
    return again;
}

void ConsoleDevice::set_host_open(std::uint32_t port, bool open) {
    control_.set_host_open(port, open);
    report_ready(control_receive_queue);
}

void ConsoleDevice::set_size(std::uint32_t port, ConsoleSize size) {
    if (port == 0) {
        config_.cols = size.columns;
        config_.rows = size.rows;
    }
    control_.set_size(port, size);
    report_ready(control_receive_queue);
}

void ConsoleDevice::report_ready(unsigned queue) {
    if (ready_ && queue < sizes_.size()) {
        ready_(queue);
    }
}

} // namespace vmm
