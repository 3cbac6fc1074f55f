/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is special to arm64 about Gunyah: hypercall numbers and interrupt specifiers.
 */
#ifndef _ASM_GUNYAH_H
#define _ASM_GUNYAH_H

#include <linux/arm-smccc.h>
#include <linux/errno.h>
#include <linux/irqdomain.h>
#include <dt-bindings/interrupt-controller/arm-gic.h>

/* Hypercall n of the API document, called by SMCCC: vendor hypervisor range, class 0b10. */
#define GH_HYPERCALL(n)		ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL, ARM_SMCCC_SMC_64, \
						   ARM_SMCCC_OWNER_VENDOR_HYP, 0x8000 + (n))

#define GH_HYPERCALL_HYP_IDENTIFY	GH_HYPERCALL(0x00)
#define GH_HYPERCALL_BELL_SEND		GH_HYPERCALL(0x12)
#define GH_HYPERCALL_BELL_SET_MASK	GH_HYPERCALL(0x15)
#define GH_HYPERCALL_MSGQ_SEND		GH_HYPERCALL(0x1b)
#define GH_HYPERCALL_MSGQ_RECV		GH_HYPERCALL(0x1c)
#define GH_HYPERCALL_VCPU_RUN		GH_HYPERCALL(0x65)

/* Of the open variant, where hypervisor_identify says so (GH_EXTENSION_BELL_RING). */
#define GH_HYPERCALL_BELL_RING		GH_HYPERCALL(0xf3)

/* Interrupt numbers of shared peripheral interrupts, as the Resource Manager gives them. */
#define GH_VIRQ_SPI_FIRST	32
#define GH_VIRQ_SPI_LAST	1019

/**
 * arch_gh_virq_to_fwspec() - Describe a virtual interrupt to the interrupt controller's domain
 * @virq: GIC interrupt number of a resource
 * @fwspec: Parameters are filled in; fwnode is left to the caller
 *
 * Return: 0, or -EINVAL if @virq is not a shared peripheral interrupt.
 */
static inline int arch_gh_virq_to_fwspec(u32 virq, struct irq_fwspec *fwspec)
{
	if (virq < GH_VIRQ_SPI_FIRST || virq > GH_VIRQ_SPI_LAST)
		return -EINVAL;

	fwspec->param_count = 3;
	fwspec->param[0] = GIC_SPI;
	fwspec->param[1] = virq - GH_VIRQ_SPI_FIRST;
	fwspec->param[2] = IRQ_TYPE_EDGE_RISING;
	return 0;
}

#endif
