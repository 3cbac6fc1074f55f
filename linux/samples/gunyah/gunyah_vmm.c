// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that starts a VM on Gunyah: memory, an image, a device tree, one vCPU.
 *
 * It has no devices. What the guest writes to the address given by --uart goes to the standard
 * output, so that an earlycon=pl011,ADDRESS is seen; other reads give 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/gunyah.h>

/* Bytes that the Resource Manager may use for the device tree. */
#define DTB_WINDOW	0x10000UL

/* Receive FIFO empty, transmit FIFO empty: PL011 flag register, offset 0x18. */
#define PL011_FR	0x18
#define PL011_FR_EMPTY	0x90

struct vmm {
	const char *image;
	const char *dtb;
	const char *ramdisk;
	__u64 base;
	__u64 size;
	__u64 image_offset;
	__u64 dtb_offset;
	__u64 ramdisk_offset;
	__u64 uart;

	__u8 *memory;
	int vm;
	int vcpu;
	struct gh_vcpu_run *run;
};

static void fail(const char *what)
{
	fprintf(stderr, "gunyah_vmm: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Reads all of a file to an offset of the guest's memory; it must leave room bytes behind it. */
static void load(const struct vmm *vmm, const char *path, __u64 offset, __u64 room)
{
	struct stat status;
	__u64 done = 0;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		fail(path);
	if (room > vmm->size || offset > vmm->size - room ||
	    (__u64)status.st_size > vmm->size - room - offset) {
		errno = EFBIG;
		fail(path);
	}
	while (done < (__u64)status.st_size) {
		got = read(fd, vmm->memory + offset + done, (__u64)status.st_size - done);
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			fail(path);
		done += (__u64)got;
	}
	close(fd);
}

static void make_memory(struct vmm *vmm)
{
	int fd = memfd_create("gunyah_vmm", MFD_CLOEXEC);
	void *memory;

	if (fd < 0 || ftruncate(fd, (off_t)vmm->size))
		fail("memory");
	memory = mmap(NULL, vmm->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail("memory");
	close(fd);
	vmm->memory = memory;

	load(vmm, vmm->image, vmm->image_offset, 0);
	/* The Resource Manager adds to it in place. */
	load(vmm, vmm->dtb, vmm->dtb_offset, DTB_WINDOW);
	if (vmm->ramdisk)
		load(vmm, vmm->ramdisk, vmm->ramdisk_offset, 0);
}

static void make_vm(struct vmm *vmm)
{
	struct gh_userspace_memory_region region = {
		.label = 0,
		.flags = GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE | GH_MEM_ALLOW_EXEC,
		.guest_phys_addr = vmm->base,
		.memory_size = vmm->size,
		.userspace_addr = (uintptr_t)vmm->memory,
	};
	struct gh_vm_dtb_config dtb = {
		.guest_phys_addr = vmm->base + vmm->dtb_offset,
		.size = DTB_WINDOW,
	};
	int gunyah = open("/dev/gunyah", O_RDWR | O_CLOEXEC);

	if (gunyah < 0)
		fail("/dev/gunyah");
	vmm->vm = ioctl(gunyah, GH_CREATE_VM, 0);
	if (vmm->vm < 0)
		fail("GH_CREATE_VM");
	close(gunyah);
	if (ioctl(vmm->vm, GH_VM_SET_USER_MEM_REGION, &region))
		fail("GH_VM_SET_USER_MEM_REGION");
	if (ioctl(vmm->vm, GH_VM_SET_DTB_CONFIG, &dtb))
		fail("GH_VM_SET_DTB_CONFIG");
}

static void make_vcpu(struct vmm *vmm)
{
	struct gh_fn_vcpu_arg arg = { .id = 0 };
	struct gh_fn_desc desc = {
		.type = GH_FN_VCPU,
		.arg_size = sizeof(arg),
		.arg = (uintptr_t)&arg,
	};
	void *run;
	int size;

	vmm->vcpu = ioctl(vmm->vm, GH_VM_ADD_FUNCTION, &desc);
	if (vmm->vcpu < 0)
		fail("adding the vCPU");
	size = ioctl(vmm->vcpu, GH_VCPU_MMAP_SIZE);
	if (size < 0)
		fail("GH_VCPU_MMAP_SIZE");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vmm->vcpu, 0);
	if (run == MAP_FAILED)
		fail("the vCPU's run page");
	vmm->run = run;
}

static void serve_mmio(struct vmm *vmm)
{
	const __u64 address = vmm->run->mmio.phys_addr;

	if (vmm->run->mmio.is_write) {
		if (vmm->uart && address == vmm->uart)
			putchar(vmm->run->mmio.data[0]);
		return;
	}
	memset(vmm->run->mmio.data, 0, sizeof(vmm->run->mmio.data));
	if (vmm->uart && address == vmm->uart + PL011_FR)
		vmm->run->mmio.data[0] = PL011_FR_EMPTY;
}

/* Runs the guest until it has ended. */
static void run(struct vmm *vmm)
{
	for (;;) {
		if (ioctl(vmm->vcpu, GH_VCPU_RUN)) {
			if (errno == EINTR)
				continue;
			fail("GH_VCPU_RUN");
		}
		switch (vmm->run->exit_reason) {
		case GH_VCPU_EXIT_MMIO:
			serve_mmio(vmm);
			break;
		case GH_VCPU_EXIT_STATUS:
			fflush(stdout);
			fprintf(stderr, "gunyah_vmm: the VM has ended: status %u, type %u\n",
				(unsigned int)vmm->run->status.status,
				vmm->run->status.exit_info.type);
			return;
		default:
			break;
		}
	}
}

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "image", required_argument, NULL, 'i' },
	{ "dtb", required_argument, NULL, 'd' },
	{ "ramdisk", required_argument, NULL, 'r' },
	{ "base", required_argument, NULL, 'B' },
	{ "size", required_argument, NULL, 'S' },
	{ "image_offset", required_argument, NULL, 'I' },
	{ "dtb_offset", required_argument, NULL, 'D' },
	{ "ramdisk_offset", required_argument, NULL, 'R' },
	{ "uart", required_argument, NULL, 'u' },
	{}
};

static void print_help(FILE *to)
{
	fputs("usage: gunyah_vmm --image FILE --dtb FILE [options]\n"
	      "  -h, --help\n"
	      "  -i, --image FILE          what the guest begins with\n"
	      "  -d, --dtb FILE            its device tree, with a gunyah-vm-config node\n"
	      "  -r, --ramdisk FILE        as the device tree describes it\n"
	      "  -B, --base ADDRESS        of its memory (0x80000000), as in the device tree\n"
	      "  -S, --size BYTES          of its memory (0x6400000)\n"
	      "  -I, --image_offset BYTES  within its memory (0)\n"
	      "  -D, --dtb_offset BYTES    (0x45f0000)\n"
	      "  -R, --ramdisk_offset BYTES (0x4600000)\n"
	      "  -u, --uart ADDRESS        what the guest writes there is printed\n", to);
}

static __u64 to_number(const char *text)
{
	char *end;
	__u64 value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end) {
		fprintf(stderr, "gunyah_vmm: '%s' is not a number\n", text);
		exit(1);
	}
	return value;
}

static void parse(struct vmm *vmm, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "hi:d:r:B:S:I:D:R:u:", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			print_help(stdout);
			exit(0);
		case 'i':
			vmm->image = optarg;
			break;
		case 'd':
			vmm->dtb = optarg;
			break;
		case 'r':
			vmm->ramdisk = optarg;
			break;
		case 'B':
			vmm->base = to_number(optarg);
			break;
		case 'S':
			vmm->size = to_number(optarg);
			break;
		case 'I':
			vmm->image_offset = to_number(optarg);
			break;
		case 'D':
			vmm->dtb_offset = to_number(optarg);
			break;
		case 'R':
			vmm->ramdisk_offset = to_number(optarg);
			break;
		case 'u':
			vmm->uart = to_number(optarg);
			break;
		default:
			print_help(stderr);
			exit(1);
		}
	}
	if (!vmm->image || !vmm->dtb || optind != argc) {
		print_help(stderr);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct vmm vmm = {
		.base = 0x80000000,
		.size = 0x6400000,
		.dtb_offset = 0x45f0000,
		.ramdisk_offset = 0x4600000,
	};

	parse(&vmm, argc, argv);
	make_memory(&vmm);
	make_vm(&vmm);
	make_vcpu(&vmm);
	if (ioctl(vmm.vm, GH_VM_START))
		fail("GH_VM_START (the kernel log says why)");
	run(&vmm);
	return 0;
}
