// SPDX-License-Identifier: BSD-3-Clause
// Attribute bits of stage-2 leaf entries (Arm ARM D8.4 permissions, D8.6 memory types).
#include "memory/stage2_entry.hpp"

#include <arch/stage2_attributes.hpp>

namespace hyp::stage2 {

namespace {

constexpr unsigned memattr_shift = 2;
constexpr Entry memattr_mask = Entry{0xf} << memattr_shift;
constexpr Entry readable = Entry{1} << 6; // S2AP
constexpr Entry writable = Entry{1} << 7;
constexpr Entry inner_shareable = Entry{3} << 8;
constexpr Entry access_flag = Entry{1} << 10;
// XN[1:0], bits 54:53. Without FEAT_XNX only bit 54 exists.
constexpr unsigned xn_shift = 53;
constexpr Entry xn_mask = Entry{3} << xn_shift;
constexpr Entry xn_all_execute = Entry{0} << xn_shift;
constexpr Entry xn_el0_executes = Entry{1} << xn_shift;
constexpr Entry xn_none_executes = Entry{2} << xn_shift;
constexpr Entry xn_el1_executes = Entry{3} << xn_shift;
// MemAttr with HCR_EL2.FWB = 1 (D8.6.6): force write-back, or force non-cacheable.
constexpr Entry fwb_writeback = 6;
constexpr Entry fwb_noncacheable = 5;

Entry encode_execute(bool el1, bool el0) {
    if (!has_xnx()) {
        return el1 ? xn_all_execute : xn_none_executes;
    }
    if (el1) {
        return el0 ? xn_all_execute : xn_el1_executes;
    }
    return el0 ? xn_el0_executes : xn_none_executes;
}

Entry encode_type(MemoryType type) {
    if (has_s2fwb() && type == MemoryType::normal_writeback) {
        return fwb_writeback;
    }
    if (has_s2fwb() && type == MemoryType::normal_noncacheable) {
        return fwb_noncacheable;
    }
    return static_cast<Entry>(type);
}

MemoryType decode_type(Entry value) {
    if (has_s2fwb() && value == fwb_writeback) {
        return MemoryType::normal_writeback;
    }
    return static_cast<MemoryType>(value);
}

} // namespace

Entry encode_attributes(const MapAttributes& attributes) {
    Entry entry = access_flag | (encode_type(attributes.type) << memattr_shift);
    if (!is_device(attributes.type)) {
        entry |= inner_shareable;
    }
    if ((attributes.kernel & GH_ACCESS_R) != 0) {
        entry |= readable;
    }
    if ((attributes.kernel & GH_ACCESS_W) != 0) {
        entry |= writable;
    }
    return entry | encode_execute((attributes.kernel & GH_ACCESS_X) != 0,
                                  (attributes.user & GH_ACCESS_X) != 0);
}

MapAttributes decode_attributes(Entry entry) {
    const unsigned data =
        ((entry & readable) != 0 ? GH_ACCESS_R : 0U) | ((entry & writable) != 0 ? GH_ACCESS_W : 0U);
    const Entry xn = entry & xn_mask;
    const bool el1 = xn == xn_all_execute || xn == xn_el1_executes;
    const bool el0 = xn == xn_all_execute || xn == xn_el0_executes;
    MapAttributes attributes;
    attributes.kernel = static_cast<Access>(data | (el1 ? GH_ACCESS_X : 0U));
    attributes.user = static_cast<Access>(data | (el0 ? GH_ACCESS_X : 0U));
    attributes.type = decode_type((entry & memattr_mask) >> memattr_shift);
    return attributes;
}

} // namespace hyp::stage2
