# shellcheck shell=bash
# The Python environment of the tests with real clients and services, kept beside cargo's output and made anew only
# when its requirements change.

make_venv() {
  local target venv requirements=tests/requirements.txt
  target=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
  venv=$target/test-venv
  mkdir -p "$target"
  (
    flock 9 # another run may be at the same
    if ! cmp -s "$requirements" "$venv/requirements.txt" || ! "$venv/bin/python" -c '' 2>/dev/null; then
      echo "Making the tests' Python environment in $venv" >&2
      python3 -m venv --clear "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
      cp "$requirements" "$venv/requirements.txt" # last: it says that all the rest is there
    fi
  ) 9>"$venv.lock"
  export FREEZER_TEST_PYTHON=$venv/bin/python
}
