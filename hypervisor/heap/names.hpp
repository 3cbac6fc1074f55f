// SPDX-License-Identifier: BSD-3-Clause
// What every layer of the hypervisor takes from the runtime by its bare name.
#pragma once

#include <runtime/result.hpp>
#include <runtime/spinlock.hpp>

/// Stands before functions whose address nobody takes, where instructions are counted: there is no
/// mark at their start that lets indirect branches in (FEAT_BTI). None of them may have a jump
/// table, either. tests/system/el2_code_test.py finds where one is missing.
#if defined(__aarch64__) && !defined(__clang__)
#define HYP_CALLED_BY_NAME [[gnu::target("branch-protection=none")]]
#else
#define HYP_CALLED_BY_NAME
#endif

namespace hyp {

using rt::Error;
using rt::fail;
using rt::LockGuard;
using rt::Result;
using rt::Spinlock;

} // namespace hyp
