# SPDX-License-Identifier: BSD-3-Clause
# What the init scripts of both userlands do alike.

# Mounts the kernel's file systems and makes the commands available.
mount_kernel_filesystems() {
    /bin/busybox mkdir -p /proc /sys /dev /run /tmp
    /bin/busybox mount -t proc proc /proc
    /bin/busybox mount -t sysfs sysfs /sys
    /bin/busybox mount -t devtmpfs devtmpfs /dev
    /bin/busybox --install -s
    chmod 1777 /tmp
    mkdir -p /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t tmpfs tmpfs /dev/shm
    mount -t debugfs debugfs /sys/kernel/debug
    ip link set lo up
}

# Loads the modules listed in /etc/modules; says which one failed. $1: whose message it is.
load_listed_modules() {
    failed=0
    while read -r module; do
        modprobe "$module" || { echo "[$1] FAILED: modprobe $module"; failed=1; }
    done </etc/modules
    return $failed
}

# The value of NAME=value on the kernel's command line.
boot_parameter() {
    for word in $(cat /proc/cmdline); do
        case $word in "$1="*) echo "${word#*=}" ;; esac
    done
}

# Hands over to busybox init, with a login shell on the kernel's console.
start_shell() {
    console=$(sed 's/.* //' /sys/class/tty/console/active)
    cat >/etc/inittab <<INITTAB
$console::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
INITTAB
    exec /sbin/init
}
