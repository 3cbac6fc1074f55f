// SPDX-License-Identifier: BSD-3-Clause
// Puts the prefix and the line end around a log line and hands it to the sink in one piece.
#include "log/log.hpp"

namespace rm {

namespace {

constinit rt::Sink* current_sink = nullptr;

} // namespace

void set_log_sink(rt::Sink* sink) {
    current_sink = sink;
}

void log_sentence(const rt::Sentence& sentence) {
    if (current_sink == nullptr) {
        return;
    }
    constexpr std::string_view prefix = "[rm] ";
    std::array<char, prefix.size() + max_log_line + 1> line; // NOLINT: written before it is read
    rt::BufferSink sink({line.data(), line.size() - 1});
    sink.write(prefix);
    rt::print(sink, sentence);
    const std::size_t length = sink.text().size();
    line[length] = '\n';
    current_sink->write({line.data(), length + 1});
}

void stop_with(const rt::Sentence& sentence) {
    std::array<char, max_log_line> buffer{}; // the rest stays NUL: a C string
    rt::BufferSink sink({buffer.data(), buffer.size() - 1});
    rt::print(sink, sentence);
    rt::panic(buffer.data());
}

} // namespace rm
