// SPDX-License-Identifier: BSD-3-Clause
// Parses /gunyah-vm-config as crosvm, the public sample VMM and ours write it.
#include "vm/guest_config.hpp"

#include "device_tree/gic_node.hpp"

#include <abi/hypercall.h>

#include <libfdt.h>

#include <algorithm>
#include <iterator>

namespace rm {

namespace {

constexpr std::uint64_t image_alignment = std::uint64_t{2} << 20;

class Parser {
public:
    Parser(const Stage& stage, const void* fdt) : stage_(stage), fdt_(fdt) {}

    RmResult<GuestConfig> parse();

private:
    RmResult<> memory(dt::Node config);
    RmResult<> cpus();
    RmResult<> interrupts(dt::Node config);
    RmResult<> vcpus(dt::Node config);
    RmResult<> affinity_map(dt::Node node);
    RmResult<> features(dt::Node node);
    RmResult<> vdevices(dt::Node config);
    RmResult<> doorbell(dt::Node node);
    RmResult<> watchdog(dt::Node node);
    RmResult<std::uint32_t> spi(dt::Node node, std::span<const std::byte> interrupts);
    RmResult<std::uint32_t> next_cpu(dt::Node node, unsigned index);
    dt::Node child(dt::Node node, const char* name) const {
        return fdt_subnode_offset(fdt_, node, name);
    }
    template <typename... Arguments>
    std::unexpected<RmError> wrong(rt::FormatString<std::type_identity_t<Arguments>...> format,
                                   const Arguments&... arguments) const {
        return refuse(stage_, RmError::validate_failed, format, arguments...);
    }

    const Stage& stage_;
    const void* fdt_;
    GuestConfig result_;
};

RmResult<GuestConfig> Parser::parse() {
    const dt::Node config = fdt_path_offset(fdt_, "/gunyah-vm-config");
    if (config < 0) {
        return wrong("the device tree has no node /gunyah-vm-config");
    }
    using Step = RmResult<> (Parser::*)(dt::Node);
    RmResult<> done = cpus();
    for (const Step step :
         {&Parser::memory, &Parser::interrupts, &Parser::vcpus, &Parser::vdevices}) {
        done = done ? (this->*step)(config) : done;
    }
    if (!done) {
        return std::unexpected(done.error());
    }
    const dt::Node chosen = fdt_path_offset(fdt_, "/chosen");
    const auto end = chosen < 0 ? std::nullopt : dt::property(fdt_, chosen, "linux,initrd-end");
    if (end && (end->size() == 4 || end->size() == 8)) {
        result_.initrd_end = dt::number(*end, 0, static_cast<unsigned>(end->size() / 4));
    }
    return std::move(result_);
}

RmResult<> Parser::memory(dt::Node config) {
    const dt::Node node = child(config, "memory");
    const auto base = node < 0 ? std::nullopt : dt::property(fdt_, node, "base-address");
    if (!base || (base->size() != 4 && base->size() != 8)) {
        return wrong("gunyah-vm-config/memory has no base-address of one or two cells");
    }
    if (const auto firmware = dt::property(fdt_, node, "firmware-address")) {
        if (firmware->size() != 4 && firmware->size() != 8) {
            return wrong("memory/firmware-address is not of one or two cells");
        }
        result_.firmware_address =
            dt::number(*firmware, 0, static_cast<unsigned>(firmware->size() / 4));
    }
    result_.base_address = dt::number(*base, 0, static_cast<unsigned>(base->size() / 4));
    if (!is_aligned(result_.base_address, image_alignment)) {
        return wrong("base-address {x} is not a multiple of 2 MiB", result_.base_address);
    }
    if (result_.base_address < vmmio_end) {
        return wrong("base-address {x} is below 1 GiB, where the VMM's devices are",
                     result_.base_address);
    }
    return {};
}

/// The vCPU with the given index must be the CPU with this affinity.
RmResult<std::uint32_t> Parser::next_cpu(dt::Node node, unsigned index) {
    const auto value = dt::property(fdt_, node, "reg");
    const std::uint64_t mpidr =
        value ? dt::number(*value, 0, static_cast<unsigned>(value->size() / 4)) : ~0ULL;
    if (!value || value->size() > 8 || mpidr != index) {
        return wrong("the cpu nodes must have reg 0, 1, 2 … in order; number {} has {x}", index,
                     mpidr);
    }
    return index + 1;
}

RmResult<> Parser::cpus() {
    const dt::Node parent = fdt_path_offset(fdt_, "/cpus");
    std::uint32_t count = 0;
    dt::Node node = 0;
    if (parent >= 0) {
        fdt_for_each_subnode(node, fdt_, parent) {
            const auto type = dt::text(fdt_, node, "device_type");
            if (!type || *type != "cpu" || !dt::is_enabled(fdt_, node)) {
                continue;
            }
            const auto next = next_cpu(node, count);
            if (!next) {
                return std::unexpected(next.error());
            }
            count = *next;
        }
    }
    if (count == 0 || count > max_guest_vcpus) {
        return wrong("it has {} enabled cpu nodes; 1 to {} are possible", count, max_guest_vcpus);
    }
    result_.cpu_count = count;
    return {};
}

RmResult<> Parser::interrupts(dt::Node config) {
    const dt::Node node = child(config, "interrupts");
    const auto phandle = node < 0 ? std::nullopt : dt::cell(fdt_, node, "config");
    const dt::Node gic = phandle ? fdt_node_offset_by_phandle(fdt_, *phandle) : -1;
    if (gic < 0) {
        return wrong("gunyah-vm-config/interrupts/config is no phandle of a node");
    }
    const auto found = dt::read_gic(fdt_, gic, result_.cpu_count);
    if (!found) {
        return wrong("the node of interrupts/config is no GICv3 with {} redistributors",
                     result_.cpu_count);
    }
    const bool aligned = is_aligned(found->distributor.base, page_size) &&
                         is_aligned(found->redistributors.base, page_size);
    result_.distributor = {found->distributor.base, dt::distributor_size};
    result_.redistributors = {found->redistributors.base,
                              result_.cpu_count * dt::redistributor_size};
    if (!aligned || result_.distributor.overlaps(result_.redistributors)) {
        return wrong("the GIC at {x} and {x} is unaligned or overlaps itself",
                     result_.distributor.base, result_.redistributors.base);
    }
    result_.gic_phandle = found->phandle;
    result_.gic_interrupt_cells = found->interrupt_cells;
    return {};
}

RmResult<> Parser::affinity_map(dt::Node node) {
    const auto map = dt::property(fdt_, node, "affinity-map");
    if (!map) {
        return {};
    }
    const std::size_t count = map->size() / 4;
    if (count > max_guest_vcpus || map->size() % 4 != 0) {
        return wrong("vcpus/affinity-map has {} bytes", map->size());
    }
    for (std::size_t i = 0; i < count; ++i) {
        result_.affinity_map[i] = static_cast<std::uint32_t>(dt::number(*map, i, 1));
    }
    result_.affinity_count = static_cast<unsigned>(count);
    return {};
}

RmResult<> Parser::vcpus(dt::Node config) {
    const dt::Node node = child(config, "vcpus");
    if (node < 0) {
        return {}; // all of it has defaults
    }
    const std::string_view affinity = dt::text(fdt_, node, "affinity").value_or("static");
    const bool known =
        affinity == "proxy" || affinity == "static" || affinity == "pinned" || affinity == "sticky";
    if (!known) {
        return wrong("vcpus/affinity is \"{}\", not one of proxy, static, pinned, sticky",
                     affinity.substr(0, 32));
    }
    result_.proxy_scheduled = affinity == "proxy";
    result_.priority_offset =
        static_cast<std::int32_t>(dt::cell(fdt_, node, "sched-priority").value_or(0));
    result_.timeslice_us = dt::cell(fdt_, node, "sched-timeslice").value_or(0);
    const auto mapped = affinity_map(node);
    return mapped ? features(node) : mapped;
}

// Ours: what of the CPU the VM may use, e.g. features = "sve", "pmu".
RmResult<> Parser::features(dt::Node node) {
    struct Feature {
        std::string_view name;
        std::uint64_t option;
    };
    static constexpr Feature known[] = {{"sve", GH_VCPU_OPTION_EXT_SVE},
                                        {"pmu", GH_VCPU_OPTION_EXT_PMU}};
    const int count = fdt_stringlist_count(fdt_, node, "features");
    for (int i = 0; i < count; ++i) {
        const std::string_view name = fdt_stringlist_get(fdt_, node, "features", i, nullptr);
        if (name == "pv-time") {
            result_.pv_time = true;
            continue;
        }
        const Feature* found = std::ranges::find(known, name, &Feature::name);
        if (found == std::end(known)) {
            return wrong("vcpus/features names \"{}\", not one of sve, pmu, pv-time",
                         name.substr(0, 32));
        }
        result_.vcpu_options |= found->option;
    }
    return {};
}

RmResult<> Parser::vdevices(dt::Node config) {
    const dt::Node parent = child(config, "vdevices");
    if (parent < 0) {
        return {};
    }
    dt::Node node = 0;
    fdt_for_each_subnode(node, fdt_, parent) {
        const std::string_view type = dt::text(fdt_, node, "vdevice-type").value_or("");
        if (type != "doorbell" && type != "watchdog") {
            return refuse(stage_, RmError::unimplemented,
                          "vdevices/{} is of type \"{}\", neither doorbell nor watchdog",
                          fdt_get_name(fdt_, node, nullptr), type.substr(0, 32));
        }
        const auto done = type == "doorbell" ? doorbell(node) : watchdog(node);
        if (!done) {
            return done;
        }
    }
    return {};
}

/// The INTID of a single, checked interrupt.
RmResult<std::uint32_t> Parser::spi(dt::Node node, std::span<const std::byte> interrupts) {
    const std::uint64_t kind = dt::number(interrupts, 0, 1);
    const std::uint64_t number = dt::number(interrupts, 1, 1);
    if (kind != 0 || number > dt::last_spi - dt::first_spi) {
        return wrong("vdevices/{}: interrupt <{} {}> is no SPI (<0 0..987>)",
                     fdt_get_name(fdt_, node, nullptr), kind, number);
    }
    return static_cast<std::uint32_t>(number) + dt::first_spi;
}

// Ours. An interrupt that is also a doorbell's is refused by the hypervisor.
RmResult<> Parser::watchdog(dt::Node node) {
    const char* name = fdt_get_name(fdt_, node, nullptr);
    if (result_.watchdog) {
        return wrong("vdevices/{} is the second watchdog", name);
    }
    result_.watchdog = true;
    const auto interrupts = dt::property(fdt_, node, "interrupts");
    if (!interrupts) {
        return {};
    }
    if (interrupts->size() != result_.gic_interrupt_cells * 4ULL) {
        return wrong("vdevices/{} has more than the bark's interrupt", name);
    }
    const auto number = spi(node, *interrupts);
    if (!number) {
        return std::unexpected(number.error());
    }
    result_.bark_spi = *number;
    return {};
}

RmResult<> Parser::doorbell(dt::Node node) {
    const char* name = fdt_get_name(fdt_, node, nullptr);
    const auto label = dt::cell(fdt_, node, "label");
    const auto interrupts = dt::property(fdt_, node, "interrupts");
    if (!label || !interrupts || interrupts->size() != result_.gic_interrupt_cells * 4ULL) {
        return wrong("vdevices/{} has no label or no single interrupt", name);
    }
    const auto number = spi(node, *interrupts);
    if (!number) {
        return std::unexpected(number.error());
    }
    const DoorbellConfig config{
        .label = *label,
        .spi = *number,
        .irq_type = static_cast<std::uint32_t>(dt::number(*interrupts, 2, 1)),
        .source_can_clear = dt::property(fdt_, node, "source-can-clear").has_value(),
        .path = dt::text(fdt_, node, "generate").value_or(""),
    };
    for (const DoorbellConfig& other : result_.doorbells) {
        if (other.label == config.label || other.spi == config.spi) {
            return wrong("vdevices/{}: label {} or interrupt {} is used twice", name, config.label,
                         config.spi);
        }
    }
    if (!result_.doorbells.push_back(config)) {
        return refuse(stage_, RmError::no_memory, "no memory for doorbell {}", *label);
    }
    return {};
}

} // namespace

RmResult<GuestConfig> parse_guest_config(const Stage& stage, const void* fdt) {
    return Parser(stage, fdt).parse();
}

} // namespace rm
