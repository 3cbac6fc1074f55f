// SPDX-License-Identifier: BSD-3-Clause
// Maps foreign memory into RM's address space and takes it out again.
#include "memory/window.hpp"

#include "log/log.hpp"

namespace rm {

rt::Result<std::span<std::byte>> Window::open(std::span<const ExtentPiece> pieces,
                                              unsigned access) {
    if (!mapped_.empty()) {
        return rt::fail(rt::Error::no_resources);
    }
    if (!mapped_.reserve(pieces.size())) {
        return rt::fail(rt::Error::no_memory);
    }
    std::size_t done = 0;
    for (const ExtentPiece& piece : pieces) {
        if (piece.size > size_ - done) {
            close();
            return rt::fail(rt::Error::no_resources);
        }
        const auto mapped = root_.hypervisor.map_piece(
            root_.addrspace, piece, ipa_ + done, map_attributes(access, GH_MAP_MEMTYPE_NORMAL_WB));
        if (!mapped) {
            close();
            return rt::fail(mapped.error());
        }
        (void)mapped_.push_back(Mapped{piece, ipa_ + done}); // capacity was reserved
        done += piece.size;
    }
    return std::span(view_, done);
}

void Window::close() {
    for (const Mapped& mapped : mapped_) {
        const auto done = root_.hypervisor.unmap_piece(root_.addrspace, mapped.piece, mapped.ipa);
        if (!done) {
            log("closing the window at {x} failed: {}", mapped.ipa, done.error());
        }
    }
    mapped_.clear();
}

} // namespace rm
