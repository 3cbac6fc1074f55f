// SPDX-License-Identifier: BSD-3-Clause
// Tests of the command line.
#include "app/options.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace vmm {
namespace {

Request parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "gunyah");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}
RunOptions accepted(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* early = std::get_if<EarlyExit>(&parsed); early != nullptr) {
        ADD_FAILURE() << early->text;
        return {};
    }
    return std::get<RunOptions>(parsed);
}
EarlyExit ended(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (std::holds_alternative<RunOptions>(parsed)) {
        ADD_FAILURE() << "was accepted";
        return {ExitStatus::powered_off, ""};
    }
    return std::get<EarlyExit>(parsed);
}
void expect_complaint(const std::vector<const char*>& arguments, const std::string& part) {
    const EarlyExit early = ended(arguments);
    EXPECT_EQ(early.status, ExitStatus::usage_error);
    EXPECT_NE(early.text.find(part), std::string::npos) << early.text;
    EXPECT_EQ(std::ranges::count(early.text, '\n'), 1) << early.text; // one sentence, one line
}

TEST(Options, OnlyTheKernelIsNeeded) {
    const RunOptions options = accepted({"run", "--kernel", "Image"});
    EXPECT_EQ(options.name, "");
    EXPECT_EQ(options.kernel, "Image");
    EXPECT_EQ(options.initrd, "");
    EXPECT_EQ(options.command_line, "console=ttyAMA0");
    EXPECT_EQ(options.cpus, 1U);
    EXPECT_EQ(options.memory, 256U << 20);
    EXPECT_TRUE(options.disks.empty());
    EXPECT_TRUE(options.consoles.empty());
    EXPECT_EQ(consoles_of(options).at(0).to, "stdio");
}

TEST(Options, AllOfThem) {
    const RunOptions options = accepted({"run",       "--name",
                                         "web-1",     "--kernel=Image",
                                         "--initrd",  "initrd",
                                         "--cmdline", "console=hvc0 a=b",
                                         "--cpus",    "4",
                                         "--mem",     "1G",
                                         "--disk",    "a.img",
                                         "--disk",    "b,,c.img,ro",
                                         "--disk",    "id=x,path=d=e.img,ro=no",
                                         "--console", "pty"});
    EXPECT_EQ(options.name, "web-1");
    EXPECT_EQ(options.initrd, "initrd");
    EXPECT_EQ(options.command_line, "console=hvc0 a=b");
    EXPECT_EQ(options.cpus, 4U);
    EXPECT_EQ(options.memory, 1U << 30);
    ASSERT_EQ(options.disks.size(), 3U);
    EXPECT_EQ(options.disks[0].path, "a.img");
    EXPECT_FALSE(options.disks[0].read_only);
    EXPECT_EQ(options.disks[1].path, "b,c.img");
    EXPECT_TRUE(options.disks[1].read_only);
    EXPECT_EQ(options.disks[2].path, "d=e.img");
    EXPECT_EQ(options.disks[2].id, "x");
    EXPECT_FALSE(options.disks[2].read_only);
    EXPECT_EQ(options.consoles.at(0).to, "pty");
}

TEST(Options, ADiskImageAlone) {
    const std::string folder = testing::TempDir() + "/gunyah-image-" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    const auto touch = [&](const char* name) {
        std::ofstream{folder + "/" + name} << "x";
        return folder + "/" + name;
    };
    const std::string image = touch("debian.qcow2");
    expect_complaint({"run", image.c_str()}, "there is no kernel beside it; put one there as "
                                             "debian.vmlinuz");
    EXPECT_EQ(accepted({"run", "--kernel", "K", image.c_str()}).initrd, "");
    const std::string plain = touch("vmlinuz");
    EXPECT_EQ(accepted({"run", image.c_str()}).kernel, plain);
    const std::string named = touch("debian.vmlinuz");
    const std::string initrd = touch("debian.initrd");
    const RunOptions options = accepted({"run", image.c_str(), "--disk", "b.img"});
    EXPECT_EQ(options.kernel, named);
    EXPECT_EQ(options.initrd, initrd);
    EXPECT_EQ(options.command_line, "console=ttyAMA0 root=/dev/vda");
    ASSERT_EQ(options.disks.size(), 2U);
    EXPECT_EQ(options.disks[0].path, image);
    EXPECT_EQ(accepted({"run", image.c_str(), "--cmdline", "quiet"}).command_line, "quiet");
    std::filesystem::remove_all(folder);
}

TEST(Options, SharedDirectories) {
    const RunOptions options =
        accepted({"run", "--kernel", "Image", "--share", "path=/a,tag=x,ro", "--share", "/b"});
    ASSERT_EQ(options.shares.size(), 2U);
    EXPECT_EQ(options.shares[0].path, "/a");
    EXPECT_EQ(options.shares[0].tag, "x");
    EXPECT_TRUE(options.shares[0].read_only);
    EXPECT_EQ(options.shares[1].path, "/b");
    EXPECT_FALSE(options.shares[1].read_only);
    expect_complaint({"run", "--kernel", "Image", "--share", "tag=x"}, "it needs a directory");
    expect_complaint({"run", "--kernel", "Image", "--share", "/a,tag=x", "--share", "/b,tag=x"},
                     "its tag 'x' stands there twice");
    const std::string long_tag = "/a,tag=" + std::string(256, 'x');
    expect_complaint({"run", "--kernel", "Image", "--share", long_tag.c_str()}, "255 bytes");
}

TEST(Options, Networks) {
    const RunOptions options = accepted(
        {"run", "--kernel", "Image", "--net", "passt,forward=tcp:2222:22,forward=udp:53:53",
         "--net", "tap=tap0,mac=02:00:00:00:00:07", "--net", "tap,tap=tap1"});
    ASSERT_EQ(options.nets.size(), 3U);
    EXPECT_EQ(options.nets[0].backend, "passt");
    EXPECT_EQ(options.nets[0].forwards, (std::vector<std::string>{"tcp:2222:22", "udp:53:53"}));
    EXPECT_EQ(options.nets[1].tap, "tap0");
    EXPECT_EQ(options.nets[1].mac, "02:00:00:00:00:07");
    EXPECT_EQ(options.nets[2].tap, "tap1");
    const auto refuse = [](const char* net, const std::string& why) {
        expect_complaint({"run", "--kernel", "Image", "--net", net}, why);
    };
    refuse("bridge", "'bridge' is no network known here; use passt or tap=DEVICE");
    refuse("tap", "write --net tap=DEVICE");
    refuse("passt,tap=tap0", "a tap device is named for tap, and only for it");
    refuse("tap=a/b", "'a/b' is no name of a network device");
    refuse("tap=abcdefghijklmnop", "is no name of a network device");
    refuse("tap=tap0,forward=tcp:1:1", "a tap device needs none");
    refuse("mac=02:00", "'02:00' is no address of a network device");
    refuse("mac=01:00:00:00:00:00", "is no address of a network device");
    refuse("forward=22", "'22' is no port to forward; write tcp:HOSTPORT:PORT");
    refuse("speed=9", "known here: backend, tap, mac, forward");
    std::vector<const char*> many{"run", "--kernel", "Image"};
    for (int count = 0; count < 9; ++count) {
        many.insert(many.end(), {"--net", "passt"});
    }
    expect_complaint(many, "9 network devices are too many; a guest has at most 8");
}

TEST(Options, Vsock) {
    EXPECT_TRUE(accepted({"run", "--kernel", "Image"}).vsocks.empty());
    const RunOptions options = accepted({"run", "--kernel", "Image", "--vsock", "42,path=/tmp/v"});
    ASSERT_EQ(options.vsocks.size(), 1U);
    EXPECT_EQ(options.vsocks[0].cid, 42U);
    EXPECT_EQ(options.vsocks[0].path, "/tmp/v");
    expect_complaint({"run", "--kernel", "Image", "--vsock", "2"}, "2 is no CID for a guest");
    expect_complaint({"run", "--kernel", "Image", "--vsock", "4294967295"}, "is no CID");
    expect_complaint({"run", "--kernel", "Image", "--vsock", "x"}, "--vsock.cid: 'x'");
    expect_complaint({"run", "--kernel", "Image", "--vsock", "3", "--vsock", "4"},
                     "a guest has only one");
}

TEST(Options, AWatchdogIsThereWhenAskedFor) {
    EXPECT_FALSE(accepted({"run", "--kernel", "Image"}).watchdog);
    EXPECT_TRUE(accepted({"run", "--kernel", "Image", "--watchdog"}).watchdog);
}

TEST(Options, HelpIsNoError) {
    const EarlyExit early = ended({"run", "--help"});
    EXPECT_EQ(early.status, ExitStatus::powered_off);
    EXPECT_NE(early.text.find("--disk"), std::string::npos);
    EXPECT_NE(early.text.find("Examples:"), std::string::npos);
    EXPECT_NE(early.text.find("3 the guest asked for a reboot"), std::string::npos);
    EXPECT_EQ(ended({"--help"}).status, ExitStatus::powered_off);
}

TEST(Options, ComplainsInOneSentence) {
    expect_complaint({}, "subcommand is required");
    expect_complaint({"run"}, "--kernel is required");
    expect_complaint({"frobnicate"}, "subcommand is required");
    expect_complaint({"run", "--kernel", "Image", "--frobnicate"}, "--frobnicate");
    expect_complaint({"run", "--kernel", "Image", "--name", "a/b"}, "'a/b' is no name for a VM");
    expect_complaint({"run", "--kernel", "Image", "--name", ".hidden"}, "--name");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "0"}, "--cpus: 0 is not from 1 to 16");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "17"}, "--cpus");
    expect_complaint({"run", "--kernel", "Image", "--cpus", "two"}, "--cpus: 'two'");
    expect_complaint({"run", "--kernel", "Image", "--mem", "256"}, "needs a unit");
    expect_complaint({"run", "--kernel", "Image", "--mem", "33M"}, "multiple of 2M");
    expect_complaint({"run", "--kernel", "Image", "--mem", "2M"}, "16M");
    expect_complaint({"run", "--kernel", "Image", "--mem", "2000G"}, "1024G");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a.img,rw"},
                     "--disk.rw: there is no such key; known here: path, ro, format, id");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a.img", "--disk", "b,ro=maybe"},
                     "--disk[1].ro: \"maybe\" is neither yes nor no");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a,path=b"},
                     "'path' stands there twice");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a,id=123456789012345678901"},
                     "20 bytes");
    expect_complaint({"run", "--kernel", "Image", "--disk", "\xff,\xfe"}, "there is no such key");
    expect_complaint({"run", "--kernel", "Image", "--disk", "a,format=vmdk"}, "use raw or qcow2");
    expect_complaint({"run", "--kernel", "Image", "stray"}, "stray");
    expect_complaint({"run", "--kernel", "Image", "--console", ""}, "at one place");
    expect_complaint({"run", "--kernel", "Image", "--console", "pty,file=x"}, "at one place");
    expect_complaint({"run", "--kernel", "Image", "--console", "pty,name=x"}, "has no name");
    expect_complaint({"run", "--kernel", "Image", "--console", "stdio", "--console", "stdio"},
                     "cannot share stdio");
    expect_complaint({"run", "--kernel", "Image", "--console", "pty", "--console", "none,name=a",
                      "--console", "none,name=a"},
                     "'a' is the name of two");
    expect_complaint({"run", "--kernel", "Image", "--console", "pty", "--console", "pty,name=a/b"},
                     "'a/b' is no name for a stream");
    expect_complaint({"run", "--config", "/nonexistent/vm.json"}, "/nonexistent/vm.json");
    expect_complaint({"list", "x"}, "x");
    expect_complaint({"stop", "a", "--timeout", "0"}, "--timeout");
    expect_complaint({"info", "a", "--force"}, "--force");
}

TEST(Options, TheSandboxIsOnUnlessItIsTurnedOff) {
    EXPECT_TRUE(accepted({"run", "--kernel", "Image"}).sandbox);
    const RunOptions options =
        accepted({"run", "--kernel", "Image", "--no-sandbox", "--user", "1234"});
    EXPECT_FALSE(options.sandbox);
    EXPECT_EQ(options.user, "1234");
}

TEST(Options, CommandsForRunningVms) {
    const auto command = [](const std::vector<const char*>& arguments) {
        return std::get<ControlCommand>(parse(arguments));
    };
    EXPECT_EQ(command({"doctor"}).kind, ControlCommand::Kind::doctor);
    EXPECT_EQ(command({"list"}).kind, ControlCommand::Kind::list);
    EXPECT_EQ(command({"pause"}).name, "");
    const ControlCommand stop = command({"stop", "web", "--timeout", "5"});
    EXPECT_EQ(stop.kind, ControlCommand::Kind::stop);
    EXPECT_EQ(stop.name, "web");
    EXPECT_FALSE(stop.force);
    EXPECT_EQ(stop.timeout_seconds, 5U);
    EXPECT_TRUE(command({"stop", "--force"}).force);
    const ControlCommand console = command({"console", "web", "--console", "org.agent"});
    EXPECT_EQ(console.kind, ControlCommand::Kind::console);
    EXPECT_EQ(console.console, "org.agent");
    EXPECT_EQ(command({"console"}).console, "0");
}

class ConfigFile : public testing::Test {
protected:
    ConfigFile() { ::close(::mkstemp(path.data())); }
    ~ConfigFile() override { std::filesystem::remove(path); }
    void write(const std::string& text) const { std::ofstream{path} << text; }

    std::string path = testing::TempDir() + "/gunyah-config-XXXXXX";
};

TEST_F(ConfigFile, IsOverruledByTheCommandLine) {
    write(R"({"kernel": "Image", "cpus": 2, "mem": "64M", "disk": [{"path": "a", "ro": true}]})");
    const RunOptions options =
        accepted({"run", "--config", path.c_str(), "--cpus", "3", "--disk", "b"});
    EXPECT_EQ(options.kernel, "Image");
    EXPECT_EQ(options.cpus, 3U);
    EXPECT_EQ(options.memory, 64U << 20);
    ASSERT_EQ(options.disks.size(), 2U);
    EXPECT_TRUE(options.disks[0].read_only);
    EXPECT_EQ(options.disks[1].path, "b");
}

TEST_F(ConfigFile, PrintedIsReadBackTheSame) {
    const std::vector<const char*> words{"run",
                                         "--kernel",
                                         "a \"b\"",
                                         "--mem",
                                         "98M",
                                         "--disk",
                                         "x,,y,ro",
                                         "--name",
                                         "n",
                                         "--cpus",
                                         "7",
                                         "--cmdline",
                                         "quiet",
                                         "--console",
                                         "pty",
                                         "--console",
                                         "socket=/tmp/s,name=org.agent"};
    std::vector<const char*> printing = words;
    printing.push_back("--print-config");
    const EarlyExit printed = ended(printing);
    EXPECT_EQ(printed.status, ExitStatus::powered_off);
    write(printed.text);
    EXPECT_EQ(ended({"run", "--config", path.c_str(), "--print-config"}).text, printed.text);
}

TEST_F(ConfigFile, ErrorsNameTheFileAndThePlace) {
    const auto expect = [&](const std::string& text, const std::string& part) {
        write(text);
        expect_complaint({"run", "--config", path.c_str()}, path);
        expect_complaint({"run", "--config", path.c_str()}, part);
    };
    expect("{\n\"kernel\": \"a\",\n\"cpus\": }", "line 3 is not valid JSON");
    expect("", "not valid JSON");
    expect("{\"cpus\": 2e999}", "a number in it is too large");
    expect("[]", "where an object must");
    expect(R"({"kernel": 3})", "kernel: 3 is not a text");
    expect(R"({"kernel": "a", "cpus": -1})", "cpus: '-1' is not a number");
    expect(R"({"kernel": "a", "cpus": 1.5})", "cpus: '1.5'");
    expect(R"({"kernel": "a", "mem": 256})", "needs a unit");
    expect(R"({"kernel": "a", "disk": 7})", "disk: 7 is not a list");
    expect(R"({"kernel": "a", "disk": [{"path": "x"}, {"paht": "y"}]})", "disk[1].paht: there");
    expect(R"({"kernel": "a", "disk": [7]})", "where an object must");
    expect(R"({"kernel": "a", "memory": "1G"})", "memory: there is no such key; known here: name");
}

} // namespace
} // namespace vmm
