// SPDX-License-Identifier: BSD-3-Clause
// Three VMs, once as the model has them and once in the hypervisor's core on the pretended
// hardware: every step is made by both, and they must agree.
#pragma once

#include "model.hpp"
#include "picker.hpp"

#include "memory/address_space.hpp"
#include "memory/memextent.hpp"
#include "memory/partition.hpp"
#include "object/cspace.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace model {

struct Call {
    const char* name;
    unsigned number;
};
inline constexpr Call create_cspace{"partition_create_cspace", GH_PARTITION_CREATE_CSPACE};
inline constexpr Call create_space{"partition_create_addrspace", GH_PARTITION_CREATE_ADDRSPACE};
inline constexpr Call create_extent{"partition_create_memextent", GH_PARTITION_CREATE_MEMEXTENT};
inline constexpr Call create_doorbell{"partition_create_doorbell", GH_PARTITION_CREATE_DOORBELL};
inline constexpr Call create_queue{"partition_create_msgqueue", GH_PARTITION_CREATE_MSGQUEUE};

/// Fills the core's table of hypercalls, the first time.
void ready_hypercalls();

class World {
public:
    static constexpr std::size_t vms = 3;
    static constexpr std::size_t page_count = 1536; // of RAM: three blocks of 2 MiB
    static constexpr Word ipa_pages = 2560;         // what steps aim at

    /// With `starving`, memory runs out at each allocation of each call before the call succeeds.
    explicit World(bool starving = false);
    /// Deletes every capability.
    ~World();
    World(const World&) = delete;

    /// Makes a step on both sides. Something is wrong if that gives a text.
    std::optional<std::string> make(const Step&);
    /// Compares owners, mappings and contents of all pages, and all stage-2 tables.
    std::optional<std::string> compare();

    /// How often each call was made, and how often it succeeded, in all worlds.
    struct Tally {
        std::size_t made = 0, succeeded = 0;
    };
    static std::map<std::string, Tally>& tallies();

    /// The last step and its results, in words.
    [[nodiscard]] const std::string& last() const { return last_; }

private:
    struct Vm {
        Caller model;
        hyp::Ref<hyp::Cspace> cspace;
        hyp::Ref<hyp::AddressSpace> memory;
        hyp::Ref<hyp::Vcpu> vcpu;
    };

    using InModel = std::function<Answer(Word name)>;

    void furnish();
    void set_up_vm(std::size_t index);
    void give(std::size_t index, std::shared_ptr<Object>, hyp::Ref<hyp::Object>,
              std::uint32_t rights);
    Answer call(Vm&, unsigned number, std::initializer_list<Word> arguments, std::size_t results);
    std::optional<std::string> agree(const char* what, Vm&, unsigned number,
                                     std::initializer_list<Word> arguments, std::size_t results,
                                     const InModel& in_model);
    std::optional<std::string> make_capability_call(Picker&, Vm&);
    std::optional<std::string> make_memory_call(Picker&, Vm&);
    std::optional<std::string> make_message_call(Picker&, Vm&);
    std::optional<std::string> store(Picker&, Vm&);
    std::optional<std::string> donate(Picker&, Vm&);
    void aim_at_mapping(Picker&, const Cspace&, Word space, Word& extent, Word& base, Word& offset);
    static Word own_address(Picker&, const Vm&);
    std::optional<std::string> compare_space(const Space&, hyp::AddressSpace&) const;
    [[nodiscard]] bool belongs_to_vm(const Object*) const;

    Machine machine_{page_count};
    std::vector<Word> names_{0}; // all that were ever given out
    std::array<Vm, vms> vms_;
    std::string last_;
    bool starving_ = false; // only once the world is furnished
};

} // namespace model
