// SPDX-License-Identifier: BSD-3-Clause
// CharacterPort: what a serial device and the console's host side know of each other.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace vmm {

// Where a device puts what the guest prints. Called from vCPU threads and the event loop; may wait
// while the host side is slow.
using CharacterOutput = std::function<void(std::span<const std::byte>)>;

// A device that takes typed characters.
class CharacterPort {
public:
    virtual ~CharacterPort() = default;

    // Takes as many bytes as there is room for and returns their number.
    virtual std::size_t receive(std::span<const std::byte> bytes) = 0;

    // Called (from any thread, with the device's lock held) when there is room again after
    // receive() took less than it was given. Set once, before the guest runs.
    void on_room(std::function<void()> callback) { room_ = std::move(callback); }

protected:
    void report_room() {
        if (room_) {
            room_();
        }
    }

private:
    std::function<void()> room_;
};

} // namespace vmm
