// SPDX-License-Identifier: BSD-3-Clause
// Tests of the manual page and of the completion, which bash itself runs.
#include "app/manual.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <regex>
#include <set>
#include <sstream>

#include <unistd.h>

#include "app/options.hpp"

namespace vmm {
namespace {

std::string printed(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "gunyah");
    const Request request = parse_options(static_cast<int>(arguments.size()), arguments.data());
    const EarlyExit early = std::get<EarlyExit>(request);
    EXPECT_EQ(early.status, ExitStatus::powered_off);
    return early.text;
}

// The commands that help names, each at the beginning of a line.
std::set<std::string> commands() {
    std::set<std::string> names;
    std::istringstream help{printed({"--help"})};
    bool listed = false;
    for (std::string line; std::getline(help, line);) {
        if (listed && line.starts_with("  ") && line[2] != ' ') {
            names.insert(line.substr(2, line.find(' ', 2) - 2));
        }
        listed = listed || line.starts_with("Subcommands");
    }
    EXPECT_TRUE(names.contains("run") && names.contains("doctor"));
    return names;
}

std::set<std::string> options(const std::string& command) {
    const std::string help = printed({command.c_str(), "--help"});
    std::set<std::string> names;
    const std::regex option{"\n  (?:-h,)?(--[a-z-]+)"};
    for (auto found = std::sregex_iterator{help.begin(), help.end(), option};
         found != std::sregex_iterator{}; ++found) {
        names.insert((*found)[1]);
    }
    EXPECT_TRUE(names.contains("--help")) << help;
    return names;
}

std::string without_backslashes(std::string text) {
    std::erase(text, '\\');
    return text;
}

// What bash offers for `typed`, whose last word is not finished.
std::string offered(const std::string& typed) {
    // CTest runs the cases at the same time.
    const std::string script =
        testing::TempDir() + "/gunyah-completion-" + std::to_string(::getpid()) + ".bash";
    std::FILE* file = std::fopen(script.c_str(), "w");
    std::fputs(printed({"completion"}).c_str(), file);
    std::fclose(file);
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + typed +
                                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gunyah; "
                                "printf \"%s \" \"${COMPREPLY[@]}\"'";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    std::string output;
    std::array<char, 4096> part;
    while (std::fgets(part.data(), part.size(), pipe) != nullptr) {
        output += part.data();
    }
    EXPECT_EQ(::pclose(pipe), 0);
    std::remove(script.c_str());
    return output;
}

TEST(Manual, HasWhatHelpHas) {
    const std::string page = without_backslashes(printed({"manual"}));
    for (const std::string& command : commands()) {
        EXPECT_NE(page.find(".SS \"gunyah " + command + "\""), std::string::npos) << command;
        for (const std::string& option : options(command)) {
            EXPECT_NE(page.find("fB" + option + "fR"), std::string::npos) << option;
        }
    }
    EXPECT_NE(page.find("3 the guest asked for a reboot"), std::string::npos);
    EXPECT_TRUE(page.starts_with(".TH GUNYAH 1"));
}

TEST(Manual, TheVersionIsOneLine) {
    EXPECT_TRUE(std::regex_match(printed({"--version"}), std::regex{"gunyah [0-9.]+\n"}));
}

TEST(Completion, CompletesEveryCommandAndOption) {
    const std::string all = " " + offered("gunyah \"\"");
    for (const std::string& command : commands()) {
        EXPECT_NE(all.find(" " + command + " "), std::string::npos) << command;
        const std::string known = " " + offered("gunyah " + command + " --");
        for (const std::string& option : options(command)) {
            EXPECT_NE(known.find(" " + option + " "), std::string::npos) << command << option;
        }
    }
    EXPECT_EQ(offered("gunyah run --ker"), "--kernel ");
    EXPECT_EQ(offered("gunyah do"), "doctor ");
}

TEST(Completion, CompletesFileNames) {
    EXPECT_EQ(offered("gunyah run --kernel /etc/host"), offered("gunyah run /etc/host"));
    EXPECT_NE(offered("gunyah run --kernel /etc/host").find("/etc/hosts"), std::string::npos);
    EXPECT_NE(offered("gunyah run --disk path = /etc/hosts").find("/etc/hosts"), std::string::npos);
}

} // namespace
} // namespace vmm
