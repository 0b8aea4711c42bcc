#!/bin/sh
# boot_root.sh ROOT CGROUP: boots the systemd of a root file system, in namespaces of its own for everything but the network, and
# in a cgroup of its own. When this process ends, all of it does.
set -eu

readonly ROOT="$1" CGROUP="$2"

# The far side of unshare, below.
boot() {
  mount --bind "$ROOT" "$ROOT"
  cd "$ROOT"
  mount -t proc proc proc
  # Settings of the kernel are the host's.
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=755,nosuid tmpfs dev
  for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
  mount -t tmpfs tmpfs dev/shm
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  pivot_root . mnt
  umount -l /mnt
  # A container, systemd.exec(5): no devices to wait for, no modules, no console.
  exec env -i container=rawgate-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal
}

if [ "${RAWGATE_BOOT_INSIDE:-}" ]; then boot; fi
echo $$ >"$CGROUP/cgroup.procs"
RAWGATE_BOOT_INSIDE=1 exec unshare --mount --pid --ipc --uts --cgroup --propagation private --fork --kill-child "$0" "$@"
