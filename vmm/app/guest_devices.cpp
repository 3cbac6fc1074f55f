// SPDX-License-Identifier: BSD-3-Clause
// GuestDevices: addresses, interrupts and queue notifications of each device.
#include "app/guest_devices.hpp"

#include <linux/virtio_mmio.h>

#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "machine/layout.hpp"
#include "virtio/block_device.hpp"
#include "virtio/rng_device.hpp"
#include "virtio/vsock_device.hpp"

namespace vmm {

using gunyah::IoEventFd;
using gunyah::IrqFd;
using gunyah::IrqTrigger;

// A virtio device in its place: addresses of members are handed out, so it never moves.
struct GuestDevices::VirtioSlot {
    std::string name;
    std::uint64_t kick_count = 0; // on the event loop's thread
    std::atomic<std::uint64_t> interrupt_count = 0;
    std::unique_ptr<VirtioDevice> device;
    IrqFd interrupt;
    std::vector<IoEventFd> kicks; // one per queue
    gunyah::EventFd work;         // the host has something for the queues in due
    std::atomic<std::uint64_t> due = 0;
    MmioTransport transport;

    VirtioSlot(std::unique_ptr<VirtioDevice> owned, IrqFd irq, const DeviceHost& host,
               const std::string& device_name)
        : name{device_name}, device{std::move(owned)}, interrupt{std::move(irq)},
          transport{*device, host.memory,
                    TransportEvents{
                        .interrupt =
                            [this] {
                                interrupt_count.fetch_add(1, std::memory_order_relaxed);
                                interrupt.pulse();
                            },
                        .kick = [this](unsigned queue) { kicks[queue].event().signal(); },
                        .fault =
                            [this, complain = host.complain](std::string_view why) {
                                complain(fmt::format("{}: the guest broke the device: {}; it must "
                                                     "reset it",
                                                     name, why));
                            },
                    }} {}

    // One turn for a queue; what is left is done in the loop's next round.
    void service(unsigned queue) {
        if (transport.service(queue)) {
            service_soon(queue);
        }
    }
    // Any thread, with any lock held.
    void service_soon(unsigned queue) {
        due.fetch_or(std::uint64_t{1} << queue);
        work.signal();
    }
    void service_due() {
        work.drain();
        const std::uint64_t queues = due.exchange(0);
        for (unsigned queue = 0; queue < transport.queue_count(); ++queue) {
            if ((queues >> queue & 1) != 0) {
                service(queue);
            }
        }
    }

    // The host has something for the device.
    void service_all() {
        for (unsigned queue = 0; queue < transport.queue_count(); ++queue) {
            service(queue);
        }
    }
};

GuestDevices::GuestDevices(DeviceHost host, std::vector<ConsolePortSettings> consoles,
                           std::vector<Disk> disks, std::vector<Share> shares,
                           std::vector<NetworkCard> cards, std::unique_ptr<VsockHost> vsock)
    : host_{std::move(host)} {
    add_pl011();
    add_pl031();
    add_pl061();
    if (host_.watchdog_bites) {
        add_sp805();
    }
    add_console(std::move(consoles));
    add_virtio(std::make_unique<RngDevice>(system_random), "entropy device");
    for (Disk& disk : disks) {
        const std::string name = fmt::format("disk '{}'", disk.id);
        auto file = AsyncFile::open(disk.image->file());
        add_virtio(std::make_unique<BlockDevice>(std::move(disk.image), disk.id, std::move(file)),
                   name);
    }
    for (Share& share : shares) {
        add_virtio(std::move(share.device), fmt::format("shared directory '{}'", share.tag));
    }
    for (std::size_t number = 0; number < cards.size(); ++number) {
        add_network_card(std::move(cards[number]), number);
    }
    if (vsock) {
        add_virtio(std::make_unique<VsockDevice>(std::move(vsock)), "vsock");
    }
}

GuestDevices::~GuestDevices() = default;

void GuestDevices::add_pl011() {
    descriptions_.push_back({DeviceDescription::Kind::pl011, layout::pl011_base,
                             Pl011::register_block_size, layout::pl011_spi});
    pl011_interrupt_ = std::make_unique<IrqFd>(
        host_.vm.add_irqfd(layout::doorbell_label(layout::pl011_spi), IrqTrigger::edge));
    pl011_ = std::make_unique<Pl011>(host_.output, [this] { pl011_interrupt_->pulse(); });
    bus_.add(layout::pl011_base, Pl011::register_block_size, *pl011_);
}

void GuestDevices::add_pl031() {
    constexpr std::uint64_t second = 1'000'000'000;
    descriptions_.push_back({DeviceDescription::Kind::pl031, layout::pl031_base,
                             Pl031::register_block_size, layout::pl031_spi});
    pl031_interrupt_ = std::make_unique<IrqFd>(
        host_.vm.add_irqfd(layout::doorbell_label(layout::pl031_spi), IrqTrigger::edge));
    pl031_ = std::make_unique<Pl031>(Pl031::Host{
        .now = [this] { return alarm_.now() / second; },
        .wake_at =
            [this](std::optional<std::uint64_t> time) {
                alarm_.set(time ? std::optional{*time * second} : std::nullopt);
            },
        .interrupt = [this] { pl031_interrupt_->pulse(); },
    });
    bus_.add(layout::pl031_base, Pl031::register_block_size, *pl031_);
    host_.loop.add(alarm_.fd(), [this] {
        alarm_.drain();
        pl031_->expire();
    });
}

void GuestDevices::add_sp805() {
    descriptions_.push_back({DeviceDescription::Kind::sp805, layout::sp805_base,
                             Sp805::register_block_size, std::nullopt});
    sp805_ = std::make_unique<Sp805>(Sp805::Host{
        .now = [this] { return watchdog_timer_.now(); },
        .wake_at = [this](std::optional<std::uint64_t> time) { watchdog_timer_.set(time); },
        .bite = host_.watchdog_bites,
    });
    bus_.add(layout::sp805_base, Sp805::register_block_size, *sp805_);
    host_.loop.add(watchdog_timer_.fd(), [this] {
        watchdog_timer_.drain();
        sp805_->expire();
    });
}

void GuestDevices::pause() {
    if (sp805_) {
        sp805_->freeze();
    }
}

void GuestDevices::resume() {
    if (sp805_) {
        sp805_->thaw();
    }
}

void GuestDevices::add_pl061() {
    descriptions_.push_back({DeviceDescription::Kind::pl061, layout::pl061_base,
                             Pl061::register_block_size, layout::pl061_spi});
    pl061_interrupt_ = std::make_unique<IrqFd>(
        host_.vm.add_irqfd(layout::doorbell_label(layout::pl061_spi), IrqTrigger::edge));
    pl061_ = std::make_unique<Pl061>([this] { pl061_interrupt_->pulse(); });
    bus_.add(layout::pl061_base, Pl061::register_block_size, *pl061_);
}

void GuestDevices::add_console(std::vector<ConsolePortSettings> ports) {
    auto device = std::make_unique<ConsoleDevice>(std::move(ports));
    console_ = device.get();
    console_slot_ = &add_virtio(std::move(device), "console");
    console_->on_ready([slot = console_slot_](unsigned queue) { slot->service_soon(queue); });
}

void GuestDevices::resize_console(std::uint32_t number, ConsoleSize size) {
    const auto change = [this, number, size] { console_->set_size(number, size); };
    if (number == 0) {
        console_slot_->transport.change_config(change);
    } else {
        change();
    }
}

void GuestDevices::open_console(std::uint32_t number, bool open) {
    console_->set_host_open(number, open);
}

void GuestDevices::continue_console(std::uint32_t number) {
    console_slot_->service_soon(ConsoleDevice::transmit_queue(number));
}

void GuestDevices::add_network_card(NetworkCard card, std::size_t number) {
    const std::string name = fmt::format("network {}", number);
    auto closed = [name, complain = host_.complain, last_words = std::move(card.last_words)] {
        const std::string why = last_words ? last_words() : std::string{};
        complain(fmt::format("{}: its other end has gone, the guest has no network there any more{}"
                             "{}",
                             name, why.empty() ? "" : ": ", why));
    };
    add_virtio(
        std::make_unique<NetDevice>(std::move(card.backend), card.mac, card.mtu, std::move(closed)),
        name);
}

GuestDevices::VirtioSlot& GuestDevices::add_virtio(std::unique_ptr<VirtioDevice> device,
                                                   const std::string& name) {
    const auto number = static_cast<std::uint32_t>(virtio_.size());
    const std::uint64_t base = layout::virtio_base + number * layout::virtio_stride;
    const std::uint32_t spi = layout::first_virtio_spi + number;
    IrqFd interrupt = host_.vm.add_irqfd(layout::doorbell_label(spi), IrqTrigger::edge);
    virtio_.push_back(
        std::make_unique<VirtioSlot>(std::move(device), std::move(interrupt), host_, name));
    VirtioSlot& slot = *virtio_.back();
    for (unsigned queue = 0; queue < slot.transport.queue_count(); ++queue) {
        slot.kicks.push_back(
            host_.vm.add_ioeventfd(base + VIRTIO_MMIO_QUEUE_NOTIFY, sizeof(std::uint32_t), queue));
        host_.loop.add(slot.kicks[queue].event().fd(), [&slot, queue] {
            slot.kick_count += slot.kicks[queue].event().drain() ? 1 : 0;
            slot.service(queue);
        });
    }
    host_.loop.add(slot.work.fd(), [&slot] { slot.service_due(); });
    if (const int fd = slot.device->wake_fd(); fd >= 0) {
        host_.loop.add(fd, [&slot] { slot.service_all(); });
    }
    static_assert(MmioTransport::register_block_size <= layout::virtio_stride);
    descriptions_.push_back(
        {DeviceDescription::Kind::virtio_mmio, base, MmioTransport::register_block_size, spi});
    bus_.add(base, MmioTransport::register_block_size, slot.transport);
    return slot;
}

std::vector<DeviceCounts> GuestDevices::counts() const {
    std::vector<DeviceCounts> result;
    for (const auto& slot : virtio_) {
        result.push_back({.name = slot->name,
                          .requests = slot->transport.requests(),
                          .kicks = slot->kick_count,
                          .interrupts = slot->interrupt_count.load(std::memory_order_relaxed)});
    }
    return result;
}

CharacterPort& GuestDevices::console_port(std::uint32_t number, std::string_view command_line) {
    if (number != 0 || console_is_virtio(command_line)) {
        return console_->port(number);
    }
    return *pl011_;
}

bool console_is_virtio(std::string_view command_line) {
    constexpr std::string_view key = "console=";
    bool is_virtio = false;
    while (!command_line.empty()) {
        const std::string_view word = command_line.substr(0, command_line.find(' '));
        if (word.starts_with(key)) {
            is_virtio = word.substr(key.size()).starts_with("hvc");
        }
        command_line.remove_prefix(std::min(command_line.size(), word.size() + 1));
    }
    return is_virtio;
}

} // namespace vmm
