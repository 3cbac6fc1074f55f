// SPDX-License-Identifier: BSD-3-Clause
// Error: why something could not be done, as one sentence with the system's error in brackets.
#pragma once

#include <exception>
#include <string>

namespace gunyah {

// What a caller can react to; the sentence in what() is for people.
enum class ErrorKind {
    invalid_input,     // a file, size or option does not describe a possible VM
    not_found,         // a file or device does not exist
    permission_denied, // the process may not do this
    no_resources,      // memory, descriptors or hypervisor objects ran out
    busy,              // somebody else holds it
    unsupported,       // the hypervisor or driver does not offer it
    failed,            // anything else
};

// Thrown while a VM is set up. Conditions that a guest causes never throw.
class Error : public std::exception {
public:
    // The sentence reads "<failed>: <why>; <advice>". `advice` may be empty.
    Error(ErrorKind kind, const std::string& failed, const std::string& why,
          const std::string& advice);

    // As above for a failed system call: the kind follows from `error_number`, an empty `why` is
    // replaced by the system's text, and the sentence ends in "[ENAME number]".
    static Error from_errno(int error_number, const std::string& failed,
                            const std::string& why = {}, const std::string& advice = {});

    [[nodiscard]] const char* what() const noexcept override { return sentence_.c_str(); }
    [[nodiscard]] ErrorKind kind() const { return kind_; }
    // The errno behind this error, 0 if there is none.
    [[nodiscard]] int error_number() const { return error_number_; }

private:
    ErrorKind kind_;
    int error_number_ = 0;
    std::string sentence_;
};

} // namespace gunyah
