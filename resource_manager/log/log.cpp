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

void write_log_line(std::string_view text) {
    if (current_sink == nullptr) {
        return;
    }
    std::array<char, max_log_line + 8> line{};
    rt::BufferSink sink(line);
    sink.write("[rm] ");
    sink.write(text);
    sink.write("\n");
    current_sink->write(sink.text());
}

} // namespace rm
