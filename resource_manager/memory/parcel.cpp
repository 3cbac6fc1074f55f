// SPDX-License-Identifier: BSD-3-Clause
// Sharing, lending, mapping and returning of a parcel's memory.
#include "memory/parcel.hpp"

#include <algorithm>

namespace rm {

RmResult<> Parcel::add(const Stage& stage, const RamMap& ram, Range range) {
    const bool aligned = is_aligned(range.base, page_size) && is_aligned(range.size, page_size);
    if (!aligned || range.size == 0 || range.wraps()) {
        return refuse(stage, RmError::mem_invalid, "memory {x} + {x} is empty or not page aligned",
                      range.base, range.size);
    }
    if (!ram.contains(range) || size_ + range.size < size_) {
        return refuse(stage, RmError::mem_invalid, "memory {x} + {x} is not RAM of the sender",
                      range.base, range.size);
    }
    while (range.size != 0) {
        const std::uint64_t in_block = range.base % piece_size_max;
        const ExtentPiece piece =
            ram.front_piece({range.base, std::min(range.size, piece_size_max - in_block)});
        const bool joins = in_block != 0 && !pieces_.empty() &&
                           pieces_.back().extent == piece.extent &&
                           pieces_.back().offset + pieces_.back().size == piece.offset;
        if (joins) {
            pieces_.back().size += piece.size;
        } else if (!pieces_.push_back(piece)) {
            return refuse(stage, RmError::no_memory, "no memory for a list of {} pieces",
                          pieces_.size() + 1);
        }
        size_ += piece.size;
        range = {range.base + piece.size, range.size - piece.size};
    }
    return {};
}

unsigned Parcel::access_of(std::uint32_t vmid) const {
    for (const AclEntry& entry : acl) {
        if (entry.vmid == vmid) {
            return entry.access;
        }
    }
    return 0;
}

ExtentPiece Parcel::owned(const ExtentPiece& piece) const {
    for (const LentExtent& lent : lent_) {
        if (lent.parent == piece.extent) {
            return {.extent = lent.extent.id(), .offset = piece.offset, .size = piece.size};
        }
    }
    return piece;
}

RmResult<> Parcel::make_extents(const Stage& stage, const Root& root, const RamMap& ram) {
    for (std::size_t i = 0; i < ram.ranges().size(); ++i) {
        const CapId parent = ram.extent(i);
        const bool touched = std::any_of(pieces_.begin(), pieces_.end(),
                                         [&](const auto& piece) { return piece.extent == parent; });
        if (!touched) {
            continue;
        }
        auto extent = Capability::create(root, ObjectType::memextent);
        if (!extent) {
            return refuse_call(stage, "creating an extent for lent memory", extent.error());
        }
        auto done = root.hypervisor.memextent_derive(
            extent->id(), parent, 0, ram.ranges()[i].size,
            extent_attributes(GH_ACCESS_RWX, GH_MEMEXTENT_MEMTYPE_ANY, GH_MEMEXTENT_TYPE_SPARSE));
        done = done ? root.hypervisor.activate(extent->id()) : done;
        if (!done) {
            return refuse_call(stage, "deriving an extent for lent memory", done.error());
        }
        if (!lent_.push_back(LentExtent{parent, std::move(*extent)})) {
            return refuse(stage, RmError::no_memory, "no memory for a lent extent");
        }
    }
    return {};
}

rt::Result<> Parcel::lend_piece(const Root& root, const RamMap& ram, const ExtentPiece& piece,
                                CapId owner_addrspace) {
    const std::uint64_t ipa = ram.ipa_of(piece);
    const auto unmapped = root.hypervisor.unmap_piece(owner_addrspace, piece, ipa);
    if (!unmapped) {
        return unmapped;
    }
    const auto donated = root.hypervisor.donate_to_child(piece, owned(piece).extent);
    if (!donated) {
        const auto mapped = root.hypervisor.map_piece(
            owner_addrspace, piece, ipa, map_attributes(GH_ACCESS_RWX, GH_MAP_MEMTYPE_NORMAL_WB));
        if (!mapped) {
            log("mapping {x} back after a failed lend failed: {}", ipa, mapped.error());
        }
    }
    return donated;
}

rt::Result<> Parcel::return_piece(const Root& root, const RamMap& ram, const ExtentPiece& piece,
                                  CapId owner_addrspace) {
    const ExtentPiece lent = owned(piece);
    auto done = root.hypervisor.zero(lent); // what the guest left is nobody's business
    done = done ? root.hypervisor.donate_to_parent(lent, piece.extent) : done;
    if (!done && done.error() == rt::Error::not_owner) {
        done = {}; // an earlier attempt got as far as this and failed to map
    }
    return done ? root.hypervisor.map_piece(owner_addrspace, piece, ram.ipa_of(piece),
                                            map_attributes(GH_ACCESS_RWX, GH_MAP_MEMTYPE_NORMAL_WB))
                : done;
}

RmResult<> Parcel::take_from_owner(const Stage& stage, const Root& root, const RamMap& ram,
                                   CapId owner_addrspace) {
    auto made = make_extents(stage, root, ram);
    if (!made) {
        lent_.clear();
        return made;
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const auto lent = lend_piece(root, ram, pieces_[i], owner_addrspace);
        if (lent) {
            continue;
        }
        for (std::size_t back = i; back != 0; --back) {
            const auto undone = return_piece(root, ram, pieces_[back - 1], owner_addrspace);
            if (!undone) {
                log("returning lent memory {x} failed: {}", ram.ipa_of(pieces_[back - 1]),
                    undone.error());
            }
        }
        lent_.clear();
        return refuse(stage, rm_error(lent.error()), "taking memory {x} + {x} from its owner: {}",
                      ram.ipa_of(pieces_[i]), pieces_[i].size, lent.error());
    }
    return {};
}

RmResult<> Parcel::give_back(const Stage& stage, const Root& root, const RamMap& ram,
                             CapId owner_addrspace) {
    for (const LentExtent& lent : lent_) {
        const auto unmapped = root.hypervisor.unmap_everywhere(lent.extent.id());
        if (!unmapped) {
            return refuse_call(stage, "unmapping lent memory", unmapped.error());
        }
    }
    while (!pieces_.empty()) {
        const ExtentPiece piece = pieces_.back();
        const auto returned = return_piece(root, ram, piece, owner_addrspace);
        if (!returned) {
            return refuse(stage, rm_error(returned.error()), "returning memory {x} + {x}: {}",
                          ram.ipa_of(piece), piece.size, returned.error());
        }
        size_ -= piece.size;
        pieces_.shrink_to(pieces_.size() - 1);
    }
    lent_.clear();
    return {};
}

RmResult<> Parcel::zero(const Stage& stage, const Root& root) {
    for (const ExtentPiece& piece : pieces_) {
        const auto done = root.hypervisor.zero(owned(piece));
        if (!done) {
            return refuse_call(stage, "zeroing the memory", done.error());
        }
    }
    return {};
}

RmResult<> Parcel::pieces(const Stage& stage, std::uint64_t offset, std::uint64_t size,
                          Vector<ExtentPiece>& pieces) const {
    std::uint64_t start = 0; // parcel offset of the piece
    for (const ExtentPiece& piece : pieces_) {
        const std::uint64_t from = std::max(start, offset);
        const std::uint64_t to = std::min(start + piece.size, offset + size);
        if (from < to) {
            ExtentPiece part = owned(piece);
            part.offset += from - start;
            part.size = to - from;
            if (!pieces.push_back(part)) {
                return refuse(stage, RmError::no_memory, "no memory for a list of pieces");
            }
        }
        start += piece.size;
    }
    return {};
}

RmResult<> Parcel::map(const Stage& stage, const Root& root, CapId addrspace, std::uint64_t ipa,
                       unsigned access) {
    std::uint64_t next = ipa;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const auto mapped = root.hypervisor.map_piece(
            addrspace, owned(pieces_[i]), next, map_attributes(access, GH_MAP_MEMTYPE_NORMAL_WB));
        if (!mapped) {
            unmap_first(root, addrspace, ipa, i);
            const RmError error =
                mapped.error() == rt::Error::no_memory ? RmError::no_memory : RmError::map_failed;
            return refuse(stage, error, "mapping {x} bytes of parcel {x} at {x}: {}",
                          pieces_[i].size, handle, next, mapped.error());
        }
        next += pieces_[i].size;
    }
    return {};
}

void Parcel::unmap(const Root& root, CapId addrspace, std::uint64_t ipa) {
    unmap_first(root, addrspace, ipa, pieces_.size());
}

void Parcel::unmap_first(const Root& root, CapId addrspace, std::uint64_t ipa, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto done = root.hypervisor.unmap_piece(addrspace, owned(pieces_[i]), ipa);
        if (!done) {
            log("unmapping parcel {x} at {x} failed: {}", handle, ipa, done.error());
        }
        ipa += pieces_[i].size;
    }
}

} // namespace rm
