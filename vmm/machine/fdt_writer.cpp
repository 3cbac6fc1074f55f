// SPDX-License-Identifier: BSD-3-Clause
// FdtWriter: error checking around fdt_create() and its relatives.
#include "machine/fdt_writer.hpp"

#include <libfdt.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace vmm {

FdtWriter::FdtWriter(std::size_t capacity)
    : buffer_{static_cast<std::byte*>(std::calloc(capacity, 1)), std::free} {
    if (!buffer_) {
        throw std::bad_alloc{};
    }
    // fdt_create() writes zeros to all it is given, and most of a large capacity is never needed:
    // it gets the beginning, the rest comes as it is, zeros that nobody has touched.
    constexpr std::size_t beginning = 64;
    check(fdt_create(buffer_.get(), static_cast<int>(std::min(capacity, beginning))));
    check(fdt_resize(buffer_.get(), buffer_.get(), static_cast<int>(capacity)));
    check(fdt_finish_reservemap(buffer_.get()));
}

void FdtWriter::check(int result) const {
    if (result == -FDT_ERR_NOSPACE) {
        throw std::length_error{"the device tree is larger than its area"};
    }
    if (result < 0) {
        throw std::logic_error{fdt_strerror(result)};
    }
}

FdtWriter::Node::Node(FdtWriter& writer, const std::string& name) : writer_{writer} {
    writer.check(fdt_begin_node(writer.buffer_.get(), name.c_str()));
}

FdtWriter::Node::~Node() {
    const int result = fdt_end_node(writer_.buffer_.get());
    if (result < 0 && writer_.first_error_ == 0) {
        writer_.first_error_ = result;
    }
}

void FdtWriter::bytes(const char* name, const void* data, std::size_t size) {
    check(fdt_property(buffer_.get(), name, data, static_cast<int>(size)));
}

void FdtWriter::flag(const char* name) {
    bytes(name, nullptr, 0);
}

void FdtWriter::cells(const char* name, const std::vector<std::uint32_t>& values) {
    std::vector<fdt32_t> encoded;
    encoded.reserve(values.size());
    for (const std::uint32_t value : values) {
        encoded.push_back(cpu_to_fdt32(value));
    }
    bytes(name, encoded.data(), encoded.size() * sizeof(fdt32_t));
}

void FdtWriter::cells(const char* name, std::initializer_list<std::uint32_t> values) {
    cells(name, std::vector<std::uint32_t>{values});
}

void FdtWriter::wide(const char* name, std::initializer_list<std::uint64_t> values) {
    std::vector<std::uint32_t> halves;
    for (const std::uint64_t value : values) {
        halves.push_back(static_cast<std::uint32_t>(value >> 32));
        halves.push_back(static_cast<std::uint32_t>(value));
    }
    cells(name, halves);
}

void FdtWriter::text(const char* name, std::string_view value) {
    texts(name, {value});
}

void FdtWriter::texts(const char* name, std::initializer_list<std::string_view> values) {
    std::string joined;
    for (const std::string_view value : values) {
        joined.append(value).push_back('\0');
    }
    bytes(name, joined.data(), joined.size());
}

std::vector<std::byte> FdtWriter::finish() {
    check(first_error_);
    check(fdt_finish(buffer_.get()));
    return {buffer_.get(), buffer_.get() + fdt_totalsize(buffer_.get())};
}

} // namespace vmm
