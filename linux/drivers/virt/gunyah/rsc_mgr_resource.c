// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources that came with another VM, and their interrupts.
 */
#include <linux/device.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/slab.h>
#include <asm/gunyah.h>

#include "rsc_mgr.h"

static bool gh_rm_has_virq(u32 virq)
{
	return virq && virq != U32_MAX;
}

/*
 * Maps a virtual interrupt at the interrupt controller that the Resource Manager's own
 * interrupts go to. Returns the Linux interrupt number or an error.
 */
static int gh_rm_map_virq(struct gh_rm *rm, u32 virq)
{
	struct irq_fwspec fwspec = {};
	struct irq_domain *domain;
	struct device_node *parent;
	unsigned int irq;
	int ret;

	ret = arch_gh_virq_to_fwspec(virq, &fwspec);
	if (ret)
		return ret;
	parent = of_irq_find_parent(rm->dev->of_node);
	if (!parent)
		return -ENODEV;
	fwspec.fwnode = of_node_to_fwnode(parent);

	/* Someone else's interrupt must not be taken, and not be disposed of later. */
	domain = irq_find_matching_fwspec(&fwspec, DOMAIN_BUS_ANY);
	if (domain && irq_find_mapping(domain, virq)) {
		ret = -EBUSY;
	} else {
		irq = irq_create_fwspec_mapping(&fwspec);
		ret = irq ? irq : -ENXIO;
	}
	of_node_put(parent);
	return ret;
}

/**
 * gh_rm_alloc_resource() - Make a resource out of its description
 * @rm: Resource Manager that gave it
 * @description: From gh_rm_get_hyp_resources()
 *
 * Return: The resource, for gh_rm_free_resource(), or ERR_PTR.
 */
struct gh_resource *gh_rm_alloc_resource(struct gh_rm *rm,
					 const struct gh_rm_hyp_resource *description)
{
	const u32 virq = le32_to_cpu(description->virq);
	struct gh_resource *resource;
	int irq;

	resource = kzalloc(sizeof(*resource), GFP_KERNEL);
	if (!resource)
		return ERR_PTR(-ENOMEM);
	resource->type = description->type;
	resource->capid = le64_to_cpu(description->cap_id);
	resource->rm_label = le32_to_cpu(description->resource_label);
	INIT_LIST_HEAD(&resource->list);

	if (gh_rm_has_virq(virq)) {
		irq = gh_rm_map_virq(rm, virq);
		if (irq < 0) {
			dev_err_ratelimited(rm->dev, "resource type %u label %u: cannot map interrupt %u: %d\n",
					    resource->type, resource->rm_label, virq, irq);
			kfree(resource);
			return ERR_PTR(irq);
		}
		resource->irq = irq;
	}
	return resource;
}

/**
 * gh_rm_free_resource() - Free a resource
 * @resource: Its interrupt must not be requested any more
 */
void gh_rm_free_resource(struct gh_resource *resource)
{
	if (resource->irq)
		irq_dispose_mapping(resource->irq);
	kfree(resource);
}
