// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is lent to a VM goes out of this kernel's reach first.
 *
 * The hypervisor takes it away, so that any access would fault. User space and the
 * kernel's own copies to and from it survive that, but the kernel also reads pages by
 * its linear map: for ptrace, a core dump, read() of a memfd. Hence nothing
 * may lead to the pages any more but our pin: their place in the VMM is taken by a
 * mapping of nothing, and their place in a memfd becomes a hole.
 */
#include <linux/anon_inodes.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>

#include "vm_mgr.h"

/* Pages looked at in one go. */
#define GH_VM_LEND_BATCH	64UL

static vm_fault_t gh_lent_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct gh_lent_vm_ops = {
	.fault = gh_lent_fault,
};

static int gh_lent_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* By no way is there a page to be had, nor anything to be dumped. */
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_ops = &gh_lent_vm_ops;
	return 0;
}

static const struct file_operations gh_lent_fops = {
	.owner = THIS_MODULE,
	.mmap = gh_lent_mmap,
};

/**
 * gh_vm_region_check_lendable() - Whether a page of a region can be taken from everyone else
 * @region: The region, which is to be lent
 * @page: One of its pages, pinned
 * @i: Which
 *
 * A huge page of hugetlbfs or of a memfd goes as a whole: cut out in parts, it would only be zeroed
 * and stay where it is.
 */
int gh_vm_region_check_lendable(const struct gh_vm_region *region, struct page *page,
				unsigned long i)
{
	struct folio *folio = page_folio(page);
	unsigned long before = page_to_pfn(page) - folio_pfn(folio);

	if (folio_test_anon(folio) && !folio_test_hugetlb(folio))
		return 0;
	if (before > i || folio_nr_pages(folio) - before > region->npages - i)
		return -EOPNOTSUPP;
	return 0;
}

/* Whether the VMM still has these pages where the region was, from the given one on. */
static int gh_vm_lend_compare(struct gh_vm_region *region, long n,
			      struct page **pages, size_t *entry, u64 *offset)
{
	const struct gh_rm_mem_entry *entries = region->parcel.mem_entries;
	long i;

	for (i = 0; i < n; i++) {
		if (page_to_phys(pages[i]) != le64_to_cpu(entries[*entry].phys_addr) + *offset)
			return -EFAULT;
		*offset += PAGE_SIZE;
		if (*offset == le64_to_cpu(entries[*entry].size)) {
			*offset = 0;
			++*entry;
		}
	}
	return 0;
}

static int gh_vm_lend_verify(struct gh_vm_region *region)
{
	struct page *pages[GH_VM_LEND_BATCH];
	unsigned long done = 0;
	size_t entry = 0;
	u64 offset = 0;
	int ret;
	long n;

	for (; done < region->npages; done += n) {
		n = pin_user_pages_fast(region->userspace_addr + (done << PAGE_SHIFT),
					min(region->npages - done, GH_VM_LEND_BATCH), FOLL_WRITE,
					pages);
		if (n <= 0)
			return n ? : -EFAULT;
		ret = gh_vm_lend_compare(region, n, pages, &entry, &offset);
		unpin_user_pages(pages, n);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* The file whose pages are mapped at an address, if they are its own and not copies. */
static struct file *gh_vm_lend_file(unsigned long addr, unsigned long end, loff_t *offset,
				    unsigned long *size)
{
	struct file *file = NULL;
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (vma) {
		*size = min(vma->vm_end, end) - addr;
		*offset = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
		if (vma->vm_flags & VM_SHARED && vma->vm_file)
			file = get_file(vma->vm_file);
	} else {
		*size = end - addr;
	}
	mmap_read_unlock(current->mm);
	return file;
}

/* Takes the pages out of the memfds that they are of, and so out of whoever maps these. */
static int gh_vm_lend_punch(struct gh_vm_region *region)
{
	const unsigned long end = region->userspace_addr + (region->npages << PAGE_SHIFT);
	unsigned long addr = region->userspace_addr;
	unsigned long size;
	struct file *file;
	loff_t offset;
	int ret = 0;

	for (; addr < end && !ret; addr += size) {
		file = gh_vm_lend_file(addr, end, &offset, &size);
		if (!file)
			continue;
		ret = vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
		fput(file);
	}
	return ret;
}

/* Whether no file has any of the pages any more, from which others could still get it. */
static int gh_vm_lend_check_gone(struct gh_vm_region *region)
{
	const struct gh_rm_mem_parcel *parcel = &region->parcel;
	struct folio *folio;
	u64 addr, end;
	size_t i;

	for (i = 0; i < parcel->n_mem_entries; i++) {
		addr = le64_to_cpu(parcel->mem_entries[i].phys_addr);
		end = addr + le64_to_cpu(parcel->mem_entries[i].size);
		for (; addr < end; addr += PAGE_SIZE) {
			folio = page_folio(phys_to_page(addr));
			if (!folio_test_anon(folio) && READ_ONCE(folio->mapping))
				return -EBUSY;
		}
		cond_resched();
	}
	return 0;
}

/* Maps nothing where the region was. */
static int gh_vm_lend_cover(struct gh_vm_region *region)
{
	struct file *file;
	unsigned long at;

	file = anon_inode_getfile("gunyah-lent", &gh_lent_fops, NULL, O_RDWR);
	if (IS_ERR(file))
		return PTR_ERR(file);
	at = vm_mmap(file, region->userspace_addr, region->npages << PAGE_SHIFT,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 0);
	fput(file);
	return IS_ERR_VALUE(at) ? (int)at : 0;
}

/**
 * gh_vm_region_withdraw() - Take a region's pages out of everyone's reach but the driver's
 * @vm: The VM, its lock held; it is being started
 * @region: One of its regions, not lent yet
 *
 * Return: 0 or an error; then the VMM may have lost part of the region, or all.
 */
int gh_vm_region_withdraw(struct gh_vm *vm, struct gh_vm_region *region)
{
	const char *step = "is not where it was";
	int ret;

	if (current->mm != vm->mm) {
		gh_vm_err(vm, "cannot start: only the process that lends memory can\n");
		return -EPERM;
	}
	ret = gh_vm_lend_verify(region);
	if (!ret) {
		step = "cannot be taken out of its file";
		ret = gh_vm_lend_punch(region);
	}
	if (!ret)
		ret = gh_vm_lend_check_gone(region);
	if (!ret) {
		step = "cannot be taken out of the process";
		ret = gh_vm_lend_cover(region);
	}
	if (ret)
		gh_vm_err(vm, "memory region %u %s: %d\n", region->parcel.label, step, ret);
	return ret;
}
