// SPDX-License-Identifier: BSD-3-Clause
// Ref<T>: a counted reference to an object; the only way to keep one alive.
#pragma once

#include "heap/heap.hpp"
#include "object/object.hpp"

#include <concepts>
#include <cstddef>
#include <utility>

namespace hyp {

/// Holds one reference, or none. Copying takes another, destruction drops it.
template <typename T>
class Ref {
public:
    Ref() = default;
    Ref(std::nullptr_t) {}
    /// Shares an object that someone else's reference keeps alive right now.
    explicit Ref(T& object) : object_(&object) { object_->acquire_reference(); }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_ != nullptr) {
            object_->acquire_reference();
        }
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    /// A Ref<Derived> is a Ref<Base>.
    template <typename U>
        requires std::convertible_to<U*, T*>
    Ref(Ref<U> other) : object_(other.detach()) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() { clear(); }

    /// Takes over a reference that the caller owned.
    static Ref adopt(T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }
    /// Shares an object that may be on its way to destruction: then the Ref is empty. The caller
    /// holds a lock without which the object's on_destroy() cannot finish.
    static Ref try_share(T& object) {
        return object.try_acquire_reference() ? adopt(&object) : Ref();
    }
    /// Gives the reference to the caller, who must release it.
    [[nodiscard]] T* detach() { return std::exchange(object_, nullptr); }
    void clear() {
        if (T* object = detach(); object != nullptr) {
            object->release_reference();
        }
    }

    [[nodiscard]] T* get() const { return object_; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    bool operator==(const Ref& other) const { return object_ == other.object_; }

private:
    T* object_ = nullptr;
};

/// A new object in state init with one reference; an empty Ref if memory is short.
template <typename T, typename... Args>
[[nodiscard]] Ref<T> make_object(Args&&... args) {
    return Ref<T>::adopt(heap().create<T>(std::forward<Args>(args)...));
}

} // namespace hyp
