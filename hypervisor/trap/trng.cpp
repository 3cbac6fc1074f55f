// SPDX-License-Identifier: BSD-3-Clause
// What VMs get comes from the one generator, as for prng_get_entropy. A machine that has no seed
// for it does not offer the service.
#include "platform/random.hpp"
#include "trap/services.hpp"
#include "vcpu/vcpu.hpp"

#include <algorithm>

namespace hyp {

namespace {

// DEN0098 section 2.
constexpr std::uint32_t trng_version = 0x84000050;
constexpr std::uint32_t trng_features = 0x84000051;
constexpr std::uint32_t trng_get_uuid = 0x84000052;
constexpr std::uint32_t trng_rnd32 = 0x84000053;
constexpr std::uint32_t trng_rnd64 = 0xc4000053;

constexpr unsigned result_registers = 3;

enum Answer : std::int64_t {
    success = 0,
    not_supported = -1,
    invalid_parameters = -2,
    no_entropy = -3,
    version_1_0 = 0x10000,
};

// 3ad9b2af-0fb7-5a4f-aa64-b1c6ecc90733, four bytes per register, little-endian.
constexpr std::uint32_t backend_uuid[4] = {0xafb2d93a, 0x4f5ab70f, 0xc6b164aa, 0x3307c9ec};

bool is_trng(std::uint32_t function) {
    return (function >= trng_version && function <= trng_rnd32) || function == trng_rnd64;
}

// The lowest bits stand in x3, the next in x2, then x1; what was not asked for is zero.
Answer random_bits(Vcpu& vcpu, unsigned register_bits) {
    auto& x = vcpu.registers.x;
    std::uint64_t wanted = x[1] & (register_bits == 32 ? 0xffffffff : ~std::uint64_t{0});
    if (wanted == 0 || wanted > std::uint64_t{result_registers} * register_bits) {
        return invalid_parameters;
    }
    const auto random = random_generator().generate();
    if (!random) {
        return no_entropy;
    }
    std::uint64_t words[result_registers] = {};
    for (unsigned n = 0; wanted > 0; ++n) {
        const std::uint64_t bits = std::min<std::uint64_t>(wanted, register_bits);
        words[n] = (*random)[n] >> (64 - bits);
        wanted -= bits;
    }
    std::copy(std::rbegin(words), std::rend(words), x + 1);
    return success;
}

} // namespace

bool serve_trng(Vcpu& vcpu, std::uint32_t function) {
    if (!is_trng(function)) {
        return false;
    }
    auto& x = vcpu.registers.x;
    Answer answer = success;
    if (!random_generator().generate().has_value()) {
        answer = not_supported;
    } else if (function == trng_version) {
        answer = version_1_0;
    } else if (function == trng_features) {
        answer = is_trng(static_cast<std::uint32_t>(x[1])) ? success : not_supported;
    } else if (function == trng_get_uuid) {
        std::copy(std::begin(backend_uuid), std::end(backend_uuid), x);
        return true;
    } else {
        answer = random_bits(vcpu, function == trng_rnd64 ? 64 : 32);
    }
    x[0] = static_cast<std::uint64_t>(answer);
    return true;
}

} // namespace hyp
