// SPDX-License-Identifier: BSD-3-Clause
// GuestDevices: all devices of a guest, wired to its VM, the event loop and the console.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/control_target.hpp"
#include "app/event_loop.hpp"
#include "app/host_timer.hpp"
#include "devices/character_port.hpp"
#include "devices/mmio_bus.hpp"
#include "devices/pl011.hpp"
#include "devices/pl031.hpp"
#include "devices/pl061.hpp"
#include "devices/sp805.hpp"
#include "disk/disk_image.hpp"
#include "libgunyah/vm.hpp"
#include "machine/device_tree.hpp"
#include "machine/layout.hpp"
#include "virtio/console_device.hpp"
#include "virtio/guest_memory.hpp"
#include "virtio/mmio_transport.hpp"
#include "virtio/net_device.hpp"
#include "virtio/share_device.hpp"
#include "vsock/host.hpp"

namespace vmm {

// Where devices are plugged in. Everything referred to outlives the devices.
struct DeviceHost {
    gunyah::Vm& vm;
    GuestMemory memory;
    EventLoop& loop;
    CharacterOutput output;                         // what the PL011 prints
    std::function<void(std::string_view)> complain; // a guest broke a device; any thread
    // A guest's watchdog was not served in time; on the loop's thread. Empty: it has no watchdog.
    std::function<void()> watchdog_bites;
};

struct Disk {
    std::unique_ptr<DiskImage> image;
    std::string id; // the serial number that the guest sees
};

struct Share {
    std::unique_ptr<ShareDevice> device;
    std::string tag;
};

struct NetworkCard {
    std::unique_ptr<NetBackend> backend;
    MacAddress mac;
    std::uint16_t mtu;
    std::function<std::string()> last_words; // why the backend ended, empty: it does not say
};

// A PL011, a clock, a power button, perhaps a watchdog, a virtio console with its ports, an entropy
// device, one virtio block device per disk, one 9P device per shared directory, one virtio network
// device per card and a virtio vsock device if there is a host's side for it, in this order in the
// device tree.
class GuestDevices {
public:
    // Throws gunyah::Error.
    GuestDevices(DeviceHost host, std::vector<ConsolePortSettings> consoles,
                 std::vector<Disk> disks, std::vector<Share> shares, std::vector<NetworkCard> cards,
                 std::unique_ptr<VsockHost> vsock);
    ~GuestDevices();
    GuestDevices(const GuestDevices&) = delete;
    GuestDevices& operator=(const GuestDevices&) = delete;

    [[nodiscard]] const MmioBus& bus() const { return bus_; }
    [[nodiscard]] const std::vector<DeviceDescription>& descriptions() const {
        return descriptions_;
    }
    // Who takes what is typed at console `number`: port `number` of the virtio console. For the
    // first it is what the kernel command line says: the last "console=" on it counts, as it does
    // for /dev/console; the PL011 unless that is hvc.
    CharacterPort& console_port(std::uint32_t number, std::string_view command_line);
    // The terminal of a console has another size; somebody came to it, or the last one left; its
    // output has room again. Any thread.
    void resize_console(std::uint32_t number, ConsoleSize size);
    void open_console(std::uint32_t number, bool open);
    void continue_console(std::uint32_t number);
    // Of the virtio devices. On the event loop's thread.
    [[nodiscard]] std::vector<DeviceCounts> counts() const;
    // Asks the guest to shut down. What becomes of it is the guest's decision. Any thread.
    void press_power_button() { pl061_->press(layout::power_button_line); }
    // No vCPU runs, until they do again: the guest cannot serve its watchdog. Any thread.
    void pause();
    void resume();

private:
    struct VirtioSlot;

    void add_pl011();
    void add_pl031();
    void add_pl061();
    void add_sp805();
    VirtioSlot& add_virtio(std::unique_ptr<VirtioDevice> device, const std::string& name);
    void add_console(std::vector<ConsolePortSettings> ports);
    void add_console();
    void add_network_card(NetworkCard card, std::size_t number);

    DeviceHost host_;
    MmioBus bus_;
    std::vector<DeviceDescription> descriptions_;
    std::unique_ptr<gunyah::IrqFd> pl011_interrupt_;
    std::unique_ptr<Pl011> pl011_;
    std::unique_ptr<gunyah::IrqFd> pl031_interrupt_;
    HostTimer alarm_{CLOCK_REALTIME};
    std::unique_ptr<Pl031> pl031_;
    std::unique_ptr<gunyah::IrqFd> pl061_interrupt_;
    std::unique_ptr<Pl061> pl061_;
    HostTimer watchdog_timer_{CLOCK_MONOTONIC};
    std::unique_ptr<Sp805> sp805_;     // if there is one
    ConsoleDevice* console_ = nullptr; // owned by its slot
    VirtioSlot* console_slot_ = nullptr;
    std::vector<std::unique_ptr<VirtioSlot>> virtio_;
};

// Whether the last "console=" of a kernel command line names a virtio console.
bool console_is_virtio(std::string_view command_line);

} // namespace vmm
