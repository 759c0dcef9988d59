# shellcheck shell=bash
# A Keystone for the tests, gone when the script that made it ends. It takes some seconds to start, most of them
# Python's, so that the database servers are started in the meantime.
: "${scratch:=}" # set before start_keystone is called

keystone_pid=

start_keystone() {
  [[ -z ${FREEZER_TEST_KEYSTONE:-} ]] || return 0
  mkdir "$scratch/keystone"
  # It ends with this script, even if that is killed.
  setpriv --pdeathsig TERM "$FREEZER_TEST_PYTHON" tests/cloud/keystone/serve.py "$scratch/keystone" \
    --port "$(free_port)" >"$scratch/keystone.log" 2>&1 &
  keystone_pid=$!
  export FREEZER_TEST_KEYSTONE=$scratch/keystone/cloud.json
}

await_keystone() {
  [[ -z $keystone_pid ]] || await "$keystone_pid" "$scratch/keystone.log" test -e "$FREEZER_TEST_KEYSTONE"
}

# What it has to say about a run that failed, if anything.
keystone_errors() {
  [[ -z $keystone_pid ]] || grep -E ' (ERROR|CRITICAL) ' "$scratch/keystone.log" | tail -n 40 >&2 || true
}

stop_keystone() {
  if [[ -n $keystone_pid ]]; then
    kill "$keystone_pid" 2>/dev/null || true
    wait "$keystone_pid" 2>/dev/null || true
  fi
}
