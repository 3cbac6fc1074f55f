// SPDX-License-Identifier: BSD-3-Clause
// The formatter behind rt::print: walks the format string and prints type-erased arguments.
#include <runtime/print.hpp>

#include <algorithm>

namespace rt {

void BufferSink::write(std::string_view text) {
    const std::size_t room = buffer_.size() - used_;
    truncated_ = truncated_ || text.size() > room;
    for (const char c : text.substr(0, std::min(room, text.size()))) {
        buffer_[used_++] = c;
    }
}

namespace detail {

namespace {

constexpr std::size_t max_digits = 20; // 2^64 - 1 has 20 decimal digits

void print_number(Sink& sink, std::uint64_t number, unsigned base, std::size_t least_digits) {
    std::array<char, max_digits> digits{};
    std::size_t first = digits.size();
    do {
        digits[--first] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    while (digits.size() - first < std::min(least_digits, digits.size())) {
        digits[--first] = '0';
    }
    sink.write({digits.data() + first, digits.size() - first});
}

std::size_t least_digits(std::string_view specification) {
    std::size_t width = 0;
    for (const char digit : specification.substr(std::min<std::size_t>(1, specification.size()))) {
        width = width * 10 + static_cast<std::size_t>(digit - '0');
    }
    return width;
}

} // namespace

void Argument::print(Sink& sink, std::string_view specification) const {
    const bool hexadecimal = specification.starts_with('x') || kind_ == Kind::address;
    if (kind_ == Kind::text) {
        sink.write(text_);
        return;
    }
    if (kind_ == Kind::character && !hexadecimal) {
        const char c = static_cast<char>(number_);
        sink.write({&c, 1});
        return;
    }
    if (kind_ == Kind::negative) {
        sink.write("-");
    }
    if (hexadecimal) {
        sink.write("0x");
    }
    print_number(sink, number_, hexadecimal ? 16 : 10, least_digits(specification));
}

void print_arguments(Sink& sink, std::string_view format, std::span<const Argument> arguments) {
    std::size_t used = 0;
    while (!format.empty()) {
        const std::size_t plain = std::min(format.find_first_of("{}"), format.size());
        sink.write(format.substr(0, plain));
        format.remove_prefix(plain);
        if (format.size() < 2) {
            break;
        }
        if (format[0] == format[1]) {
            sink.write(format.substr(0, 1));
            format.remove_prefix(2);
            continue;
        }
        const std::size_t end = format.find('}');
        if (end == std::string_view::npos || used == arguments.size()) {
            break; // cannot happen: FormatString was checked at compile time
        }
        arguments[used++].print(sink, format.substr(1, end - 1));
        format.remove_prefix(end + 1);
    }
}

} // namespace detail
} // namespace rt
