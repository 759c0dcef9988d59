# shellcheck shell=bash
# A Debian of its own, booted: systemd as the first process of new namespaces, in a directory made by debootstrap. It
# needs root, and no container engine. The network is the machine's own, unless $booted_network is `none`: then there is
# the loopback device alone, and any port is free. With `behind` any port is free, too, and there is a way out: slirp4netns
# makes its connections as a program of the machine does, so that nothing of the machine's network changes.
#
# A script that uses it sets $booted_root, and calls stop_booted when it ends.
: "${booted_root:=}" "${booted_network:=host}"

# This machine's: Debian, bookworm.
booted_distribution=$(. /etc/os-release && echo "${NAME%% *}")
booted_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
booted_pid=
booted_init=
booted_cgroup=
booted_way_out=

# make_root PACKAGE...: a Debian or Ubuntu of this machine's release, with systemd and these packages, in $booted_root.
make_root() {
  local packages=(ca-certificates curl dbus iproute2 libnss-systemd libpam-systemd locales procps systemd systemd-sysv "$@")
  debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" "$booted_release" "$booted_root"
}

# What a root needs to be at home on this machine: the names of hosts, the authorities, the distribution's updates (which
# debootstrap leaves out), and none of the units that need a terminal, take apt's lock by themselves, or set what belongs
# to the whole machine.
settle_root() {
  local hostname=$1 unit
  echo "$hostname" >"$booted_root/etc/hostname"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$hostname" >"$booted_root/etc/hosts"
  cp --dereference /etc/resolv.conf "$booted_root/etc/resolv.conf"
  cp --dereference /etc/ssl/certs/ca-certificates.crt "$booted_root/etc/ssl/certs/ca-certificates.crt"
  # shellcheck disable=SC2016 # apt expands them
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' "Origin: $booted_distribution" \
    | grep -F " $booted_release" | sort -u >"$booted_root/etc/apt/sources.list"
  for unit in console-getty.service getty@tty1.service systemd-sysctl.service apt-daily.timer apt-daily-upgrade.timer; do
    ln -sf /dev/null "$booted_root/etc/systemd/system/$unit"
  done
}

# Starts systemd in $booted_root, and waits until it has started everything.
boot() {
  local hierarchy log=$1
  hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  if [[ -z $hierarchy ]]; then
    echo "systemd cannot be booted here: no cgroup2 hierarchy is mounted" >&2
    return 1
  fi
  booted_cgroup=$hierarchy/freezer-booted-$$
  mkdir "$booted_cgroup"
  # The subshell is the only process in the new cgroup, and becomes unshare. It ends with this script, and what it started
  # ends with it.
  (
    echo "$BASHPID" >"$booted_cgroup/cgroup.procs"
    namespaces=(--pid --mount --uts --ipc --cgroup)
    [[ $booted_network == host ]] || namespaces+=(--net)
    exec setpriv --pdeathsig KILL unshare --fork --kill-child "${namespaces[@]}" --propagation private \
      bash -euc "$become_systemd" sh "$booted_root"
  ) >"$log" 2>&1 </dev/null &
  booted_pid=$!
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    booted_init=$(cat "/proc/$booted_pid/task/$booted_pid/children" 2>/dev/null | tr -d ' ') || true
    if [[ -n $booted_init ]] && in_booted systemctl is-system-running --quiet >/dev/null 2>&1; then
      [[ $booted_network != behind ]] || make_way_out "$log"
      return
    fi
    kill -0 "$booted_pid" 2>/dev/null || break
    sleep 0.2
  done
  echo "systemd did not start, or not everything of it:" >&2
  cat "$log" >&2
  in_booted systemctl --no-pager --failed >&2 || true
  return 1
}

# Its name server is 10.0.2.3, behind which is the machine's own.
make_way_out() {
  local tries
  echo 'nameserver 10.0.2.3' >"$booted_root/etc/resolv.conf"
  setpriv --pdeathsig TERM slirp4netns --configure --mtu=65520 --disable-host-loopback "$booted_init" way-out >>"$1" 2>&1 &
  booted_way_out=$!
  for ((tries = 0; tries < 50; tries++)); do
    ! in_booted ip route show default | grep -q via || return 0
    sleep 0.2
  done
  echo "slirp4netns gave no way out:" >&2
  tail -n 5 "$1" >&2
  return 1
}

# What unshare runs: the root gets its own proc, sys, dev, run and tmp, becomes /, and systemd becomes its first process.
# Devices are the machine's, by bind mounts, because a new tmpfs may not allow device nodes.
# shellcheck disable=SC2016 # the shell that runs it expands it
become_systemd='
  hostname "$(cat "$1/etc/hostname")"
  ip link set lo up 2>/dev/null || true
  mount --bind "$1" "$1"
  cd "$1"
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/pts dev/shm
  for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  mount -t tmpfs tmpfs dev/shm
  ln -s /proc/self/fd dev/fd
  ln -s fd/0 dev/stdin
  ln -s fd/1 dev/stdout
  ln -s fd/2 dev/stderr
  ln -s /dev/null dev/kmsg
  touch dev/console
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs tmpfs tmp
  mkdir -p .old
  pivot_root . .old
  umount -l /.old
  exec env -i container=custom PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SYSTEMD_PROC_CMDLINE="systemd.unified_cgroup_hierarchy=1 systemd.log_target=console" /lib/systemd/systemd --system
'

# in_booted COMMAND...: runs it there, as root.
in_booted() {
  local namespaces=(--mount --pid --uts --ipc --cgroup)
  [[ $booted_network == host ]] || namespaces+=(--net)
  nsenter --target "$booted_init" "${namespaces[@]}" -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 SYSTEMD_PAGER= \
    SYSTEMD_COLORS=0 "$@"
}

stop_booted() {
  # The root is thrown away, so that nothing has to be stopped in order: with the first process of a namespace all others
  # end, and unshare ends its child.
  if [[ -n $booted_pid ]]; then
    kill -KILL "$booted_pid" 2>/dev/null || true
    wait "$booted_pid" 2>/dev/null || true
  fi
  if [[ -n $booted_init ]]; then
    timeout 60 tail --pid="$booted_init" -f /dev/null || true
  fi
  if [[ -n $booted_way_out ]]; then
    kill -TERM "$booted_way_out" 2>/dev/null || true
    wait "$booted_way_out" 2>/dev/null || true
  fi
  booted_pid='' booted_init='' booted_way_out=''
  # systemd leaves the groups of its units behind; the innermost go first.
  if [[ -n $booted_cgroup ]]; then
    find "$booted_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    booted_cgroup=
  fi
}
