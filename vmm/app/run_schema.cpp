// SPDX-License-Identifier: BSD-3-Clause
// The schema: visit() lists each structure's fields once; a reader and a printer walk over them.
#include "app/run_schema.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/key_values.hpp"
#include "app/size_text.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;
using gunyah::Error;
using gunyah::ErrorKind;

constexpr std::uintmax_t largest_file = 1 << 20;

template <typename Visitor>
void visit(Visitor& visitor, DiskOption& disk) {
    visitor.field("path", disk.path);
    visitor.field("ro", disk.read_only);
    visitor.field("format", disk.format);
    visitor.field("id", disk.id);
}

template <typename Visitor>
void visit(Visitor& visitor, ShareOption& share) {
    visitor.field("path", share.path);
    visitor.field("tag", share.tag);
    visitor.field("ro", share.read_only);
}

template <typename Visitor>
void visit(Visitor& visitor, ConsoleOption& console) {
    visitor.field("to", console.to);
    visitor.field("file", console.file);
    visitor.field("socket", console.socket);
    visitor.field("name", console.name);
}

template <typename Visitor>
void visit(Visitor& visitor, NetOption& net) {
    visitor.field("backend", net.backend);
    visitor.field("tap", net.tap);
    visitor.field("mac", net.mac);
    visitor.field("forward", net.forwards);
}

template <typename Visitor>
void visit(Visitor& visitor, VsockOption& vsock) {
    visitor.field("cid", vsock.cid);
    visitor.field("path", vsock.path);
}

template <typename Visitor>
void visit(Visitor& visitor, RunOptions& options) {
    visitor.field("name", options.name);
    visitor.field("kernel", options.kernel);
    visitor.field("initrd", options.initrd);
    visitor.field("dtb-overlay", options.device_tree_overlay);
    visitor.field("dump-dtb", options.device_tree_dump);
    visitor.field("cmdline", options.command_line);
    visitor.field("cpus", options.cpus);
    visitor.field("mem", options.memory);
    visitor.field("disk", options.disks);
    visitor.field("share", options.shares);
    visitor.field("console", options.consoles);
    visitor.field("watchdog", options.watchdog);
    visitor.field("sandbox", options.sandbox);
    visitor.field("user", options.user);
    visitor.field("net", options.nets);
    visitor.field("vsock", options.vsocks);
}

// Texts from a command line may be no UTF-8, which JSON cannot hold: written as far as it goes.
std::string written(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// A value for an error sentence. Not what is in a list or object: dump() is recursive, they may be
// deep.
std::string shown(const Json& json) {
    return json.is_structured() ? fmt::format("an {}", json.type_name()) : written(json, -1);
}

[[noreturn]] void refuse(const std::string& place, const std::string& why,
                         const std::string& advice) {
    throw Error{ErrorKind::invalid_input, place, why, advice};
}

template <typename Structure>
void read(const Json& object, Structure& structure, const std::string& prefix);

// Reads one JSON object; `prefix` and a key are how errors call a value.
class Reader {
public:
    Reader(const Json& object, std::string prefix) : object_{object}, prefix_{std::move(prefix)} {
        if (!object.is_object()) {
            refuse(prefix_, fmt::format("{} stands where an object must", shown(object)),
                   "write {\"key\": value, ...}");
        }
    }

    template <typename Value>
    void field(const char* key, Value& value) {
        known_.emplace_back(key);
        if (const auto found = object_.find(key); found != object_.end()) {
            set(*found, value, prefix_ + key);
        }
    }

    void refuse_unknown() const {
        for (const auto& [key, value] : object_.items()) {
            if (std::ranges::find(known_, key) == known_.end()) {
                refuse(prefix_ + key, "there is no such key",
                       fmt::format("known here: {}", fmt::join(known_, ", ")));
            }
        }
    }

private:
    static void set(const Json& json, std::string& value, const std::string& place) {
        if (!json.is_string()) {
            refuse(place, fmt::format("{} is not a text", shown(json)), "put it into quotes");
        }
        value = json.get<std::string>();
        if (value.find('\0') != std::string::npos) {
            refuse(place, "the text has a zero byte in it", "take it out");
        }
    }

    static void set(const Json& json, bool& value, const std::string& place) {
        const bool is_yes = json == Json(true) || json == Json("yes");
        const bool is_no = json == Json(false) || json == Json("no");
        if (!is_yes && !is_no) {
            refuse(place, fmt::format("{} is neither yes nor no", shown(json)), "");
        }
        value = is_yes;
    }

    static void set(const Json& json, std::uint32_t& value, const std::string& place) {
        const std::string text = json.is_string() ? json.get<std::string>() : shown(json);
        const char* end = text.data() + text.size();
        std::uint32_t number = 0;
        const auto parsed = std::from_chars(text.data(), end, number);
        if (parsed.ec != std::errc{} || parsed.ptr != end) {
            refuse(place, fmt::format("'{}' is not a number from 0 to {}", text, UINT32_MAX), "");
        }
        value = number;
    }

    static void set(const Json& json, std::uint64_t& size, const std::string& place) {
        const auto parsed = parse_size(json.is_string() ? json.get<std::string>() : shown(json));
        if (!parsed) {
            refuse(place, parsed.error(), "");
        }
        size = *parsed;
    }

    template <typename Item>
    static void set(const Json& json, std::vector<Item>& list, const std::string& place) {
        if (json.is_string()) { // a list of one
            read(to_object<Item>(json, place), list.emplace_back(), place + ".");
            return;
        }
        if (!json.is_array()) {
            refuse(place, fmt::format("{} is not a list", shown(json)), "write [ ... ] around it");
        }
        for (std::size_t index = 0; index < json.size(); ++index) {
            const std::string item = json.size() == 1 ? place : fmt::format("{}[{}]", place, index);
            const Json& entry = json[index];
            read(entry.is_string() ? to_object<Item>(entry, item) : entry, list.emplace_back(),
                 item + ".");
        }
    }

    // One text stands for a list of one.
    static void set(const Json& json, std::vector<std::string>& list, const std::string& place) {
        if (!json.is_array()) {
            set(json, list.emplace_back(), place);
            return;
        }
        for (const Json& entry : json) {
            set(entry, list.emplace_back(), place);
        }
    }

    // An item may also be written as on the command line: "path=a.raw,ro". Only
    // the key repeated_key may stand there twice.
    template <typename Item>
    static Json to_object(const Json& text, const std::string& place) {
        Json object = Json::object();
        for (auto& [key, value] : parse_key_values(text.get<std::string>(), Item::first_key)) {
            if (const auto found = object.find(key); found == object.end()) {
                object[key] = std::move(value);
            } else if (key == Item::repeated_key) {
                if (!found->is_array()) {
                    *found = Json::array({*found});
                }
                found->push_back(std::move(value));
            } else {
                refuse(place, fmt::format("'{}' stands there twice", key), "");
            }
        }
        return object;
    }

    const Json& object_;
    std::string prefix_;
    std::vector<std::string> known_;
};

template <typename Structure>
void read(const Json& object, Structure& structure, const std::string& prefix) {
    Reader reader{object, prefix};
    visit(reader, structure);
    reader.refuse_unknown();
}

// Builds the JSON object of a structure.
struct Printer {
    Json object = Json::object();

    template <typename Value>
    void field(const char* key, Value& value) {
        object[key] = value;
    }
    void field(const char* key, std::uint64_t& size) { object[key] = format_size(size); }
    void field(const char* key, std::vector<std::string>& list) { object[key] = list; }
    template <typename Item>
    void field(const char* key, std::vector<Item>& list) {
        Json array = Json::array();
        for (Item& item : list) {
            Printer printer;
            visit(printer, item);
            array.push_back(std::move(printer.object));
        }
        object[key] = std::move(array);
    }
};

} // namespace

void apply_command_line(RunOptions& options, const OptionTexts& texts) {
    Json object = Json::object();
    for (const auto& [key, text] : texts) {
        if (key == "disk" || key == "share" || key == "console" || key == "net" || key == "vsock") {
            object[key].push_back(text);
        } else {
            object[key] = text;
        }
    }
    read(object, options, "--");
}

void apply_config_file(RunOptions& options, const std::string& path) {
    const std::string failed = fmt::format("cannot use configuration file {}", path);
    std::ifstream file{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (!file.is_open()) {
        throw Error::from_errno(errno, failed, "", "check the path");
    }
    if (text.size() > largest_file) {
        throw Error{ErrorKind::invalid_input, failed, "it is larger than 1 MiB", ""};
    }
    apply_config(options, text, path);
}

void apply_config(RunOptions& options, std::string_view json, const std::string& origin) {
    Json object;
    try {
        object = Json::parse(json, nullptr, true, true);
    } catch (const Json::parse_error& error) {
        const auto before = json.substr(0, error.byte);
        const auto line = 1 + std::ranges::count(before, '\n');
        refuse(fmt::format("cannot use configuration file {}", origin),
               fmt::format("line {} is not valid JSON", line),
               "see gunyah run --print-config for an example");
    } catch (const Json::out_of_range&) {
        refuse(fmt::format("cannot use configuration file {}", origin),
               "a number in it is too large", "");
    }
    read(object, options, origin + ": ");
}

std::string print_config(const RunOptions& options) {
    RunOptions copy = options; // visit() wants something that can be written to
    Printer printer;
    visit(printer, copy);
    return written(printer.object, 4) + "\n";
}

} // namespace vmm
