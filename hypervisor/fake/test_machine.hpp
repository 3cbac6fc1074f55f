// SPDX-License-Identifier: BSD-3-Clause
// Base of the host tests: a hypervisor with a pool and RAM for VMs, checked for leaks at the end.
#pragma once

#include "heap/address.hpp"

#include <arch/physmap.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace hyp::fake {

/// The pool lies at the start of the fake RAM, memory for VMs behind it.
constexpr PhysRange pool{ram_base, std::uint64_t{64} << 20};
constexpr PhysRange vm_ram{pool.end(), ram_size - pool.size};

/// Each test starts with vm_ram owned by the partition, no objects, default CPU features. It must
/// leave as many pool pages, objects and capabilities as it found.
class TestMachine : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

private:
    std::uint64_t pages_before_ = 0;
    std::uint64_t objects_before_ = 0;
    std::uint64_t capabilities_before_ = 0;
    std::uint64_t tables_before_ = 0;
};

} // namespace hyp::fake
