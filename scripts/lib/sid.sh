# shellcheck shell=bash
# Packages of Debian's unstable distribution, for what only it has: apt with a state of its own, so that neither the system
# nor its list of packages changes. Needs run_logged of servers.sh.

# prepare_sid DIRECTORY: makes apt's state there, and sets $sid_apt to the command that uses it.
sid_apt=()
prepare_sid() {
  local state=$1 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [[ $(dpkg --print-architecture 2>/dev/null) != amd64 || ! -e $keyring ]] || ! have apt-get; then
    return 1
  fi
  mkdir -p "$state"/{lists/partial,cache/archives/partial,parts,prefs}
  : >"$state/status"
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  echo "deb [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} sid main" >"$state/sources.list"
  sid_apt=(apt-get -qq -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status"
    -o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts="$state/parts"
    -o Dir::Etc::preferencesparts="$state/prefs" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  run_logged "$state/log" "${sid_apt[@]}" update
}
