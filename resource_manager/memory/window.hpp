// SPDX-License-Identifier: BSD-3-Clause
// A range of RM's own address space through which it looks at memory of other VMs for a moment.
#pragma once

#include "calls/capability.hpp"
#include "memory/vector.hpp"

namespace rm {

/// One view at a time: RM handles one request after the other.
class Window {
public:
    /// [ipa, ipa + size) is unused in RM's address space; `view` is where RM's code sees it.
    Window(const Root& root, std::uint64_t ipa, std::size_t size, std::byte* view)
        : root_(root), ipa_(ipa), size_(size), view_(view) {}
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    /// Maps the pieces one behind the other, write-back cached; `access` is GH_ACCESS_R or _RW.
    /// Errors: no_resources when they are larger than the window or a view is open, else the
    /// hypercall's. The view is closed by close().
    rt::Result<std::span<std::byte>> open(std::span<const ExtentPiece> pieces, unsigned access);
    void close();

private:
    struct Mapped {
        ExtentPiece piece;
        std::uint64_t ipa;
    };

    const Root& root_;
    std::uint64_t ipa_;
    std::size_t size_;
    std::byte* view_;
    Vector<Mapped> mapped_;
};

/// Closes a window at the end of a scope.
class WindowCloser {
public:
    explicit WindowCloser(Window& window) : window_(window) {}
    ~WindowCloser() { window_.close(); }
    WindowCloser(const WindowCloser&) = delete;
    WindowCloser& operator=(const WindowCloser&) = delete;

private:
    Window& window_;
};

} // namespace rm
