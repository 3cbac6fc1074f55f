// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identifies the Gunyah hypervisor. What needs it depends on this module, which
 * does not load on anything else.
 */
#define pr_fmt(fmt) "gunyah: " fmt

#include <linux/gunyah.h>
#include <linux/module.h>
#include <linux/printk.h>

static struct gh_hypercall_hyp_identify_resp gh_api __ro_after_init;

/**
 * gh_api_version() - Version of the hypercall interface
 */
u16 gh_api_version(void)
{
	return FIELD_GET(GH_API_INFO_API_VERSION_MASK, gh_api.api_info);
}
EXPORT_SYMBOL_GPL(gh_api_version);

/**
 * gh_api_has_feature() - Whether the hypervisor has a group of hypercalls
 * @feature: The group
 */
bool gh_api_has_feature(enum gh_api_feature feature)
{
	return gh_api.flags[0] & BIT_ULL(feature);
}
EXPORT_SYMBOL_GPL(gh_api_has_feature);

/**
 * gh_api_is_open() - Whether hypervisor and Resource Manager are of the variant with extensions
 */
bool gh_api_is_open(void)
{
	return FIELD_GET(GH_API_INFO_VARIANT_MASK, gh_api.api_info) == GH_API_VARIANT_OPEN;
}
EXPORT_SYMBOL_GPL(gh_api_is_open);

/**
 * gh_api_has_extension() - Whether the hypervisor has something beyond the public interface
 * @extension: What
 *
 * Other variants may use the word, and the hypercalls, for something else.
 */
bool gh_api_has_extension(enum gh_api_extension extension)
{
	return gh_api_is_open() && gh_api.flags[2] & BIT_ULL(extension);
}
EXPORT_SYMBOL_GPL(gh_api_has_extension);

static const struct {
	enum gh_error error;
	const char *name;
} gh_error_names[] = {
	{ GH_ERROR_OK, "OK" },
	{ GH_ERROR_UNIMPLEMENTED, "UNIMPLEMENTED" },
	{ GH_ERROR_RETRY, "RETRY" },
	{ GH_ERROR_ARG_INVAL, "ARGUMENT_INVALID" },
	{ GH_ERROR_ARG_SIZE, "ARGUMENT_SIZE" },
	{ GH_ERROR_ARG_ALIGN, "ARGUMENT_ALIGNMENT" },
	{ GH_ERROR_NOMEM, "NOMEM" },
	{ GH_ERROR_NORESOURCES, "NORESOURCES" },
	{ GH_ERROR_ADDR_OVFL, "ADDR_OVERFLOW" },
	{ GH_ERROR_ADDR_UNFL, "ADDR_UNDERFLOW" },
	{ GH_ERROR_ADDR_INVAL, "ADDR_INVALID" },
	{ GH_ERROR_DENIED, "DENIED" },
	{ GH_ERROR_BUSY, "BUSY" },
	{ GH_ERROR_IDLE, "IDLE" },
	{ GH_ERROR_OBJECT_STATE, "OBJECT_STATE" },
	{ GH_ERROR_OBJECT_CONFIG, "OBJECT_CONFIG" },
	{ GH_ERROR_OBJECT_CONFIGURED, "OBJECT_CONFIGURED" },
	{ GH_ERROR_FAILURE, "FAILURE" },
	{ GH_ERROR_IRQ_BOUND, "VIRQ_BOUND" },
	{ GH_ERROR_IRQ_UNBOUND, "VIRQ_NOT_BOUND" },
	{ GH_ERROR_CSPACE_CAP_NULL, "CSPACE_CAP_NULL" },
	{ GH_ERROR_CSPACE_CAP_REVOKED, "CSPACE_CAP_REVOKED" },
	{ GH_ERROR_CSPACE_WRONG_OBJ_TYPE, "CSPACE_WRONG_OBJECT_TYPE" },
	{ GH_ERROR_CSPACE_INSUF_RIGHTS, "CSPACE_INSUFFICIENT_RIGHTS" },
	{ GH_ERROR_CSPACE_FULL, "CSPACE_FULL" },
	{ GH_ERROR_MSGQUEUE_EMPTY, "MSGQUEUE_EMPTY" },
	{ GH_ERROR_MSGQUEUE_FULL, "MSGQUEUE_FULL" },
};

/**
 * gh_error_name() - What the API document calls a hypercall error
 * @error: What the hypercall returned
 */
const char *gh_error_name(enum gh_error error)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(gh_error_names); i++) {
		if (gh_error_names[i].error == error)
			return gh_error_names[i].name;
	}
	return "unknown error";
}
EXPORT_SYMBOL_GPL(gh_error_name);

static int __init gunyah_init(void)
{
	if (!arch_is_gh_guest())
		return -ENODEV;

	gh_hypercall_hyp_identify(&gh_api);
	pr_info("hypervisor variant %#llx, API version %u\n",
		FIELD_GET(GH_API_INFO_VARIANT_MASK, gh_api.api_info), gh_api_version());
	if (gh_api_version() != GH_API_V1) {
		pr_err("only API version %u is supported\n", GH_API_V1);
		return -ENODEV;
	}
	return 0;
}
module_init(gunyah_init);

static void __exit gunyah_exit(void)
{
}
module_exit(gunyah_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah hypervisor identification");
