// SPDX-License-Identifier: BSD-3-Clause
// NetworkCards: one backend after the other.
#include "app/network_cards.hpp"

#include "net/stream_backend.hpp"
#include "net/tap_backend.hpp"

namespace vmm {
namespace {

std::vector<PortForward> forwards_of(const NetOption& option) {
    std::vector<PortForward> forwards;
    for (const std::string& text : option.forwards) {
        forwards.push_back(parse_forward(text).value()); // check() has seen it
    }
    return forwards;
}

NetworkCard tap_card(const std::string& device) {
    auto tap = std::make_unique<TapBackend>(device);
    const std::uint16_t mtu = tap->mtu();
    return {.backend = std::move(tap), .mac = {}, .mtu = mtu, .last_words = {}};
}

} // namespace

NetworkCards::NetworkCards(const std::vector<NetOption>& options, const std::string& vm) {
    for (std::size_t number = 0; number < options.size(); ++number) {
        const NetOption& option = options[number];
        const MacAddress mac = parse_mac(option.mac).value_or(default_mac(vm, number));
        cards_.push_back(option.tap.empty() ? passt_card(forwards_of(option))
                                            : tap_card(option.tap));
        cards_.back().mac = mac;
    }
}

NetworkCard NetworkCards::passt_card(const std::vector<PortForward>& forwards) {
    Passt& passt = *programs_.emplace_back(std::make_unique<Passt>(forwards));
    return {.backend = std::make_unique<StreamBackend>(passt.take_socket()),
            .mac = {},
            .mtu = NetDevice::stream_mtu,
            .last_words = [&passt] { return passt.last_words(); }};
}

} // namespace vmm
