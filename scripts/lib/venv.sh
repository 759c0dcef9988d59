# shellcheck shell=bash
# The Python environments of the tests with real clients and services, kept beside cargo's output and made anew only
# when their requirements change.

# venv_of NAME REQUIREMENTS [PYTHON]: makes target/NAME if that is due; $venv_python is its interpreter.
venv_of() {
  local target venv requirements=$2
  target=$(cargo metadata --no-deps --format-version 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
  venv=$target/$1
  mkdir -p "$target"
  (
    flock 9 # another run may be at the same
    if ! cmp -s "$requirements" "$venv/requirements.txt" || ! "$venv/bin/python" -c '' 2>/dev/null; then
      echo "Making a Python environment for the tests in $venv" >&2
      "${3:-python3}" -m venv --clear "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
      cp "$requirements" "$venv/requirements.txt" # last: it says that all the rest is there
    fi
  ) 9>"$venv.lock"
  venv_python=$venv/bin/python
}

make_venv() {
  venv_of test-venv tests/requirements.txt
  export FREEZER_TEST_PYTHON=$venv_python
}
