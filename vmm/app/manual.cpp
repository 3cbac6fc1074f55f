// SPDX-License-Identifier: BSD-3-Clause
// manual_page() and bash_completion(): a walk over CLI11's commands and options.
#include "app/manual.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmm {
namespace {

// Text as man(7) takes it: no line begins with a control character, dashes can be searched for.
std::string roff(std::string_view text) {
    std::string result;
    bool line_begins = true;
    for (const char character : text) {
        if (line_begins && (character == '.' || character == '\'')) {
            result += "\\&";
        }
        if (character == '-' || character == '\\') {
            result += '\\';
        }
        result += character == '\\' ? 'e' : character;
        line_begins = character == '\n';
    }
    return result;
}

// Around what depends on the commands and options.
constexpr const char* script_begin = R"script(# For bash: eval "$(gunyah completion)"
_gunyah() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=
)script";
constexpr const char* script_end = R"script(
        COMPREPLY=($(compgen -f -- "${word#=}"))
        return ;;
    esac
    case $COMP_CWORD.${COMP_WORDS[1]}.$word in
    1.*) COMPREPLY=($(compgen -W "$commands" -- "$word")) ;;
    *.-*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *.run.*) COMPREPLY=($(compgen -f -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$(gunyah list 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$word")) ;;
    esac
}
complete -o filenames -F _gunyah gunyah
)script";

std::vector<const CLI::App*> commands(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> options(const CLI::App& command) {
    return command.get_options([](const CLI::Option*) { return true; });
}

// "--disk" of an option, "NAME" of an argument.
std::string name_of(const CLI::Option& option) {
    return option.get_lnames().empty() ? option.get_name() : "--" + option.get_lnames().front();
}

std::string describe(const CLI::App& command) {
    std::string text = fmt::format(".SS \"gunyah {}\"\n{}\n", roff(command.get_name()),
                                   roff(command.get_description()));
    for (const CLI::Option* option : options(command)) {
        text += fmt::format(".TP\n\\fB{}\\fR {}\n{}\n", roff(name_of(*option)),
                            roff(option->get_type_name()), roff(option->get_description()));
    }
    return text;
}

std::vector<std::string> long_options(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : options(command)) {
        if (!option->get_lnames().empty()) {
            names.push_back(name_of(*option));
        }
    }
    return names;
}

// Those whose value is a file's name, or begins with one.
std::vector<std::string> file_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : commands(app)) {
        for (const CLI::Option* option : options(*command)) {
            const std::string type = option->get_type_name();
            const bool takes_file =
                type.find("FILE") != std::string::npos || type.find("DIR") != std::string::npos;
            if (takes_file && !option->get_lnames().empty()) {
                names.push_back(name_of(*option));
            }
        }
    }
    return names;
}

} // namespace

std::string manual_page(const CLI::App& app) {
    std::string text = fmt::format(".TH GUNYAH 1 \"\" \"Gunyah in C++\" \"User Commands\"\n"
                                   ".SH NAME\ngunyah \\- {}\n"
                                   ".SH SYNOPSIS\n\\fBgunyah\\fR COMMAND [OPTION...]\n"
                                   ".SH COMMANDS\n",
                                   roff(app.get_description()));
    for (const CLI::App* command : commands(app)) {
        text += describe(*command);
    }
    text += ".SH NOTES\n";
    for (const CLI::App* command : commands(app)) {
        if (!command->get_footer().empty()) {
            text += fmt::format(".nf\n{}\n.fi\n", roff(command->get_footer()));
        }
    }
    return text + ".SH FILES\n.TP\n/run/gunyah, or gunyah in $XDG_RUNTIME_DIR\n"
                  "the control socket of each VM that runs\n";
}

std::string bash_completion(const CLI::App& app) {
    std::vector<std::string> names;
    std::string cases;
    for (const CLI::App* command : commands(app)) {
        names.push_back(command->get_name());
        cases += fmt::format("    {}) options='{}' ;;\n", command->get_name(),
                             fmt::join(long_options(*command), " "));
    }
    return std::string{script_begin} +
           fmt::format("    local commands='{}'\n    case ${{COMP_WORDS[1]}} in\n{}    esac\n"
                       "    case $before in\n    =|{})",
                       fmt::join(names, " "), cases, fmt::join(file_options(app), "|")) +
           script_end;
}

} // namespace vmm
