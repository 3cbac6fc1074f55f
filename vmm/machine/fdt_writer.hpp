// SPDX-License-Identifier: BSD-3-Clause
// FdtWriter: libfdt's sequential writer with nodes as scopes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

// Writes a flattened device tree (Devicetree Specification 0.4, 5) front to back. Throws
// std::length_error when the tree outgrows the capacity; misuse is std::logic_error.
class FdtWriter {
public:
    // `capacity`: bytes the finished tree may take.
    explicit FdtWriter(std::size_t capacity);

    // A node is open while its Node object lives. Properties come before child nodes.
    class Node {
    public:
        Node(FdtWriter& writer, const std::string& name);
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;
        ~Node();

    private:
        FdtWriter& writer_;
    };

    void flag(const char* name); // property without a value
    void cells(const char* name, std::initializer_list<std::uint32_t> values);
    void cells(const char* name, const std::vector<std::uint32_t>& values);
    void wide(const char* name, std::initializer_list<std::uint64_t> values); // two cells each
    void text(const char* name, std::string_view value);
    void texts(const char* name, std::initializer_list<std::string_view> values);
    void bytes(const char* name, const void* data, std::size_t size);

    // Ends the tree and returns it; to be called once. All nodes are closed.
    std::vector<std::byte> finish();

private:
    void check(int result) const;

    std::unique_ptr<std::byte, void (*)(void*)> buffer_; // of calloc()
    int first_error_ = 0; // a destructor cannot throw: finish() reports it
};

} // namespace vmm
