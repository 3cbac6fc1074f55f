// SPDX-License-Identifier: BSD-3-Clause
// Many threads that do at random what the ioctls allow and what they do not, until they are killed.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "cases.hpp"
#include "faults.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"
#include "stress.hpp"

namespace driver {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t threads = 4;
constexpr std::size_t slots = 4;
constexpr std::uint32_t rounds = 24;

// What the threads share, in the process that is going to be killed. Descriptors are closed under
// the hands of others, on purpose; numbers are used again, so that one hits another's.
class Playground {
public:
    Playground() {
        for (Mapping& memory : memories_) {
            write_tree(memory.bytes().subspan(tree_offset, tree_size), {.base = guest_base});
        }
    }

    void play(std::uint32_t seed, bool failing) {
        std::mt19937 random{seed};
        if (failing) {
            fail_my_allocations();
        }
        for (;;) {
            step(random);
        }
    }

private:
    static constexpr std::uint64_t tree_offset = 0x100000;
    static constexpr std::uint64_t tree_size = 0x10000;

    using Random = std::mt19937;

    static std::uint32_t below(Random& random, std::uint32_t limit) {
        return static_cast<std::uint32_t>(random()) % limit;
    }
    int vm(Random& random) { return vms_.at(below(random, slots)); }
    int vcpu(Random& random) { return vcpus_.at(below(random, slots)); }

    static void keep(std::atomic<int>& slot, long fd) {
        if (fd >= 0) {
            const int before = slot.exchange(static_cast<int>(fd));
            if (before >= 0) {
                ::close(before);
            }
        }
    }

    void step(Random& random) {
        switch (below(random, 10)) {
        case 0:
            keep(vms_.at(below(random, slots)), call(device_.get(), GH_CREATE_VM));
            break;
        case 1:
            give_memory(random);
            break;
        case 2:
            (void)set_tree(vm(random), guest_base + tree_offset, tree_size << below(random, 30));
            break;
        case 3:
            (void)start(vm(random));
            break;
        case 4:
            keep(vcpus_.at(below(random, slots)), add_vcpu(vm(random), below(random, 3)));
            break;
        case 5:
            run(random);
            break;
        case 6:
            change_events(random);
            break;
        case 7:
            break_something(random);
            break;
        case 8:
            close_one(random);
            break;
        default:
            start_all_of_it(random);
            break;
        }
    }

    void give_memory(Random& random) {
        const auto memory = memories_.at(below(random, slots)).bytes();
        const auto give = below(random, 4) == 0 ? lend_region : set_region;
        (void)give(vm(random), below(random, 2), guest_base, memory, below(random, 9));
    }

    void start_all_of_it(Random& random) {
        const int chosen = vm(random);
        (void)set_region(chosen, 0, guest_base, memories_.at(below(random, slots)).bytes());
        (void)set_tree(chosen, guest_base + tree_offset, tree_size);
        keep(vcpus_.at(below(random, slots)), add_vcpu(chosen, 0));
        (void)start(chosen);
    }

    // A guest without a program runs into nothing and is done; one never knows.
    void run(Random& random) {
        const int chosen = vcpu(random);
        void* page_of_it = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, chosen, 0);
        if (page_of_it != MAP_FAILED) {
            static_cast<gh_vcpu_run*>(page_of_it)->immediate_exit = below(random, 2) != 0;
        }
        (void)call(chosen, GH_VCPU_RUN);
        if (page_of_it != MAP_FAILED) {
            ::munmap(page_of_it, page);
        }
    }

    void change_events(Random& random) {
        const auto door =
            ioeventfd_for(event_.fd(), guest_device + 8 * below(random, 4), 4, below(random, 3));
        const auto bell = irqfd(event_.fd(), below(random, 4));
        const int chosen = vm(random);
        switch (below(random, 5)) {
        case 0:
            (void)add_function(chosen, GH_FN_IOEVENTFD, door);
            break;
        case 1:
            (void)remove_function(chosen, GH_FN_IOEVENTFD, door);
            break;
        case 2:
            (void)add_function(chosen, GH_FN_IRQFD, bell);
            break;
        case 3:
            (void)remove_function(chosen, GH_FN_IRQFD, bell);
            break;
        default:
            event_.signal();
            break;
        }
    }

    void break_something(Random& random) {
        std::array<std::uint32_t, 8> noise{};
        for (std::uint32_t& word : noise) {
            word = below(random, 2) != 0 ? below(random, 64) : static_cast<std::uint32_t>(random());
        }
        static constexpr std::array<unsigned long, 8> requests{
            GH_VM_SET_USER_MEM_REGION,   GH_VM_SET_DTB_CONFIG,
            GH_VM_ADD_FUNCTION,          GH_VM_REMOVE_FUNCTION,
            GH_VM_ANDROID_LEND_USER_MEM, GH_VM_ANDROID_SET_FW_CONFIG,
            GH_VM_CHECK_EXTENSION,       GH_VCPU_RUN};
        const unsigned long request = requests.at(below(random, 7));
        (void)call(vm(random), request, std::bit_cast<std::uintptr_t>(noise.data()));
        (void)call(vm(random), request, random());
        (void)remove_vcpu(vm(random), below(random, 3));
    }

    void close_one(Random& random) {
        const int before =
            (below(random, 2) != 0 ? vms_ : vcpus_).at(below(random, slots)).exchange(-1);
        if (before >= 0) {
            ::close(before);
        }
    }

    FileDescriptor device_ = open_device();
    gunyah::EventFd event_;
    std::array<Mapping, slots> memories_{Mapping::anonymous(2 * mebibyte),
                                         Mapping::anonymous(2 * mebibyte),
                                         Mapping::huge(2 * mebibyte), Mapping::huge(4 * mebibyte)};
    std::array<std::atomic<int>, slots> vms_{-1, -1, -1, -1};
    std::array<std::atomic<int>, slots> vcpus_{-1, -1, -1, -1};
};

[[noreturn]] void play_until_killed(std::uint32_t seed, bool failing) {
    Playground playground;
    std::array<std::jthread, threads> players;
    for (std::uint32_t i = 0; i < threads; ++i) {
        players.at(i) = std::jthread{
            [&playground, seed, i, failing] { playground.play(seed * 100 + i, failing); }};
    }
    for (;;) {
        ::pause();
    }
}

} // namespace

void play_random_games(bool failing) {
    const char* chosen = std::getenv("GUNYAH_STRESS_SEED");
    const std::uint32_t first = chosen != nullptr ? static_cast<std::uint32_t>(std::atoi(chosen))
                                                  : std::random_device{}() % 1'000'000;
    // At once: where the kernel dies of it, nothing else will tell.
    std::printf("GUNYAH_STRESS_SEED=%u\n", first);
    std::fflush(stdout);
    for (std::uint32_t seed = first; seed < first + rounds; ++seed) {
        std::mt19937 random{seed};
        const pid_t child = ::fork();
        if (child == 0) {
            play_until_killed(seed, failing);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{100 + random() % 1500});
        ::kill(child, SIGKILL);
        int status = 0;
        expect_equal(::waitpid(child, &status, 0), child, "waitpid");
        expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
               "seed " + std::to_string(seed) + ": it ended by itself");
    }
}

namespace {

void random_calls_of_many_threads() {
    play_random_games(false);
}

constexpr std::array cases{
    Case{"random_calls_of_many_threads", random_calls_of_many_threads},
};

} // namespace

std::span<const Case> stress_cases() {
    return cases;
}

} // namespace driver
