// SPDX-License-Identifier: BSD-3-Clause
// Type-safe text output without allocation: rt::print(sink, "cpu {} at {x}", index, address).
#pragma once

#include <runtime/result.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace rt {

/// Where characters go. Implementations decide about locking; print() calls write() piece by piece.
class Sink {
public:
    virtual void write(std::string_view text) = 0;

protected:
    ~Sink() = default;
};

/// Writes into a caller-owned array; what does not fit is dropped and `truncated()` says so.
class BufferSink final : public Sink {
public:
    explicit BufferSink(std::span<char> buffer) : buffer_(buffer) {}
    void write(std::string_view text) override;
    [[nodiscard]] std::string_view text() const { return {buffer_.data(), used_}; }
    [[nodiscard]] bool truncated() const { return truncated_; }

private:
    std::span<char> buffer_;
    std::size_t used_ = 0;
    bool truncated_ = false;
};

/// An error code in words ("null capability"), "unknown error" for a value that is none.
std::string_view error_name(Error error);

namespace detail {

template <typename T>
concept AddressLike = requires(const T& address) {
    { address.value } -> std::convertible_to<std::uint64_t>;
};

/// One argument with its type erased, so that the formatting code exists once.
class Argument {
public:
    Argument(bool value) : kind_(Kind::text), text_(value ? "true" : "false") {}
    Argument(char value) : kind_(Kind::character), number_(static_cast<unsigned char>(value)) {}
    template <std::signed_integral T>
    Argument(T value)
        : kind_(value < 0 ? Kind::negative : Kind::number), number_(magnitude(value)) {}
    template <std::unsigned_integral T>
    Argument(T value) : kind_(Kind::number), number_(value) {}
    Argument(const char* text) : kind_(Kind::text), text_(text == nullptr ? "(null)" : text) {}
    Argument(std::string_view text) : kind_(Kind::text), text_(text) {}
    Argument(Error error) : kind_(Kind::text), text_(error_name(error)) {}
    Argument(const void* pointer)
        : kind_(Kind::address), number_(reinterpret_cast<std::uintptr_t>(pointer)) {}
    template <AddressLike T>
    Argument(const T& address) : kind_(Kind::address), number_(address.value) {}
    template <typename T>
        requires std::is_enum_v<T>
    Argument(T value) : Argument(static_cast<std::underlying_type_t<T>>(value)) {}

    void print(Sink& sink, std::string_view specification) const;

private:
    enum class Kind { number, negative, character, address, text };

    template <typename T>
    static std::uint64_t magnitude(T value) {
        const auto wide = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
        return value < 0 ? 0 - wide : wide;
    }

    Kind kind_;
    std::uint64_t number_ = 0;
    std::string_view text_;
};

/// Not constexpr on purpose: reaching it while a format string is checked is the compile error.
void format_string_is_wrong(const char* why);

/// A specification is empty, or 'x' and a decimal number of digits 0..16 to pad to with zeroes.
constexpr bool specification_is_valid(std::string_view text) {
    if (text.empty() || text == "x") {
        return true;
    }
    unsigned width = 0;
    for (const char digit : text.substr(1)) {
        if (digit < '0' || digit > '9') {
            return false;
        }
        width = width * 10 + static_cast<unsigned>(digit - '0');
    }
    return text[0] == 'x' && text.size() <= 3 && width <= 16;
}

/// Number of {…} in a format string; calls format_string_is_wrong() when it is malformed.
constexpr std::size_t count_placeholders(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
        if (text[i] != '{' && text[i] != '}') {
            continue;
        }
        if (doubled) {
            ++i;
            continue;
        }
        const std::size_t end = text.find('}', i);
        if (text[i] == '}' || end == std::string_view::npos) {
            format_string_is_wrong("a brace has no partner");
            break;
        }
        if (!specification_is_valid(text.substr(i + 1, end - i - 1))) {
            format_string_is_wrong("only {}, {x} and {x<digits>} exist");
        }
        ++count;
        i = end;
    }
    return count;
}

void print_arguments(Sink& sink, std::string_view format, std::span<const Argument> arguments);

} // namespace detail

/// A format string that was checked against its argument types when it was compiled.
/// `{}` prints decimal, text, true/false, or 0x… for addresses (any struct with a `value`);
/// `{x}` prints 0x…, `{x16}` pads to 16 digits; `{{` and `}}` print a brace.
template <typename... Arguments>
class FormatString {
public:
    template <std::convertible_to<std::string_view> T>
    consteval FormatString(const T& text) : text_(text) {
        if (detail::count_placeholders(text_) != sizeof...(Arguments)) {
            detail::format_string_is_wrong("number of placeholders and of arguments differ");
        }
    }
    [[nodiscard]] constexpr std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

/// A checked format with its arguments, for functions that are no templates. Refers to both.
struct Sentence {
    std::string_view format;
    std::span<const detail::Argument> arguments;
};

/// `function(Sentence)`.
template <typename Function, typename... Arguments>
decltype(auto) with_sentence(const Function& function, std::string_view checked_format,
                             const Arguments&... arguments) {
    const std::array<detail::Argument, sizeof...(Arguments)> list{detail::Argument(arguments)...};
    return function(Sentence{checked_format, list});
}

inline void print(Sink& sink, const Sentence& sentence) {
    detail::print_arguments(sink, sentence.format, sentence.arguments);
}

/// Formats to `sink`; safe in any context in which the sink's write() is.
template <typename... Arguments>
void print(Sink& sink, FormatString<std::type_identity_t<Arguments>...> format,
           const Arguments&... arguments) {
    with_sentence([&](const Sentence& sentence) { print(sink, sentence); }, format.text(),
                  arguments...);
}

} // namespace rt
