// SPDX-License-Identifier: BSD-3-Clause
// A partition: the object whose capability lets its holder make other objects.
#pragma once

#include "object/object.hpp"

namespace hyp {

/// Only a name for the right to create, for now: all objects come from the hypervisor's one pool.
class Partition final : public Object {
public:
    static constexpr ObjectType type = ObjectType::partition;
    Partition() : Object(type) {}

private:
    ~Partition() override = default;
};

} // namespace hyp
