// SPDX-License-Identifier: BSD-3-Clause
// Three CPUs, a thread each, that run the vCPUs of four VMs, as the scheduler chooses them: what
// guests do to themselves and to each other is chosen at random. ThreadSanitizer looks for races;
// at the end every vCPU can be killed and nothing is left.
#include "hypercall/handler.hpp"
#include "interrupt/testing/guest_interface.hpp"
#include "ipc/doorbell.hpp"
#include "schedule/physical_interrupts.hpp"
#include "schedule/vm_fixture.hpp"

#include <atomic>
#include <chrono>
#include <random>
#include <span>
#include <thread>

namespace hyp {
namespace {

constexpr unsigned cpus = 3;
constexpr auto duration = std::chrono::seconds(4);
constexpr unsigned first_spi = 40;

class Cpus : public ScheduleTest {
protected:
    using Random = std::minstd_rand;

    void SetUp() override {
        ScheduleTest::SetUp();
        while (scheduler().cpu_count() < cpus) {
            scheduler().add_cpu(fake::MachineGic::affinity(scheduler().cpu_count()));
        }
        for (unsigned i = 0; i < vms_.size(); ++i) {
            vms_[i] = std::make_unique<TestVm>();
        }
        for (unsigned cpu = 0; cpu < cpus; ++cpu) { // the primary VM
            hosts_.push_back(vms_[0]->make_vcpu(cpu, {.cpu = cpu}));
            movable_.push_back(vms_[1]->make_vcpu(cpu, {.cpu = no_cpu, .priority = 32 + cpu / 2}));
        }
        for (unsigned i = 0; i < 2 * guest_vcpus; ++i) {
            TestVm& vm = *vms_[2 + i / guest_vcpus];
            auto vcpu = vm.make_vcpu(i % guest_vcpus, {.active = false});
            ASSERT_TRUE(vcpu->bind_virq(GH_VCPU_VIRQ_RUN_WAKEUP, *vms_[0]->vic,
                                        {.number = first_spi + i, .vcpu = 0}));
            ASSERT_TRUE(vcpu->activate());
            guests_.push_back(vcpu);
        }
        for (unsigned i = 0; i < vms_.size(); ++i) {
            open(*vms_[i]);
            bells_.push_back(make_object<Doorbell>());
            ASSERT_TRUE(bells_[i]->activate());
            ASSERT_TRUE(bells_[i]->bind(*vms_[i]->vic, {.number = first_spi + 20, .vcpu = 0}));
        }
        for (const auto* list : {&hosts_, &movable_, &guests_}) {
            all_.insert(all_.end(), list->begin(), list->end());
        }
        poked_ = all_;
        for (const auto& vcpu : all_) {
            ASSERT_TRUE(vcpu->power_on(0x8000, 0, 0));
        }
    }

    void TearDown() override {
        retire(all_);
        for (auto* list : {&hosts_, &movable_, &guests_, &all_}) {
            list->clear();
        }
        bells_.clear();
        for (auto& vm : vms_) {
            vm.reset();
        }
        ScheduleTest::TearDown();
    }

    /// All its shared interrupts are on.
    static void open(TestVm& vm) {
        vm.enable_group1();
        for (std::uint64_t word = 4; word <= 8; word += 4) {
            vm.write(0, 0x080 + word, ~0u); // GICD_IGROUPR
            vm.write(0, 0x100 + word, ~0u); // GICD_ISENABLER
        }
    }

    /// What happens on one CPU until all stop.
    void run(unsigned cpu) {
        on(cpu);
        fake::guest_hardware().on_idle = idle;
        Random random(seed_ + cpu);
        try {
            while (!stop) {
                (void)scheduler().resume();
                fake::guest_hardware().counter += random() % 20'000;
                act(scheduler().current(), random);
                exchange_interrupts();
                handle_physical_interrupts();
                ++steps_;
            }
        } catch (const Idle&) {
        }
    }

    /// A step of the vCPU that runs on this CPU.
    void act(Vcpu& self, Random& random) {
        const auto any = [&](const auto& list) -> const auto& {
            return list[random() % list.size()];
        };
        const bool is_host = &self.address_space() == vms_[0]->memory.get();
        switch (random() % 12) {
        case 0:
            return self.wait_for_interrupt(0);
        case 1:
            return self.proxy() ? self.begin_mmio({.ipa = 0x1000,
                                                   .value = 0,
                                                   .size = 4,
                                                   .target = 3,
                                                   .write = false,
                                                   .sign_extend = false,
                                                   .wide = false})
                                : scheduler().yield();
        case 2:
            return any(movable_)->set_affinity(random() % 2 == 0 ? no_cpu : random() % cpus);
        case 3:
            return any(all_)->virq_pending();
        case 4:
            (void)any(bells_)->send(1 + random() % 3);
            return;
        case 5:
            (void)any(bells_)->receive(3);
            return;
        case 6:
            (void)fake::GuestInterface(cpu_index()).handle_all();
            return;
        case 7: // GICD_ISPENDR1 of some VM
            return any(vms_)->write(0, 0x204, 1u << random() % 32);
        case 8: // and GICD_ICENABLER1, GICD_ISENABLER1
            return any(vms_)->write(0, random() % 4 == 0 ? 0x184 : 0x104, 1u << random() % 32);
        case 9:
            return random() % 8 == 0 && !is_host ? self.power_off() : scheduler().yield();
        case 10:
            (void)any(guests_)->power_on(0x8000, 0, 0);
            (void)any(movable_)->power_on(0x8000, 0, 0);
            return;
        default:
            return is_host ? lend(self, any(guests_), random) : scheduler().yield_to(*any(all_));
        }
    }

    /// vcpu_run.
    static void lend(Vcpu& self, Ref<Vcpu> guest, Random& random) {
        RunReport report;
        if (guest->check()) {
            ++reports_;
        }
        const RunStart start = scheduler().run_proxy(guest, random(), report);
        runs_ += start == RunStart::runs ? 1 : 0;
        self.registers.x[0] = 0;
    }

    /// What this CPU has sent goes to all others; what was sent to it becomes pending.
    static void exchange_interrupts() {
        auto& mine = fake::gic_cpu(cpu_index());
        for (const std::uint64_t sgi : std::exchange(mine.sgi1r, {})) {
            for (auto& box : mail_) {
                box |= 1u << (sgi >> 24 & 15);
            }
        }
        const unsigned arrived = mail_[cpu_index()].exchange(0);
        for (unsigned intid = 0; intid < 16; ++intid) {
            if ((arrived >> intid & 1) != 0) {
                mine.pending.push_back(intid);
            }
        }
        mine.dropped.clear();
        mine.deactivated.clear();
    }

    static void idle() {
        if (stop) {
            throw Idle{};
        }
        std::this_thread::yield();
        fake::guest_hardware().counter += 1000;
        exchange_interrupts();
        // As a device of the board would: something happens even when all wait.
        static thread_local Random random(cpu_index());
        poked_[random() % poked_.size()]->virq_pending();
    }

    static inline std::span<const Ref<Vcpu>> poked_; // all_
    static constexpr unsigned guest_vcpus = 2;
    static inline std::array<std::atomic<unsigned>, cpus> mail_;
    static inline std::atomic<bool> stop;
    static inline std::atomic<std::size_t> steps_, runs_, reports_;
    const std::uint32_t seed_ = std::random_device{}();
    std::array<std::unique_ptr<TestVm>, 4> vms_; // the primary VM, one without affinity, two guests
    std::vector<Ref<Vcpu>> hosts_, movable_, guests_, all_;
    std::vector<Ref<Doorbell>> bells_;
};

TEST_F(Cpus, RunVcpusOfFourVms) {
    std::printf("seed %u\n", seed_);
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        threads.emplace_back([this, cpu] { run(cpu); });
    }
    std::this_thread::sleep_for(duration);
    stop = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::printf("%zu steps, %zu runs of a guest\n", steps_.load(), runs_.load());
    EXPECT_GT(steps_, 1000U);
    EXPECT_GT(runs_, 100U);
}

} // namespace
} // namespace hyp
