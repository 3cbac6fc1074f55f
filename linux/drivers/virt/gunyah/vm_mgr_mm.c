// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's memory: pages of the VMM, pinned and charged to it, shared with the VM.
 */
#include <linux/align.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vm_mgr.h"

#define GH_MEM_ALLOW_MASK	(GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE | GH_MEM_ALLOW_EXEC)

/* Pages pinned in one go: between them, a deadly signal is noticed. */
#define GH_VM_PIN_BATCH		4096UL

static u64 gh_vm_region_size(const struct gh_vm_region *region)
{
	return (u64)region->npages << PAGE_SHIFT;
}

static bool gh_vm_region_overlaps(const struct gh_vm_region *region, u64 guest_phys_addr, u64 size)
{
	return guest_phys_addr - region->guest_phys_addr < gh_vm_region_size(region) ||
	       region->guest_phys_addr - guest_phys_addr < size;
}

/**
 * gh_vm_region_find() - The region that contains a range of the guest's memory
 * @vm: The VM, its lock held
 * @guest_phys_addr: Where the range begins
 * @size: Bytes
 */
struct gh_vm_region *gh_vm_region_find(struct gh_vm *vm, u64 guest_phys_addr, u64 size)
{
	struct gh_vm_region *region;
	u64 offset;

	list_for_each_entry(region, &vm->regions, list) {
		if (guest_phys_addr < region->guest_phys_addr)
			continue;
		offset = guest_phys_addr - region->guest_phys_addr;
		if (offset < gh_vm_region_size(region) &&
		    size <= gh_vm_region_size(region) - offset)
			return region;
	}
	return NULL;
}

static int gh_vm_region_check(struct gh_vm *vm, const struct gh_userspace_memory_region *arg)
{
	struct gh_vm_region *region;
	u64 end;

	if (!arg->flags || arg->flags & ~GH_MEM_ALLOW_MASK)
		return -EINVAL;
	if (!arg->memory_size || !PAGE_ALIGNED(arg->memory_size) ||
	    !PAGE_ALIGNED(arg->guest_phys_addr) || !PAGE_ALIGNED(arg->userspace_addr))
		return -EINVAL;
	if (check_add_overflow(arg->guest_phys_addr, arg->memory_size, &end) ||
	    check_add_overflow(arg->userspace_addr, arg->memory_size, &end))
		return -EOVERFLOW;
	/* Before anything of this size is allocated to describe it. */
	if (arg->memory_size >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;

	list_for_each_entry(region, &vm->regions, list) {
		if (region->parcel.label == arg->label ||
		    gh_vm_region_overlaps(region, arg->guest_phys_addr, arg->memory_size))
			return -EEXIST;
	}
	return 0;
}

/*
 * Memory that has no other place to be written back to than swap. Pages of a
 * file must not be changed behind the back of its file system, and the zero page is
 * everyone's.
 */
static bool gh_vm_page_is_shareable(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_test_swapbacked(folio) ||
	       folio_test_hugetlb(folio);
}

/* Newer kernels themselves do not pin a file's pages for writing, with the error of bad memory. */
static int gh_vm_pin_error(u64 userspace_addr)
{
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, userspace_addr);
	if (vma && vma->vm_file &&
	    (vma->vm_flags & (VM_WRITE | VM_IO | VM_PFNMAP)) == VM_WRITE)
		ret = -EOPNOTSUPP;
	mmap_read_unlock(current->mm);
	return ret;
}

/* Pins the pages from userspace_addr on. If it fails, none is left pinned. */
static int gh_vm_pin(u64 userspace_addr, unsigned long npages, bool writable, struct page **pages)
{
	const unsigned int flags = FOLL_LONGTERM | (writable ? FOLL_WRITE : 0);
	unsigned long done = 0;
	unsigned long i;
	long ret = 0;

	while (done < npages) {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto err;
		}
		ret = pin_user_pages_fast(userspace_addr + (done << PAGE_SHIFT),
					  min(npages - done, GH_VM_PIN_BATCH), flags,
					  pages + done);
		if (ret <= 0) {
			if (!ret || ret == -EFAULT)
				ret = gh_vm_pin_error(userspace_addr + (done << PAGE_SHIFT));
			goto err;
		}
		for (i = done, done += ret; i < done; i++) {
			if (!gh_vm_page_is_shareable(pages[i])) {
				ret = -EOPNOTSUPP;
				goto err;
			}
		}
		cond_resched();
	}
	return 0;

err:
	unpin_user_pages(pages, done);
	return ret;
}

static bool gh_vm_page_continues(struct page **pages, unsigned long i)
{
	return i && page_to_pfn(pages[i]) == page_to_pfn(pages[i - 1]) + 1;
}

/* Describes pages as ranges, as few as possible. */
static int gh_vm_coalesce(struct page **pages, unsigned long npages,
			  struct gh_rm_mem_parcel *parcel)
{
	struct gh_rm_mem_entry *entry;
	unsigned long i;
	size_t n = 0;

	for (i = 0; i < npages; i++)
		n += !gh_vm_page_continues(pages, i);

	parcel->mem_entries = kvcalloc(n, sizeof(*parcel->mem_entries), GFP_KERNEL_ACCOUNT);
	if (!parcel->mem_entries)
		return -ENOMEM;
	parcel->n_mem_entries = n;

	entry = parcel->mem_entries - 1;
	for (i = 0; i < npages; i++) {
		if (!gh_vm_page_continues(pages, i)) {
			entry++;
			entry->phys_addr = cpu_to_le64(page_to_phys(pages[i]));
		}
		le64_add_cpu(&entry->size, PAGE_SIZE);
	}
	return 0;
}

static void gh_vm_region_unpin(struct gh_vm *vm, struct gh_vm_region *region)
{
	struct gh_rm_mem_parcel *parcel = &region->parcel;
	struct gh_rm_mem_entry *entry;
	size_t i;

	for (i = 0; i < parcel->n_mem_entries; i++) {
		entry = &parcel->mem_entries[i];
		unpin_user_page_range_dirty_lock(phys_to_page(le64_to_cpu(entry->phys_addr)),
						 le64_to_cpu(entry->size) >> PAGE_SHIFT,
						 region->writable);
		cond_resched();
	}
	account_locked_vm(vm->mm, region->npages, false);
}

static struct gh_vm_region *gh_vm_region_alloc(const struct gh_userspace_memory_region *arg,
					       bool lend)
{
	struct gh_vm_region *region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);

	if (!region)
		return NULL;
	region->guest_phys_addr = arg->guest_phys_addr;
	region->userspace_addr = untagged_addr(arg->userspace_addr);
	region->npages = arg->memory_size >> PAGE_SHIFT;
	/* What is lent must be nobody else's, such as of whom it was copied from on a fork. */
	region->writable = arg->flags & GH_MEM_ALLOW_WRITE || lend;
	region->parcel.lend = lend;
	region->parcel.mem_type = GH_RM_MEM_TYPE_NORMAL;
	region->parcel.label = arg->label;
	region->parcel.acl_entries = region->acl;
	region->parcel.n_acl_entries = lend ? 1 : ARRAY_SIZE(region->acl);

	if (arg->flags & GH_MEM_ALLOW_READ)
		region->acl[0].perms |= GH_RM_ACL_R;
	if (arg->flags & GH_MEM_ALLOW_WRITE)
		region->acl[0].perms |= GH_RM_ACL_W;
	if (arg->flags & GH_MEM_ALLOW_EXEC)
		region->acl[0].perms |= GH_RM_ACL_X;
	region->acl[1].perms = GH_RM_ACL_R | GH_RM_ACL_W | GH_RM_ACL_X;
	return region;
}

/* Pins a region's pages and fills in its parcel. */
static int gh_vm_region_pin(struct gh_vm_region *region)
{
	struct page **pages;
	unsigned long i;
	int ret;

	/* Needed for this long only; the parcel is the smaller description. */
	pages = kvmalloc_array(region->npages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;

	ret = gh_vm_pin(region->userspace_addr, region->npages, region->writable, pages);
	if (!ret) {
		for (i = 0; region->parcel.lend && i < region->npages && !ret; i++)
			ret = gh_vm_region_check_lendable(region, pages[i], i);
		if (!ret)
			ret = gh_vm_coalesce(pages, region->npages, &region->parcel);
		if (ret)
			unpin_user_pages(pages, region->npages);
	}
	kvfree(pages);
	return ret;
}

/**
 * gh_vm_region_add() - Take memory of the caller for a VM
 * @vm: The VM, its lock held
 * @arg: Which memory
 * @lend: Lend it, rather than share it
 */
int gh_vm_region_add(struct gh_vm *vm, const struct gh_userspace_memory_region *arg, bool lend)
{
	struct gh_vm_region *region;
	int ret;

	if (!gh_api_has_feature(GH_FEATURE_MEMEXTENT))
		return -EOPNOTSUPP;
	if (current->mm != vm->mm)
		return -EPERM;
	if (gh_vm_state(vm) != GH_VM_CREATED)
		return -EBUSY;
	ret = gh_vm_region_check(vm, arg);
	if (ret)
		return ret;

	region = gh_vm_region_alloc(arg, lend);
	if (!region)
		return -ENOMEM;
	ret = account_locked_vm(vm->mm, region->npages, true);
	if (ret)
		goto err_free;
	ret = gh_vm_region_pin(region);
	if (ret)
		goto err_unaccount;

	list_add_tail(&region->list, &vm->regions);
	return 0;

err_unaccount:
	account_locked_vm(vm->mm, region->npages, false);
err_free:
	kfree(region);
	return ret;
}

/**
 * gh_vm_region_share() - Share a region with its VM, or lend it
 * @vm: The VM, its lock held; the Resource Manager has created it
 * @region: One of its regions
 */
int gh_vm_region_share(struct gh_vm *vm, struct gh_vm_region *region)
{
	int ret;

	if (region->parcel.lend) {
		ret = gh_vm_region_withdraw(vm, region);
		if (ret)
			return ret;
	}
	region->acl[0].vmid = cpu_to_le16(vm->vmid);
	region->acl[1].vmid = cpu_to_le16(gh_rm_own_vmid(vm->rm));
	return gh_rm_mem_share(vm->rm, &region->parcel);
}

static void gh_vm_region_free(struct gh_vm *vm, struct gh_vm_region *region)
{
	struct gh_rm_mem_parcel *parcel = &region->parcel;

	if (parcel->state == GH_RM_MEM_SHARED)
		gh_rm_mem_reclaim(vm->rm, parcel);

	/* Someone else may still have access: the pages must never be used again. */
	if (parcel->state == GH_RM_MEM_OURS)
		gh_vm_region_unpin(vm, region);
	else
		gh_vm_err(vm, "memory region %u is not given back; its %lu pages stay pinned\n",
			  parcel->label, region->npages);

	list_del(&region->list);
	kvfree(parcel->mem_entries);
	kfree(region);
}

/**
 * gh_vm_regions_free() - Take back all memory of a VM and give it back to the VMM
 * @vm: The VM, its lock held; it does not run
 */
void gh_vm_regions_free(struct gh_vm *vm)
{
	struct gh_vm_region *region;
	struct gh_vm_region *next;

	list_for_each_entry_safe(region, next, &vm->regions, list)
		gh_vm_region_free(vm, region);
}
