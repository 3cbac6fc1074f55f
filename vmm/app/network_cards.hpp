// SPDX-License-Identifier: BSD-3-Clause
// NetworkCards: the backends of a guest's network devices, as --net asks for them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/guest_devices.hpp"
#include "app/run_options.hpp"
#include "net/passt.hpp"

namespace vmm {

// Opens and starts everything at once, before the sandbox closes. Owns the programs behind the
// cards and outlives the devices: what take_cards() gives refers to it.
class NetworkCards {
public:
    // `vm`: the VM's name. Throws gunyah::Error.
    NetworkCards(const std::vector<NetOption>& options, const std::string& vm);

    // To be called once.
    std::vector<NetworkCard> take_cards() { return std::move(cards_); }

private:
    NetworkCard passt_card(const std::vector<PortForward>& forwards);

    std::vector<std::unique_ptr<Passt>> programs_;
    std::vector<NetworkCard> cards_;
};

} // namespace vmm
