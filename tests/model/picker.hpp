// SPDX-License-Identifier: BSD-3-Clause
// What the numbers of a step choose: mostly arguments with which a call can succeed.
#pragma once

#include "model.hpp"
#include "sequences.hpp"

#include <abi/hypercall.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace model {

/// Takes the numbers of a step one after the other.
class Picker {
public:
    Picker(const Step& step, const std::vector<Word>& names) : step_(step), names_(names) {}

    std::uint32_t number() { return step_[next_++ % step_.size()]; }
    std::uint32_t below(std::uint32_t limit) { return number() % limit; }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    template <std::size_t n>
    Word of(const std::array<Word, n>& values) {
        return values[below(n)];
    }

    enum class Want { any, fresh, active };

    /// Mostly a capability of `cspace` to such an object; sometimes any, or nonsense.
    Word capability(const Cspace& cspace, Kind kind, Want want = Want::any) {
        return fitting(cspace, [&](const Object& object) {
            return object.kind == kind &&
                   (want == Want::any || object.active == (want == Want::active));
        });
    }
    /// Likewise to an object that `fits`.
    Word fitting(const Cspace& cspace, const auto& fits) {
        const std::uint32_t choice = number();
        if (choice % 32 == 0) {
            return names_[choice / 32 % names_.size()];
        }
        std::vector<Word> found;
        for (const auto& [name, slot] : cspace.slots) {
            if (choice % 32 == 1 || (slot.object && fits(*slot.object))) {
                found.push_back(name);
            }
        }
        return found.empty() ? 0 : found[choice / 32 % found.size()];
    }
    static const Extent* extent(const Cspace& cspace, Word name) {
        const auto slot = cspace.slots.find(name);
        const bool is = slot != cspace.slots.end() && slot->second.object &&
                        slot->second.object->kind == Kind::extent;
        return is ? static_cast<const Extent*>(slot->second.object.get()) : nullptr;
    }
    Word any_capability(const Cspace& cspace) {
        const std::uint32_t choice = number();
        if (cspace.slots.empty() || choice % 32 == 0) {
            return names_[choice / 32 % names_.size()];
        }
        auto slot = cspace.slots.begin();
        std::advance(slot, choice / 32 % cspace.slots.size());
        return slot->first;
    }
    Word reserved() { return one_in(64) ? number() : 0; }

    /// Bytes: mostly whole pages, often aligned to blocks.
    Word offset(Word limit_pages) {
        const Word page = below(static_cast<std::uint32_t>(limit_pages));
        const Word aligned = one_in(2) ? page / 512 * 512 : page;
        return aligned * page_size + (one_in(64) ? 8 : 0);
    }
    Word size() {
        return of<9>({1, 1, 2, 3, 4, 16, 100, 512, 513}) * page_size + (one_in(64) ? 8 : 0);
    }
    Word access() { return of<4>({GH_ACCESS_R, GH_ACCESS_RW, GH_ACCESS_RWX, GH_ACCESS_RWX}); }
    Word flags() { return (one_in(8) ? below(3) : 1) * GH_MAP_FLAG_PARTIAL; }

private:
    const Step& step_;
    const std::vector<Word>& names_;
    std::size_t next_ = 0;
};

} // namespace model
