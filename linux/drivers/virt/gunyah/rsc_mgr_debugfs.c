// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: how many VMs, memory extents, capabilities and so on there are, to
 * show that nothing is left behind.
 */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>

#include "rsc_mgr.h"

struct gh_rm_counter {
	char name[24];
	__le64 value;
} __packed;

struct gh_rm_counters {
	__le32 n;
	struct gh_rm_counter counters[];
} __packed;

static int counters_show(struct seq_file *file, void *unused)
{
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_GET_COUNTERS,
		.quiet = true,
	};
	struct gh_rm_counters *counters;
	struct gh_rm *rm = file->private;
	size_t size;
	void *reply;
	u32 i;
	int ret;

	/* Not every Resource Manager has them. */
	ret = gh_rm_call(rm, &request, &reply, &size);
	if (ret)
		return ret;

	counters = reply;
	if (size < sizeof(*counters) ||
	    size != struct_size(counters, counters, le32_to_cpu(counters->n))) {
		ret = -EBADMSG;
		goto out;
	}
	for (i = 0; i < le32_to_cpu(counters->n); i++)
		seq_printf(file, "%.*s %llu\n", (int)sizeof(counters->counters[i].name),
			   counters->counters[i].name, le64_to_cpu(counters->counters[i].value));
out:
	kvfree(reply);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/**
 * gh_rm_debugfs_add() - Make /sys/kernel/debug/gunyah
 * @rm: Resource Manager
 */
void gh_rm_debugfs_add(struct gh_rm *rm)
{
	rm->debugfs = debugfs_create_dir("gunyah", NULL);
	debugfs_create_file("counters", 0400, rm->debugfs, rm, &counters_fops);
	gh_vm_debugfs_add(rm);
}

/**
 * gh_rm_debugfs_remove() - Remove /sys/kernel/debug/gunyah
 * @rm: Resource Manager. Nobody reads there any more when this returns
 */
void gh_rm_debugfs_remove(struct gh_rm *rm)
{
	debugfs_remove_recursive(rm->debugfs);
}
