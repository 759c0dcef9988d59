# shellcheck shell=bash
# A system with systemd as PID 1 in namespaces of its own, made by debootstrap: what a package does on a host can be tried
# without touching this one. It needs root.

# Why such a system cannot be had here; empty if it can.
no_systemd_because() {
  if [[ $EUID -ne 0 ]]; then
    echo "it needs root"
  elif ! have debootstrap; then
    echo "debootstrap is missing"
  elif ! unshare --fork --pid --mount --uts --ipc --net --cgroup true 2>/dev/null; then
    echo "this kernel or container gives no namespaces"
  fi
}

# The mirror that this host's packages come from.
debian_mirror() {
  local mirror
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  echo "${mirror:-http://deb.debian.org/debian}"
}

# make_root ROOT PACKAGE...: a bare Debian 12 with systemd and these packages, started by nothing while it is made.
make_root() {
  local root=$1
  shift
  run_logged "$root.log" debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$(debian_mirror)"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
  cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  run_logged "$root.log" chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    systemd systemd-sysv dbus libnss-systemd libpam-systemd "$@"
  rm "$root/usr/sbin/policy-rc.d"
  # No terminal is there for them, and a unit that fails makes the whole state "degraded".
  run_logged "$root.log" chroot "$root" systemctl mask console-getty.service getty@tty1.service
}

# boot ROOT: sets $machine, the process that holds the namespaces.
machine=
boot() {
  local group
  group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [[ -n $group ]] || { group=$scratch/cgroup; mkdir -p "$group"; mount -t cgroup2 cgroup2 "$group"; }
  group=$group/freezer-$$
  mkdir -p "$group"
  # shellcheck disable=SC2016 # the inner shell expands
  ROOT=$1 GROUP=$group setsid bash -c '
    echo $$ >"$GROUP/cgroup.procs"
    exec unshare --fork --pid --mount --uts --ipc --net --cgroup --propagation private bash -c "
      set -e
      hostname freezer-test; ip link set lo up
      mount --bind $ROOT $ROOT; cd $ROOT
      mount -t proc proc proc; mount -t sysfs -o ro sysfs sys
      mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup; mount -t cgroup2 cgroup2 sys/fs/cgroup
      mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts dev/shm
      for device in null zero full random urandom tty; do touch dev/\$device; mount --bind /dev/\$device dev/\$device; done
      mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts; ln -s pts/ptmx dev/ptmx
      mount -t tmpfs tmpfs dev/shm
      ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
      ln -sf /dev/null dev/kmsg; touch dev/console
      mount -t tmpfs -o mode=755 tmpfs run; mount -t tmpfs tmpfs tmp
      mkdir -p .old; pivot_root . .old; umount -l /.old
      exec env -i container=custom PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=1 /lib/systemd/systemd --system"' \
    >"$1.boot.log" 2>&1 </dev/null &
  machine=$!
  local tries
  for ((tries = 0; tries < 150; tries++)); do
    if inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; then
      return 0
    fi
    sleep 0.2
  done
  echo "systemd did not come up:" >&2
  cat "$1.boot.log" >&2
  return 1
}

# The process that is PID 1 in there.
machine_pid() {
  local child
  child=$(pgrep --parent "$machine" | head -n 1)
  echo "${child:?the machine is not up}"
}

# inside COMMAND...: runs it in there.
inside() {
  nsenter -t "$(machine_pid)" -m -p -u -i -n -C -- env -i LANG=C.UTF-8 TERM=dumb SYSTEMD_PAGER= SYSTEMD_COLORS=0 \
    DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

shut_down() {
  [[ -n $machine ]] || return 0
  local pid
  pid=$(machine_pid 2>/dev/null) && kill -RTMIN+4 "$pid" 2>/dev/null || true
  local tries
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.2
  done
  [[ -z ${pid:-} ]] || kill -9 "$pid" 2>/dev/null || true
  wait "$machine" 2>/dev/null || true
  machine=
}
