# shellcheck shell=bash
# The Python environment of the run with the real clients, kept beside cargo's output and made anew only when
# its requirements change.

make_venv() {
  local target venv requirements=tests/real_clients/requirements.txt
  target=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
  venv=$target/real-clients-venv
  mkdir -p "$target"
  (
    flock 9 # another run may be at the same
    if ! cmp -s "$requirements" "$venv/requirements.txt" || ! "$venv/bin/python" -c '' 2>/dev/null; then
      echo "Making the clients' Python environment in $venv" >&2
      python3 -m venv --clear "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
      cp "$requirements" "$venv/requirements.txt" # last: it says that all the rest is there
    fi
  ) 9>"$venv.lock"
  export FREEZER_TEST_PYTHON=$venv/bin/python
}
