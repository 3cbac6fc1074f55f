// SPDX-License-Identifier: BSD-3-Clause
// carry_out(): the commands as requests to the control socket, and answers for people.
#include "app/control_command.hpp"

#include <cstdio>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console_client.hpp"
#include "app/control_client.hpp"
#include "app/doctor.hpp"
#include "app/exit_status.hpp"
#include "app/runtime_folder.hpp"
#include "app/vsock_client.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;
using Clock = ControlClient::Clock;

struct RunningVm {
    std::string name;
    ControlClient client;
};

std::vector<RunningVm> running_vms() {
    std::vector<RunningVm> result;
    for (const std::string& name : socket_names()) {
        if (auto client = ControlClient::open(name); client) {
            result.push_back({name, std::move(*client)});
        }
    }
    return result;
}

std::string joined_names(const std::vector<RunningVm>& vms) {
    std::string names;
    for (const RunningVm& vm : vms) {
        names += (names.empty() ? "" : ", ") + vm.name;
    }
    return names;
}

RunningVm find_vm(const std::string& name) {
    auto vms = running_vms();
    for (RunningVm& vm : vms) {
        if (vm.name == name || (name.empty() && vms.size() == 1)) {
            return std::move(vm);
        }
    }
    const std::string failed =
        name.empty() ? "cannot tell which VM is meant" : fmt::format("cannot find VM '{}'", name);
    throw gunyah::Error{gunyah::ErrorKind::not_found, failed,
                        vms.empty() ? "no VM of this user is running"
                                    : fmt::format("running are: {}", joined_names(vms)),
                        vms.empty() ? "start one with gunyah run" : "give one of these names"};
}

std::string request(const char* command) {
    return Json{{"version", 1}, {"command", command}}.dump();
}

int success() {
    return 0;
}

void list_one(RunningVm& vm) {
    const Json info = Json::parse(vm.client.call(request("info")));
    const Json& config = info.at("config");
    fmt::print("{:<20} {:>8}  {:<8} {:>4} {:>6}\n", vm.name, info.at("process").get<int>(),
               info.at("state").get<std::string>(), config.at("cpus").get<unsigned>(),
               config.at("mem").get<std::string>());
}

int list() {
    fmt::print("{:<20} {:>8}  {:<8} {:>4} {:>6}\n", "NAME", "PROCESS", "STATE", "CPUS", "MEMORY");
    for (RunningVm& vm : running_vms()) {
        // One that ends meanwhile must not keep the others from being shown.
        try {
            list_one(vm);
        } catch (const std::exception& error) {
            fmt::print("{:<20} {}\n", vm.name, error.what());
        }
    }
    return success();
}

int info(ControlClient& client) {
    Json info = Json::parse(client.call(request("info")));
    info.erase("ok");
    fmt::print("{}\n", info.dump(4));
    return success();
}

int stats(ControlClient& client) {
    const Json reply = Json::parse(client.call(request("stats")));
    fmt::print("{:<20} {:>12} {:>12} {:>12}\n", "DEVICE", "REQUESTS", "KICKS", "INTERRUPTS");
    for (const Json& device : reply.at("devices")) {
        fmt::print("{:<20} {:>12} {:>12} {:>12}\n", device.at("name").get<std::string>(),
                   device.at("requests").get<std::uint64_t>(),
                   device.at("kicks").get<std::uint64_t>(),
                   device.at("interrupts").get<std::uint64_t>());
    }
    return success();
}

// The guest's end as its VMM tells it; none at `until`, or if the VMM died.
std::optional<Json> wait_for_end(ControlClient& client, Clock::time_point until, bool print) {
    while (const auto line = client.next_line(until)) {
        if (print) {
            fmt::print("{}\n", *line);
            std::fflush(stdout);
        }
        Json event = Json::parse(*line, nullptr, false);
        if (event.is_object() && event.value("event", "") == "ended") {
            return event;
        }
    }
    return std::nullopt;
}

int wait(RunningVm& vm, bool print_events) {
    vm.client.call(request("events"));
    const auto end = wait_for_end(vm.client, ControlClient::no_limit, print_events);
    if (!end) {
        throw gunyah::Error{gunyah::ErrorKind::failed, fmt::format("lost VM '{}'", vm.name),
                            "its gunyah process died", ""};
    }
    if (print_events) {
        return success();
    }
    fmt::print("{}\n", end->value("sentence", ""));
    return end->value("status", static_cast<int>(ExitStatus::crashed));
}

int stop(RunningVm& vm, bool force, unsigned seconds) {
    vm.client.call(request("events"));
    vm.client.call(Json{{"version", 1}, {"command", "stop"}, {"force", force}}.dump());
    const auto until = Clock::now() + std::chrono::seconds{seconds};
    const auto end = wait_for_end(vm.client, until, false);
    if (!end && Clock::now() >= until) {
        throw gunyah::Error{gunyah::ErrorKind::failed, fmt::format("cannot stop VM '{}'", vm.name),
                            fmt::format("the guest did not shut down within {} s", seconds),
                            "it may not listen to its power button: use --force"};
    }
    fmt::print("{}\n", end ? end->value("sentence", "") : "the guest's gunyah process died");
    return success();
}

// Where the VM's vsock is, as it was configured.
std::string vsock_path(RunningVm& vm) {
    const Json info = Json::parse(vm.client.call(request("info")));
    const Json& vsocks = info.at("config").at("vsock");
    if (vsocks.empty()) {
        throw gunyah::Error{gunyah::ErrorKind::not_found,
                            fmt::format("cannot connect to VM '{}'", vm.name), "it has no vsock",
                            "start it with --vsock 3"};
    }
    const auto path = vsocks.at(0).at("path").get<std::string>();
    return path.empty() ? default_vsock_path(vm.name) : path;
}

} // namespace

int carry_out(const ControlCommand& command) {
    if (command.kind == ControlCommand::Kind::doctor) {
        return run_doctor();
    }
    if (command.kind == ControlCommand::Kind::list) {
        return list();
    }
    RunningVm vm = find_vm(command.name);
    switch (command.kind) {
    case ControlCommand::Kind::info:
        return info(vm.client);
    case ControlCommand::Kind::stop:
        return stop(vm, command.force, command.timeout_seconds);
    case ControlCommand::Kind::pause:
        vm.client.call(request("pause"));
        return success();
    case ControlCommand::Kind::resume:
        vm.client.call(request("resume"));
        return success();
    case ControlCommand::Kind::wait:
        return wait(vm, false);
    case ControlCommand::Kind::events:
        return wait(vm, true);
    case ControlCommand::Kind::stats:
        return stats(vm.client);
    case ControlCommand::Kind::console:
        return use_console(vm.name, vm.client, command.console);
    case ControlCommand::Kind::vsock:
        join_vsock(vsock_path(vm), command.port);
        return success();
    case ControlCommand::Kind::doctor:
    case ControlCommand::Kind::list:
        break;
    }
    return success();
}

} // namespace vmm
