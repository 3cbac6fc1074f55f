// SPDX-License-Identifier: BSD-3-Clause
// The shapes that most calls share: look an object up, then do one thing with it; or make one.
#pragma once

#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "memory/partition.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace hyp {

/// What `action(object)` gives (nothing, Result<>, one number, Outcome) as a handler's result.
template <typename T, typename Action>
Outcome answer(Vcpu& caller, const Result<Ref<T>>& object, const Action& action) {
    if (!object) {
        return fail(object.error());
    }
    using Given = std::invoke_result_t<Action, T&>;
    if constexpr (std::is_void_v<Given>) {
        action(**object);
        return Outcome();
    } else if constexpr (std::is_same_v<Given, Result<>>) {
        return done(action(**object));
    } else if constexpr (std::is_same_v<Given, Result<std::uint64_t>>) {
        const auto value = action(**object);
        return value ? give(caller, *value) : fail(value.error());
    } else {
        return action(**object);
    }
}

/// `reserved` is zero, x0 an active T that the caller has the right to.
template <typename T, typename Action>
Outcome on_active(Vcpu& caller, Arguments a, std::uint32_t right, std::uint64_t reserved,
                  const Action& action) {
    RT_FAIL_IF(reserved != 0, Error::argument_invalid);
    return answer(caller, caller.cspace().lookup_active<T>(a.x[0], right), action);
}

/// Likewise in any state: the action says which it needs.
template <typename T, typename Action>
Outcome on_any(Vcpu& caller, Arguments a, std::uint32_t right, std::uint64_t reserved,
               const Action& action) {
    RT_FAIL_IF(reserved != 0, Error::argument_invalid);
    return answer(caller, caller.cspace().lookup<T>(a.x[0], right), action);
}

/// `action(U&)`'s Result<>, where the capability names a U in any state that the caller has the
/// right to.
template <typename U, typename Action>
Result<> with(Vcpu& caller, CapId id, std::uint32_t right, const Action& action) {
    auto object = caller.cspace().lookup<U>(id, right);
    return object ? action(**object) : fail(object.error());
}

/// x0 as for on_active(), x1 VIC, x2 interrupt; then `bind(T&, Vic&, VirqInfo)`.
template <typename T, typename Bind>
Outcome bind_source(Vcpu& caller, Arguments a, std::uint32_t right, std::uint64_t reserved,
                    const Bind& bind) {
    return on_active<T>(caller, a, right, reserved, [&](T& object) -> Result<> {
        auto vic = RT_TRY(caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE));
        const auto info = VirqInfo::decode(a.x[2]);
        return info ? bind(object, *vic, *info) : fail(info.error());
    });
}

/// Makes an object in state init; empty if memory is short.
using Maker = Ref<Object> (*)(Partition& payer);

/// x0 partition, x1 capability space, x2 zero -> x1 a capability with all rights to a new object.
/// Its memory, `size` bytes, counts to the partition.
Outcome create_object(Vcpu& caller, Arguments a, std::size_t size, Maker make);

template <typename T>
Ref<Object> make_new(Partition&) {
    return make_object<T>();
}
template <typename T, Maker make>
Outcome create_new(Vcpu& caller, Arguments a) {
    return create_object(caller, a, sizeof(T), make);
}

/// A row of a table: creates a T.
template <typename T, Maker make = make_new<T>>
inline constexpr Handler create = entry<create_new<T, make>>;

/// The type and the number of arguments of a method.
template <typename Method>
struct MethodParts;
template <typename R, typename T, typename... Parameters>
struct MethodParts<R (T::*)(Parameters...)> {
    using Object = T;
    static constexpr std::size_t arguments = sizeof...(Parameters);
};
template <typename R, typename T, typename... Parameters>
struct MethodParts<R (T::*)(Parameters...) const> : MethodParts<R (T::*)(Parameters...)> {};

/// A call that is a method of its object: x0 object, x1 and on its arguments, then a zero.
template <auto method, std::uint32_t right, bool is_active>
Outcome call_method(Vcpu& caller, Arguments a) {
    using Parts = MethodParts<decltype(method)>;
    using T = Parts::Object;
    constexpr std::size_t count = Parts::arguments;
    const auto action = [&](T& object) {
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
            return (object.*method)(a.x[1 + i]...);
        }(std::make_index_sequence<count>());
    };
    if constexpr (is_active) {
        return on_active<T>(caller, a, right, a.x[1 + count], action);
    } else {
        return on_any<T>(caller, a, right, a.x[1 + count], action);
    }
}

/// Rows of a table: a method of an active object, and of one in any state.
template <auto method, std::uint32_t right>
inline constexpr Handler active = entry<call_method<method, right, true>>;
template <auto method, std::uint32_t right>
inline constexpr Handler any_state = entry<call_method<method, right, false>>;

/// A row of a table: x0 active object, x1 VIC, x2 interrupt, x3 zero.
template <auto method, std::uint32_t right>
inline constexpr Handler bind_virq = entry<[](Vcpu& caller, Arguments a) {
    using T = MethodParts<decltype(method)>::Object;
    return bind_source<T>(caller, a, right, a.x[3], [](T& object, Vic& vic, VirqInfo info) {
        return (object.*method)(vic, info);
    });
}>;

} // namespace hyp
