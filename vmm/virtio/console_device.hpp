// SPDX-License-Identifier: BSD-3-Clause
// ConsoleDevice: virtio-console with one port or several (VIRTIO 1.2, 5.3).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <linux/virtio_console.h>

#include "virtio/console_control.hpp"
#include "virtio/console_port.hpp"
#include "virtio/device.hpp"

namespace vmm {

struct ConsolePortSettings {
    std::string name; // empty: a console of the guest (hvcN), else a stream for programs
    ConsoleSink sink;
};

// Several ports are offered with VIRTIO_CONSOLE_F_MULTIPORT. One port is not: then the terminal's
// size is in the configuration, where its two fields have the same order for everybody.
class ConsoleDevice : public VirtioDevice {
public:
    static constexpr unsigned control_receive_queue = 2;
    static constexpr unsigned control_transmit_queue = 3;
    // 5.3.2: the control queues stand behind port 0's.
    static constexpr unsigned receive_queue(std::uint32_t port) {
        return port == 0 ? 0 : 2 * port + 2;
    }
    static constexpr unsigned transmit_queue(std::uint32_t port) { return receive_queue(port) + 1; }

    // At least one port; the first is a console.
    explicit ConsoleDevice(std::vector<ConsolePortSettings> ports);

    // Called when the queue of this number has something for the driver, without a lock held. Set
    // once, before the guest runs.
    void on_ready(const std::function<void(unsigned)>& callback);

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override { return sizes_; }
    [[nodiscard]] std::span<const std::byte> config() const override {
        return std::as_bytes(std::span{&config_, 1});
    }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;
    void reset() override { control_.reset(); }

    [[nodiscard]] std::size_t port_count() const { return ports_.size(); }
    [[nodiscard]] ConsolePort& port(std::uint32_t number) { return *ports_[number]; }
    // Somebody is at the host's end of the port, or nobody. Any thread.
    void set_host_open(std::uint32_t port, bool open);
    // Any thread; port 0's size is also in the configuration, which the transport must guard.
    void set_size(std::uint32_t port, ConsoleSize size);

private:
    std::expected<bool, QueueError> receive(std::uint32_t number, Virtqueue& queue);
    std::expected<bool, QueueError> transmit(std::uint32_t number, Virtqueue& queue);
    std::expected<bool, QueueError> process_control(unsigned index, Virtqueue& queue);
    [[nodiscard]] bool takes_input(std::uint32_t number);
    void report_ready(unsigned queue);

    std::vector<std::unique_ptr<ConsolePort>> ports_;
    std::vector<bool> is_console_;
    ConsoleControl control_;
    std::vector<std::uint16_t> sizes_;
    virtio_console_config config_{};
    std::function<void(unsigned)> ready_;
};

} // namespace vmm
