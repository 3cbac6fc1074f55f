// SPDX-License-Identifier: BSD-3-Clause
// Clang's thread-safety attributes under short names; they vanish with other compilers.
#pragma once

#if defined(__clang__)
#define RT_THREAD_ATTRIBUTE(...) __attribute__((__VA_ARGS__))
#else
#define RT_THREAD_ATTRIBUTE(...)
#endif

#define RT_CAPABILITY(name) RT_THREAD_ATTRIBUTE(capability(name))
#define RT_SCOPED_CAPABILITY RT_THREAD_ATTRIBUTE(scoped_lockable)
#define RT_GUARDED_BY(lock) RT_THREAD_ATTRIBUTE(guarded_by(lock))
#define RT_REQUIRES(...) RT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define RT_EXCLUDES(...) RT_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define RT_ACQUIRE(...) RT_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RT_RELEASE(...) RT_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RT_NO_ANALYSIS RT_THREAD_ATTRIBUTE(no_thread_safety_analysis)
