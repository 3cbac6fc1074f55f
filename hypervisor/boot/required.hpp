// SPDX-License-Identifier: BSD-3-Clause
// Steps of boot that have no alternative when they fail.
#pragma once

#include "heap/names.hpp"
#include "object/ref.hpp"
#include "platform/console.hpp"

#include <runtime/panic.hpp>

#include <string_view>
#include <utility>

namespace hyp {

/// The value of a result; on an error says what could not be done, and panics.
template <typename T>
T required(Result<T> result, std::string_view what) {
    if (!result) {
        log("cannot {}: {}", what, result.error());
        rt::panic("the first VM could not be made");
    }
    if constexpr (!std::is_void_v<T>) {
        return *std::move(result);
    }
}

/// A new object, or a panic.
template <typename T, typename... Args>
Ref<T> required_object(Args&&... args) {
    Ref<T> object = make_object<T>(std::forward<Args>(args)...);
    rt::ensure(static_cast<bool>(object), "no memory for the objects of the first VM");
    return object;
}

/// A new object that was configured and is active.
template <typename T, typename... Configuration>
Ref<T> required_active(std::string_view what, const Configuration&... configuration) {
    Ref<T> object = required_object<T>();
    required(object->configure(configuration...), what);
    required(object->activate(), what);
    return object;
}

} // namespace hyp
