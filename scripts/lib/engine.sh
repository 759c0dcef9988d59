# shellcheck shell=bash
# A container engine of its own, where none runs: Debian's packages of docker, unpacked into target/docker and started in
# $scratch. It needs root, and changes nothing of the system; no bridge and no address exists that no network asks for.

# shellcheck source=scripts/lib/sid.sh
source "${BASH_SOURCE[0]%/*}/sid.sh"

: "${scratch:=}" # set before start_engine is called

engine_root=$PWD/target/docker
engine_pid=

unpack_engine() {
  [[ ! -e $engine_root/complete ]] || return 0
  local state=$engine_root/apt deb
  rm -rf "$engine_root/root"
  mkdir -p "$state/archives"
  echo "Unpacking docker into target/docker" >&2
  (cd "$state/archives" && run_logged "$state/log" apt-get -qq -o APT::Sandbox::User=root download docker.io containerd runc)
  # `docker compose` is in the unstable distribution only; it is one program that needs nothing else.
  if prepare_sid "$state"; then
    (cd "$state/archives" && run_logged "$state/log" "${sid_apt[@]}" download docker-compose)
  fi
  for deb in "$state"/archives/*.deb; do
    dpkg-deb --extract "$deb" "$engine_root/root"
  done
  rm -r "$state"
  touch "$engine_root/complete"
}

# Sets DOCKER_HOST, DOCKER_CONFIG and PATH, so that `docker` is this engine's from then on.
start_engine() {
  local directory=$scratch/engine tries
  unpack_engine
  mkdir -p "$directory/config"
  ln -s "$engine_root/root/usr/libexec/docker/cli-plugins" "$directory/config/cli-plugins"
  export PATH=$engine_root/root/usr/sbin:$engine_root/root/usr/bin:$PATH
  export DOCKER_HOST=unix://$directory/socket DOCKER_CONFIG=$directory/config
  # In a mount namespace, with which all of its mounts end. Ports are published by docker's own proxy, so that no
  # packet filter is touched.
  setpriv --pdeathsig TERM unshare --mount dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/pid" \
    --host "$DOCKER_HOST" --bridge none --iptables=false --ip6tables=false --ip-masq=false \
    >"$directory/log" 2>&1 </dev/null &
  engine_pid=$!
  for ((tries = 0; tries < 150; tries++)); do
    if docker info >/dev/null 2>&1; then return 0; fi
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.2
  done
  echo "The container engine did not start:" >&2
  tail -n 20 "$directory/log" >&2
  return 1
}

# It ends its containers and its containerd.
stop_engine() {
  [[ -n $engine_pid ]] || return 0
  kill -TERM "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  engine_pid=
}
