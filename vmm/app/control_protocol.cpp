// SPDX-License-Identifier: BSD-3-Clause
// answer_control(): from a line to a command and back.
#include "app/control_protocol.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string event_line(const char* name) {
    return to_line({{"version", control_version}, {"event", name}});
}

// Reply and answer in the making.
struct Exchange {
    const Json& request;
    ControlTarget& target;
    Json& reply;
    ControlAnswer& answer;
    std::string error; // why it cannot be done
};

void info(Exchange& exchange) {
    const VmInfo info = exchange.target.info();
    exchange.reply["name"] = info.name;
    exchange.reply["process"] = info.process;
    exchange.reply["state"] = info.state;
    exchange.reply["config"] = Json::parse(info.config);
    Json consoles = Json::array();
    for (const ConsoleInfo& console : info.consoles) {
        consoles.push_back({{"name", console.name}, {"place", console.place}});
    }
    exchange.reply["consoles"] = std::move(consoles);
}

void stop(Exchange& exchange) {
    const auto force = exchange.request.find("force");
    if (force != exchange.request.end() && *force == Json(true)) {
        exchange.target.force_stop();
        return;
    }
    exchange.target.press_power_button();
    exchange.answer.event = event_line("power-button");
}

void pause(Exchange& exchange) {
    exchange.target.pause();
    exchange.answer.event = event_line("paused");
}

void resume(Exchange& exchange) {
    exchange.target.resume();
    exchange.answer.event = event_line("resumed");
}

void stats(Exchange& exchange) {
    Json devices = Json::array();
    for (const DeviceCounts& counts : exchange.target.device_counts()) {
        devices.push_back({{"name", counts.name},
                           {"requests", counts.requests},
                           {"kicks", counts.kicks},
                           {"interrupts", counts.interrupts}});
    }
    exchange.reply["devices"] = std::move(devices);
}

void events(Exchange& exchange) {
    exchange.answer.listens = true;
}

// The console that the request names by number or name, the first if it names none.
std::optional<unsigned> named_console(const Exchange& exchange) {
    const auto which = exchange.request.find("console");
    if (which == exchange.request.end()) {
        return exchange.target.find_console("0");
    }
    if (which->is_number_unsigned()) {
        return exchange.target.find_console(std::to_string(which->get<std::uint64_t>()));
    }
    return which->is_string() ? exchange.target.find_console(which->get<std::string>())
                              : std::nullopt;
}

void console(Exchange& exchange) {
    exchange.answer.console = named_console(exchange);
    if (!exchange.answer.console) {
        exchange.error = "there is no such console";
        return;
    }
    exchange.reply["console"] = *exchange.answer.console;
}

// A terminal's width or height in the request; none if it is not from 1 to 65535.
std::optional<std::uint16_t> characters(const Exchange& exchange, const char* key) {
    const auto found = exchange.request.find(key);
    if (found == exchange.request.end() || !found->is_number_unsigned()) {
        return std::nullopt;
    }
    const auto value = found->get<std::uint64_t>();
    return value >= 1 && value <= UINT16_MAX ? std::optional{static_cast<std::uint16_t>(value)}
                                             : std::nullopt;
}

void resize(Exchange& exchange) {
    const auto number = named_console(exchange);
    const auto columns = characters(exchange, "columns");
    const auto rows = characters(exchange, "rows");
    if (!number || !columns || !rows) {
        exchange.error =
            number ? "columns and rows must be from 1 to 65535" : "there is no such console";
        return;
    }
    exchange.target.resize_console(*number, {.columns = *columns, .rows = *rows});
}

struct Command {
    const char* name;
    void (*carry_out)(Exchange&);
};

constexpr std::array<Command, 8> commands{{{"info", info},
                                           {"stop", stop},
                                           {"pause", pause},
                                           {"resume", resume},
                                           {"stats", stats},
                                           {"events", events},
                                           {"console", console},
                                           {"resize", resize}}};

// Why the request cannot be carried out; empty when it was.
std::string carry_out(Exchange& exchange) {
    const auto version = exchange.request.find("version");
    if (version != exchange.request.end() && *version != Json(control_version)) {
        return fmt::format("this VM speaks version {} only", control_version);
    }
    const auto name = exchange.request.find("command");
    if (name == exchange.request.end() || !name->is_string()) {
        return "the request has no \"command\"";
    }
    for (const Command& command : commands) {
        if (*name == Json(command.name)) {
            command.carry_out(exchange);
            return exchange.error;
        }
    }
    return fmt::format(
        "there is no command {}; known are info, stop, pause, resume, stats, events, "
        "console, resize",
        name->dump(-1, ' ', false, Json::error_handler_t::replace));
}

} // namespace

ControlAnswer answer_control(std::string_view line, ControlTarget& target) {
    ControlAnswer answer;
    Json reply{{"version", control_version}};
    const Json request = Json::parse(line, nullptr, false);
    std::string error = "the line is not a JSON object";
    if (request.is_object()) {
        // Only a flat one: writing a deep one back would be deep recursion.
        if (const auto id = request.find("id"); id != request.end() && !id->is_structured()) {
            reply["id"] = *id;
        }
        Exchange exchange{request, target, reply, answer, {}};
        error = carry_out(exchange);
    }
    reply["ok"] = error.empty();
    if (!error.empty()) {
        reply["error"] = error;
    }
    answer.line = to_line(reply);
    return answer;
}

std::string ended_event(const Outcome& outcome) {
    return to_line({{"version", control_version},
                    {"event", "ended"},
                    {"status", static_cast<int>(outcome.status)},
                    {"sentence", outcome.sentence}});
}

} // namespace vmm
