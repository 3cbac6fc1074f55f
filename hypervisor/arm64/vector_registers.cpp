// SPDX-License-Identifier: BSD-3-Clause
// Lazy switching of FP, SIMD and SVE by CPTR_EL2's traps. EL2 itself uses none of these registers.
#include <arch/percpu.hpp>
#include <arch/sysreg.hpp>
#include <arch/vector_registers.hpp>

#include "heap/heap.hpp"

#include <cstring>

extern "C" void arch_fp_save(hyp::arch::FloatingPoint*);
extern "C" void arch_fp_load(const hyp::arch::FloatingPoint*);
extern "C" void arch_sve_save(std::byte*);
extern "C" void arch_sve_load(const std::byte*);
extern "C" std::uint64_t arch_sve_vector_bytes();

namespace hyp::arch {

namespace {

// CPTR_EL2 with E2H = 0: RES1 bits; activity monitors (TAM), trace (TTA) and SME (TSM) always trap.
constexpr std::uint64_t cptr_always = 0x32ff | (1u << 20) | (1u << 30);
constexpr std::uint64_t cptr_tfp = 1u << 10;
constexpr std::uint64_t cptr_tz = 1u << 8;
constexpr std::uint64_t cptr_closed = cptr_always | cptr_tfp | cptr_tz;

constexpr unsigned nobody = ~0u;

unsigned vector_bytes; // common to all CPUs, which find it one after the other at boot

// 32 Z registers, 16 P registers of an eighth each, and FFR.
std::size_t sve_size() {
    return std::size_t{vector_bytes} * 32 + std::size_t{vector_bytes} / 8 * 17;
}

bool held_here(const GuestState& guest) {
    return this_cpu().vectors == &guest && guest.fp.cpu == this_cpu().index;
}

// To EL2 as well: a closed register traps there, too. What is open for no vCPU may be for EL2.
void set_traps(std::uint64_t cptr) {
    HYP_WRITE_SYSREG(cptr_el2, cptr);
    isb();
}

void open_for(const GuestState& guest) {
    set_traps(guest.fp.sve != nullptr ? cptr_always : cptr_always | cptr_tz);
}

// ZCR_EL2.LEN: so many times 128 bits less one, or the next that this CPU has below.
void limit_vectors(std::uint64_t length) {
    HYP_WRITE_SYSREG(s3_4_c1_c2_0, length);
    isb();
}

unsigned longest_vector_bytes() {
    constexpr std::uint64_t longest = 0xf;
    if (HYP_ID_FIELD(id_aa64pfr0_el1, 32) == 0) { // SVE
        return 0;
    }
    set_traps(cptr_always);
    limit_vectors(longest);
    return static_cast<unsigned>(arch_sve_vector_bytes());
}

void store(FloatingPoint& fp) {
    if (fp.sve != nullptr) {
        arch_sve_save(fp.sve);
        fp.zcr = HYP_READ_SYSREG(s3_0_c1_c2_0);
        fp.fpsr = HYP_READ_SYSREG(s3_3_c4_c4_1);
        fp.fpcr = HYP_READ_SYSREG(s3_3_c4_c4_0);
    } else {
        arch_fp_save(&fp);
    }
}

void store_unsaved() {
    if (GuestState* owner = this_cpu().unsaved) {
        set_traps(cptr_always);
        store(owner->fp);
        this_cpu().unsaved = nullptr;
    }
}

} // namespace

unsigned sve_vector_bytes() {
    return vector_bytes;
}

void init_vectors() {
    const unsigned here = longest_vector_bytes();
    vector_bytes = this_cpu().index == 0 ? here : common_vector_bytes(vector_bytes, here);
    set_traps(cptr_closed);
}

void reset_vectors(FloatingPoint& fp) {
    fp.cpu = nobody;
    if (fp.sve != nullptr) {
        std::memset(fp.sve, 0, sve_size());
    }
}

void load_vectors(GuestState& guest) {
    guest.fp.open = held_here(guest);
    if (guest.fp.open) {
        this_cpu().unsaved = nullptr; // live again
        open_for(guest);
    } else {
        HYP_WRITE_SYSREG(cptr_el2, cptr_closed);
    }
}

void save_vectors(GuestState& guest, bool lends) {
    if (!guest.fp.open) {
        return;
    }
    if (lends) {
        this_cpu().unsaved = &guest;
    } else {
        store(guest.fp);
    }
}

void GuestState::flush_vectors() {
    if (this_cpu().unsaved == this) {
        store_unsaved();
        HYP_WRITE_SYSREG(cptr_el2, cptr_closed);
    }
}

void GuestState::open_vectors() {
    store_unsaved();
    open_for(*this);
    if (fp.sve != nullptr) {
        limit_vectors(vector_bytes / 16 - 1); // a CPU that started later may have less
        arch_sve_load(fp.sve);
        HYP_WRITE_SYSREG(s3_0_c1_c2_0, fp.zcr);
        HYP_WRITE_SYSREG(s3_3_c4_c4_1, fp.fpsr);
        HYP_WRITE_SYSREG(s3_3_c4_c4_0, fp.fpcr);
    } else {
        arch_fp_load(&fp);
    }
    fp.open = true;
    fp.cpu = this_cpu().index;
    this_cpu().vectors = this;
}

bool GuestState::allocate_vectors() {
    if (features.sve && fp.sve == nullptr) {
        fp.sve = static_cast<std::byte*>(heap().allocate(sve_size(), 16));
        return fp.sve != nullptr;
    }
    return true;
}

void GuestState::release_vectors() {
    heap().release(fp.sve);
    fp.sve = nullptr;
}

} // namespace hyp::arch
