// SPDX-License-Identifier: BSD-3-Clause
// Runs the table of calls, in both call forms, each case with objects of its own.
#include "call_row.hpp"

namespace root {

namespace {

alignas(8) std::array<std::byte, 256> memory;

/// What is wrong with one argument.
enum class Wrong { nothing, null, revoked, type, right, state, reserved };

struct Case {
    const Row* row;
    Wrong wrong = Wrong::nothing;
    unsigned argument = 0;
    std::uint32_t right = 0;
};

const char* words(Wrong wrong) {
    constexpr const char* all[] = {"as it should be",     "no capability",     "revoked",
                                   "another object type", "one right missing", "other object state",
                                   "reserved argument"};
    return all[static_cast<unsigned>(wrong)];
}

std::uint64_t revoked_copy(std::uint64_t cap) {
    const std::uint64_t copy = with_rights(cap, GH_RIGHTS_ALL);
    (void)call(GH_CSPACE_REVOKE_CAP_FROM, boot->cspace_cap, copy);
    return copy;
}

std::uint64_t capability(const Argument& argument, Wrong wrong, std::uint32_t missing) {
    const State other = argument.state == State::init ? State::active : State::init;
    switch (wrong) {
    case Wrong::null:
        return 0x1230000;
    case Wrong::type:
        return make(argument.kind == Kind::doorbell ? Kind::vpm_group : Kind::doorbell);
    case Wrong::state:
        return make(argument.kind, other);
    default:
        break;
    }
    const std::uint64_t cap = make(argument.kind, argument.state);
    if (wrong == Wrong::revoked) {
        return revoked_copy(cap);
    }
    if (wrong == Wrong::right) {
        return with_rights(cap, ~missing);
    }
    return argument.rights == 0 ? cap : with_rights(cap, argument.rights); // and no other right
}

std::uint64_t value_of(const Argument& argument, Wrong wrong, std::uint32_t missing) {
    switch (argument.type) {
    case Argument::Type::reserved:
        return wrong == Wrong::reserved ? argument.value + 1 : argument.value;
    case Argument::Type::capability:
        return capability(argument, wrong, missing);
    case Argument::Type::buffer:
        return reinterpret_cast<std::uintptr_t>(memory.data());
    case Argument::Type::sparse_offset:
        return sparse_offset() + sparse_pages * page_size; // made by an argument before
    case Argument::Type::ram_base:
        return ram_base() + argument.value;
    default:
        return argument.value;
    }
}

std::int64_t expected(const Case& c) {
    switch (c.wrong) {
    case Wrong::null:
        return GH_ERROR_CSPACE_CAP_NULL;
    case Wrong::revoked:
        return GH_ERROR_CSPACE_CAP_REVOKED;
    case Wrong::type:
        return GH_ERROR_CSPACE_WRONG_OBJ_TYPE;
    case Wrong::right:
        return GH_ERROR_CSPACE_INSUF_RIGHTS;
    case Wrong::state:
        return GH_ERROR_OBJECT_STATE;
    case Wrong::reserved:
        return GH_ERROR_ARG_INVAL;
    default:
        return c.row->expected;
    }
}

void try_case(const Case& c) {
    for (const Form form : {Form::native, Form::smccc}) {
        Registers registers{};
        for (unsigned i = 0; i < registers.size(); ++i) {
            const Wrong wrong = i == c.argument ? c.wrong : Wrong::nothing;
            registers[i] = value_of(c.row->arguments[i], wrong, c.right);
        }
        const Registers results = call(form, c.row->number, registers);
        if (error_of(results) != expected(c)) {
            fail("{}, argument {}: {}{}: error {}, expected {}",
                 form == Form::native ? "native" : "SMCCC", c.argument, words(c.wrong),
                 c.row->what != nullptr ? c.row->what : "", error_of(results), expected(c));
        }
        clean_up();
    }
}

void try_capability(Case c) {
    const Argument& argument = c.row->arguments[c.argument];
    const auto with = [&](Wrong wrong, std::uint32_t right = 0) {
        try_case({c.row, wrong, c.argument, right});
    };
    with(Wrong::null);
    if (!argument.revoked_too) {
        with(Wrong::revoked);
    }
    if (!argument.any_type) {
        with(Wrong::type);
    }
    if (!argument.any_state) {
        with(Wrong::state);
    }
    for (std::uint32_t right = 1; right != 0; right <<= 1) {
        if ((argument.rights & right) != 0) {
            with(Wrong::right, right);
        }
    }
}

void try_row(const Row& row) {
    try_case({&row});
    if (row.what != nullptr) {
        return;
    }
    for (unsigned i = 0; i < row.arguments.size(); ++i) {
        if (row.arguments[i].type == Argument::Type::reserved) {
            try_case({&row, Wrong::reserved, i});
        } else if (row.arguments[i].type == Argument::Type::capability) {
            try_capability({&row, Wrong::nothing, i});
        }
    }
}

/// A call's row and the further ones behind it.
void try_call(const void* first) {
    const auto rows = *static_cast<const std::span<const Row>*>(first);
    for (const Row& row : rows) {
        if (row.number != rows.front().number) {
            break;
        }
        try_row(row);
    }
}

} // namespace

void run_call_table() {
    for (const auto table :
         {object_rows(), communication_rows(), memory_rows(), vcpu_rows(), device_rows()}) {
        for (std::size_t i = 0; i < table.size(); ++i) {
            if (table[i].what == nullptr) {
                const auto rest = table.subspan(i);
                run("call", table[i].name, try_call, &rest);
            }
        }
    }
}

} // namespace root
