#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034 # the plugin is sourced from a path in a variable, and uses the variables
# The DevStack plugin against stubs of DevStack's functions. Each function test_* is a case, run by itself in a shell
# with the options of stack.sh; the exit status is 0 if all of them pass.
#
#   FREEZER_TEST_BINARY          the service, which reads the configuration that the plugin makes
#   FREEZER_TEST_DATABASE_URL    a URL that it can be built for
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${FREEZER_TEST_BINARY:?set it to a built freezer-api}"
plugin=$here/../../devstack

# expect WHAT IS WANTED
expect() {
  [[ $2 == "$3" ]] || { printf '%s is\n%s\nand not\n%s\n' "$1" "$2" "$3"; exit 1; }
}
called() { grep -qxF -- "$1" "$calls" || { printf 'not called: %s\nbut\n%s\n' "$1" "$(cat "$calls")"; exit 1; }; }
not_called() { ! grep -qE -- "^$1( |\$)" "$calls" || { printf 'called: %s\n' "$(grep -E "^$1" "$calls")"; exit 1; }; }
# dies SENTENCE COMMAND...: it ends the shell, and says that.
dies() {
  local says=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "did not die: $*"
    exit 1
  fi
  [[ $said == *"$says"* ]] || { printf 'died, but said\n%s\n' "$said"; exit 1; }
}

# What DevStack does before the first phase.
load() {
  source "$plugin/settings"
  FREEZER_API_BIN_DIR=$scratch/bin FREEZER_API_CONF_DIR=$scratch/etc FREEZER_API_CONF=$scratch/etc/freezer-api.conf
  source "$plugin/lib/freezer-api"
  # Not this checkout: what the plugin builds and cleans is in there.
  default_dir=$FREEZER_API_DIR
  FREEZER_API_DIR=$scratch/source
  mkdir -p "$FREEZER_API_DIR"
  ln -sfn "$plugin" "$FREEZER_API_DIR/devstack"
}
phase() { source "$plugin/plugin.sh" "$@"; }
# A program of that name which notes how it was called.
program() {
  mkdir -p "$(dirname "$1")"
  printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$(basename "$1")" "$calls" "${2:-}" >"$1"
  chmod +x "$1"
}

test_the_settings_have_upstreams_names_and_the_plain_port() {
  load
  called "define_plugin freezer-api"
  is_service_enabled freezer-api || exit 1
  expect FREEZER_API_DIR "$default_dir" "$(cd "$plugin/.." && pwd)"
  expect FREEZER_API_REPO "$FREEZER_API_REPO $FREEZER_API_BRANCH" "https://git.example.com/ours.git main"
  expect FREEZER_API_URL "$FREEZER_API_URL" http://192.0.2.1:9090
  expect FREEZERCLIENT_REPO "$FREEZERCLIENT_REPO" https://git.example.com/openstack/python-freezerclient.git
}

test_what_local_conf_sets_stays() {
  FREEZER_API_PORT=9999 FREEZER_API_SERVICE_HOST=api.example.com FREEZER_API_BRANCH=topic FREEZER_API_CONF_DIR=/etc/other
  source "$plugin/settings"
  expect FREEZER_API_URL "$FREEZER_API_URL" http://api.example.com:9999
  expect FREEZER_API_BRANCH "$FREEZER_API_BRANCH" topic
  expect FREEZER_API_CONF "$FREEZER_API_CONF" /etc/other/freezer-api.conf
}

test_a_phase_does_nothing_without_the_service() {
  load
  ENABLED_SERVICES=key,mysql
  : >"$calls"
  for mode in "stack install" "stack post-config" "stack extra" unstack clean; do
    # shellcheck disable=SC2086 # two words are two arguments, as DevStack gives them
    phase $mode
  done
  expect "what was called" "$(cat "$calls")" ""
}

test_the_phases_come_in_the_order_of_devstack() {
  FREEZER_API_BINARY=$scratch/built
  program "$FREEZER_API_BINARY"
  load
  phase stack pre-install
  phase stack install
  phase stack post-config
  phase stack extra
  phase stack test-config
  phase unstack
  phase clean
  # From the installation to the start, without the lines of sudo and the like.
  expect "the order" "$(grep -oE '^(install_package|create_service_user|get_or_create_endpoint|stop_process|recreate_database|built --config|run_process|wait_for_service)' "$calls" | paste -sd ' ')" \
    "install_package create_service_user get_or_create_endpoint stop_process recreate_database built --config run_process wait_for_service stop_process"
}

test_a_binary_that_is_given_is_installed_and_nothing_built() {
  program "$scratch/cargo-bin/cargo"
  PATH=$scratch/cargo-bin:$PATH
  FREEZER_API_BINARY=$scratch/built
  program "$FREEZER_API_BINARY"
  load
  install_freezer_api
  called "install_package libmariadb3"
  # A library that is missing is found here.
  called "built --version"
  not_called cargo
  cmp "$FREEZER_API_BINARY" "$FREEZER_API_BIN_DIR/freezer-api"
  rm "$FREEZER_API_BINARY"
  dies "is not an executable file" install_freezer_api
}

test_cargo_builds_with_the_feature_of_the_database() {
  load
  PATH=$scratch/cargo-bin:$PATH
  program "$scratch/cargo-bin/cargo" "mkdir -p target/devstack/release && printf '#!/bin/sh\n' >target/devstack/release/freezer-api && chmod +x target/devstack/release/freezer-api"
  install_freezer_api
  called "git_clone https://git.example.com/ours.git $scratch/source main"
  called "install_package libmariadb3 gcc libc6-dev pkg-config libmariadb-dev"
  called "cargo build --locked --profile release --features mysql --target-dir $scratch/source/target/devstack"
  test -x "$FREEZER_API_BIN_DIR/freezer-api"
  DATABASE_TYPE=postgresql
  install_freezer_api
  called "install_package libpq5 gcc libc6-dev libpq-dev"
  called "cargo build --locked --profile release --features postgres --target-dir $scratch/source/target/devstack"
  program "$scratch/cargo-bin/cargo" "exit 101"
  dies "cargo could not build" install_freezer_api
}

test_cargo_is_found_where_rustup_puts_it() {
  load
  _freezer_api_cargo() { return 1; }
  dies "set FREEZER_API_BINARY" install_freezer_api
  source "$plugin/lib/freezer-api"
  program "$HOME/.cargo/bin/cargo"
  # shellcheck disable=SC2123 # it is the search path
  expect "what is found" "$(PATH='' && _freezer_api_cargo)" "$HOME/.cargo/bin/cargo"
}

test_what_cannot_work_is_refused_at_once() {
  load
  DATABASE_TYPE=
  dies "needs the service mysql or postgresql" install_freezer_api
  DATABASE_TYPE=mysql FREEZER_BACKEND=elasticsearch
  dies "FREEZER_BACKEND is 'elasticsearch'" install_freezer_api
  not_called install_package
  FREEZER_BACKEND=sqlalchemy FREEZER_API_SERVER_TYPE=uwsgi
  _check_freezer_api_settings
  grep -q '^warn .*FREEZER_API_SERVER_TYPE' "$calls" || exit 1
}

# What a run of the service says of the configuration.
shown() { (cd "$scratch" && "$FREEZER_TEST_BINARY" --config-file "$FREEZER_API_CONF" config show --changed 2>&1); }

test_the_service_accepts_the_configuration() {
  load
  mkdir -p "$FREEZER_API_CONF_DIR"
  echo "nonsense of an earlier run" >"$FREEZER_API_CONF"
  configure_freezer_api
  called "configure_keystone_authtoken_middleware $FREEZER_API_CONF freezer keystone_authtoken backup"
  expect "the mode" "$(stat -c %a "$FREEZER_API_CONF")" 600
  local shown
  shown=$(shown) || { echo "$shown"; exit 1; }
  for line in 'debug = true' 'service_type = backup' 'username = freezer'; do
    grep -qF "$line" <<<"$shown" || { printf 'not shown: %s\n%s\n' "$line" "$shown"; exit 1; }
  done
  grep -qA1 'bind_port' "$FREEZER_API_CONF" && grep -qx 'bind_host = 0.0.0.0' "$FREEZER_API_CONF"
}

test_a_tls_proxy_is_put_in_front() {
  ENABLED_SERVICES+=,tls-proxy
  load
  expect FREEZER_API_URL "$FREEZER_API_URL" https://192.0.2.1:9090
  configure_freezer_api
  grep -qx 'bind_port = 19090' "$FREEZER_API_CONF"
  grep -qx 'bind_host = 192.0.2.1' "$FREEZER_API_CONF"
  shown | grep -qF 'enable_proxy_headers_parsing = true'
  FREEZER_API_SERVICE_HOST=127.0.0.1 FREEZER_API_PORT_INT=1
  start_freezer_api
  called "start_tls_proxy freezer-api * 9090 127.0.0.1 1"
  called "wait_for_service 1 http://127.0.0.1:1/healthcheck"
}

test_the_accounts_are_those_of_the_python_service() {
  load
  create_freezer_api_accounts
  called "create_service_user freezer admin"
  called "get_or_create_service freezer backup Freezer Backup Service"
  called "get_or_create_endpoint backup RegionOne http://192.0.2.1:9090 http://192.0.2.1:9090 http://192.0.2.1:9090"
  ENABLED_SERVICES=freezer-api
  : >"$calls"
  create_freezer_api_accounts
  not_called create_service_user
}

test_the_stack_syncs_an_empty_database() {
  load
  program "$FREEZER_API_BIN_DIR/freezer-api"
  : >"$calls"
  init_freezer_api
  expect "what was called" "$(cat "$calls")" "stop_process freezer-api
recreate_database freezer
freezer-api --config-file $FREEZER_API_CONF db sync"
}

test_the_start_is_awaited_and_looked_at() {
  load
  FREEZER_API_PORT=1
  start_freezer_api
  called "run_process freezer-api $FREEZER_API_BIN_DIR/freezer-api --config-file $FREEZER_API_CONF serve"
  called "wait_for_service 1 http://127.0.0.1:1/healthcheck"
  FREEZER_API_LISTEN_ADDRESS=::1
  start_freezer_api
  called "wait_for_service 1 http://[::1]:1/healthcheck"
  # Something answers, but it is not the unit.
  systemctl() { return 3; }
  dies "freezer-api did not start" start_freezer_api
  systemctl() { return 0; }
  wait_for_service() { return 124; }
  dies "freezer-api did not start" start_freezer_api
}

test_a_port_that_is_taken_is_said_before_the_start() {
  load
  FREEZER_API_LISTEN_ADDRESS=127.0.0.1
  local server
  exec 4< <(exec python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)')
  server=$!
  read -r FREEZER_API_PORT <&4
  dies "Port $FREEZER_API_PORT is taken" start_freezer_api
  kill "$server"
  not_called run_process
}

test_the_client_comes_from_where_it_is_asked_for() {
  load
  install_freezerclient
  called "pip_install_gr python-freezerclient"
  called "sudo ln -sf $scratch/venv/bin/freezer /usr/local/bin/freezer"
  not_called setup_develop
  : >"$calls"
  LIBS_FROM_GIT=python-freezerclient
  install_freezerclient
  called "git_clone https://git.example.com/openstack/python-freezerclient.git $DEST/python-freezerclient master"
  called "setup_develop $DEST/python-freezerclient"
  not_called pip_install_gr
}

test_a_client_from_git_or_none() {
  FREEZERCLIENT_REPO=https://elsewhere.example.com/client.git FREEZERCLIENT_BRANCH=topic
  source "$plugin/settings"
  source "$plugin/lib/freezer-api"
  install_freezerclient
  called "git_clone https://elsewhere.example.com/client.git $DEST/python-freezerclient topic"
  : >"$calls"
  FREEZERCLIENT_INSTALL=no
  source "$plugin/settings"
  install_freezerclient
  not_called git_clone
  not_called pip_install_gr
}

test_clean_leaves_what_is_not_ours() {
  load
  mkdir -p "$FREEZER_API_DIR/target/devstack" "$FREEZER_API_DIR/target/release" "$FREEZER_API_CONF_DIR" "$FREEZER_API_BIN_DIR"
  touch "$FREEZER_API_CONF" "$FREEZER_API_CONF_DIR/scheduler.conf" "$FREEZER_API_BIN_DIR/freezer-api"
  cleanup_freezer_api
  expect "what is left" "$(cd "$scratch" && find etc bin source | sort | paste -sd ' ')" "bin etc etc/scheduler.conf source source/devstack source/target source/target/release"
  rm "$FREEZER_API_CONF_DIR/scheduler.conf"
  cleanup_freezer_api
  test ! -e "$FREEZER_API_CONF_DIR"
  # A second time, with nothing left.
  cleanup_freezer_api
}

failed=0
for test_case in $(compgen -A function test_); do
  scratch=$(mktemp --directory "${TMPDIR:-/tmp}/freezer-devstack-case.XXXXXX")
  calls=$scratch/calls
  touch "$calls"
  # `set -o errexit` counts only in a shell whose status is not asked for at once.
  (
    set -o errexit
    source "$here/stubs.sh"
    "$test_case"
  ) >"$scratch/output" 2>&1
  # shellcheck disable=SC2181 # see above
  if (($? == 0)); then
    echo "ok      $test_case"
  else
    echo "FAILED  $test_case"
    cat "$scratch/output"
    failed=1
  fi
  rm -rf "$scratch"
done
exit "$failed"
