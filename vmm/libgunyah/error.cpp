// SPDX-License-Identifier: BSD-3-Clause
// Error: builds the sentence and classifies errno values.
#include "libgunyah/error.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace gunyah {
namespace {

ErrorKind kind_of(int error_number) {
    switch (error_number) {
    case EINVAL:
    case EISDIR:
    case EOVERFLOW:
    case EEXIST:
        return ErrorKind::invalid_input;
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return ErrorKind::not_found;
    case EACCES:
    case EPERM:
        return ErrorKind::permission_denied;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
        return ErrorKind::no_resources;
    case EBUSY:
    case EAGAIN:
        return ErrorKind::busy;
    case EOPNOTSUPP:
    case ENOTTY:
    case ENOSYS:
        return ErrorKind::unsupported;
    default:
        return ErrorKind::failed;
    }
}

} // namespace

Error::Error(ErrorKind kind, const std::string& failed, const std::string& why,
             const std::string& advice)
    : kind_{kind},
      sentence_{fmt::format("{}: {}{}{}", failed, why, advice.empty() ? "" : "; ", advice)} {}

Error Error::from_errno(int error_number, const std::string& failed, const std::string& why,
                        const std::string& advice) {
    Error error{kind_of(error_number), failed, why.empty() ? std::strerror(error_number) : why,
                advice};
    const char* name = ::strerrorname_np(error_number);
    error.error_number_ = error_number;
    error.sentence_ += fmt::format(" [{} {}]", name != nullptr ? name : "errno", error_number);
    return error;
}

} // namespace gunyah
