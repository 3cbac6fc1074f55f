// SPDX-License-Identifier: BSD-3-Clause
// System registers are named in the instruction: one MRS for each of the 56 encodings.
#include <arch/id_registers.hpp>
#include <arch/sysreg.hpp>

namespace hyp::arch {

#define HYP_ID_CASE(crm, op2)                                                                      \
    case (crm) * 8 + (op2):                                                                        \
        return HYP_READ_SYSREG(s3_0_c0_c##crm##_##op2);
#define HYP_ID_ROW(crm)                                                                            \
    HYP_ID_CASE(crm, 0)                                                                            \
    HYP_ID_CASE(crm, 1)                                                                            \
    HYP_ID_CASE(crm, 2)                                                                            \
    HYP_ID_CASE(crm, 3)                                                                            \
    HYP_ID_CASE(crm, 4)                                                                            \
    HYP_ID_CASE(crm, 5)                                                                            \
    HYP_ID_CASE(crm, 6)                                                                            \
    HYP_ID_CASE(crm, 7)

std::uint64_t read_id_register(unsigned crm, unsigned op2) {
    switch (crm * 8 + op2) {
        HYP_ID_ROW(1)
        HYP_ID_ROW(2)
        HYP_ID_ROW(3)
        HYP_ID_ROW(4)
        HYP_ID_ROW(5)
        HYP_ID_ROW(6)
        HYP_ID_ROW(7)
    default:
        return 0;
    }
}

} // namespace hyp::arch
