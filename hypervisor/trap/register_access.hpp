// SPDX-License-Identifier: BSD-3-Clause
// One trapped MRS or MSR, as ESR_EL2 describes it, and who serves whole families of registers.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// What an access names, in place in the ISS of EC 0x18: Op0 [21:20], Op2 [19:17], Op1 [16:14],
/// CRn [13:10], CRm [4:1] (Arm ARM D19.2.40).
constexpr std::uint32_t encoding(unsigned op0, unsigned op1, unsigned crn, unsigned crm,
                                 unsigned op2) {
    return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (crm << 1);
}

struct RegisterAccess {
    unsigned op0, op1, crn, crm, op2;
    unsigned rt; // 31: the zero register
    bool write;
    std::uint64_t value; // written, or to be filled in

    [[nodiscard]] std::uint32_t encoding() const { return hyp::encoding(op0, op1, crn, crm, op2); }
};

/// That, Rt [9:5], and the direction [0] with 1 = read.
constexpr RegisterAccess decode_register_access(std::uint64_t esr) {
    const auto field = [esr](unsigned lsb, unsigned width) {
        return static_cast<unsigned>((esr >> lsb) & ((1u << width) - 1));
    };
    return {.op0 = field(20, 2),
            .op1 = field(14, 3),
            .crn = field(10, 4),
            .crm = field(1, 4),
            .op2 = field(17, 3),
            .rt = field(5, 5),
            .write = field(0, 1) == 0,
            .value = 0};
}

/// Serves a self-hosted debug register (op0 = 2) from the vCPU's own copy; false when there is no
/// such one.
[[nodiscard]] bool access_debug_register(Vcpu&, RegisterAccess&);

} // namespace hyp
