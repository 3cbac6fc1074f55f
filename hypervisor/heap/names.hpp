// SPDX-License-Identifier: BSD-3-Clause
// What every layer of the hypervisor takes from the runtime by its bare name.
#pragma once

#include <runtime/result.hpp>
#include <runtime/spinlock.hpp>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::LockGuard;
using rt::Result;
using rt::Spinlock;

} // namespace hyp
