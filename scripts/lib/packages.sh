# shellcheck shell=bash
# What a machine must have to build with every backend and to run the tests: looked for, and installed when it can be.

have() { command -v "$1" >/dev/null 2>&1; }

# The directory of PostgreSQL's programs: distributions keep them out of the PATH. The newest one, if any.
postgres_bin() {
  local found
  if have initdb && have postgres; then
    dirname "$(readlink -f "$(command -v initdb)")"
    return
  fi
  found=$(find /usr/lib/postgresql /usr/pgsql-* -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $found ]] && dirname "$found"
}

docker_works() { have docker && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

# The Debian packages that are missing here, one a line.
missing_packages() {
  have cc || printf '%s\n' gcc libc6-dev
  have pkg-config || echo pkg-config
  pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null || echo libmariadb-dev
  pkg-config --exists libpq 2>/dev/null || echo libpq-dev
  have haproxy || [[ -x /usr/sbin/haproxy ]] || echo haproxy
  python3 -c 'import venv, ensurepip' 2>/dev/null || printf '%s\n' python3 python3-venv
  if ! docker_works; then
    # Only MariaDB's programs are needed, not the package that also starts a server for good.
    [[ -n ${FREEZER_TEST_MYSQL_URL:-} || ${FREEZER_TEST_MYSQL_FLAVOUR:-} == mysql ]] \
      || { have mariadbd && have mariadb-install-db; } \
      || printf '%s\n' mariadb-server-core mariadb-client-core
    [[ -n ${FREEZER_TEST_POSTGRES_URL:-} ]] || postgres_bin >/dev/null || echo postgresql
  fi
}

# The same, for three nodes of MariaDB with Galera behind HAProxy. The scripts by which a node gets everything from
# another one are in mariadb-server.
missing_galera_packages() {
  have cc || printf '%s\n' gcc libc6-dev
  have pkg-config || echo pkg-config
  pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null || echo libmariadb-dev
  pkg-config --exists libpq 2>/dev/null || echo libpq-dev
  have wsrep_sst_rsync || echo mariadb-server
  [[ -e /usr/lib/galera/libgalera_smm.so ]] || echo galera-4
  have rsync || echo rsync
  have lsof || echo lsof
  have haproxy || echo haproxy
}

# The same, to build a Debian package.
missing_debian_packages() {
  have dpkg-buildpackage || echo dpkg-dev
  have dh || echo debhelper
  have dh_installsysusers || echo dh-sequence-installsysusers
  have lintian || echo lintian
}

# The same, to build an RPM.
missing_rpm_packages() {
  have strip || echo binutils
  have rpmbuild || echo rpm
  have rpmlint || echo rpmlint
}

# install_packages [LIST]: what the function LIST says is missing; without it, what all tests need.
install_packages() {
  local missing apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
  mapfile -t missing < <("${1:-missing_packages}")
  ((${#missing[@]})) || return 0

  if [[ $EUID -ne 0 ]]; then
    apt=(sudo --non-interactive "${apt[@]}")
  fi
  if ! have apt-get || ! { [[ $EUID -eq 0 ]] || sudo --non-interactive true 2>/dev/null; }; then
    echo "Please install what these Debian packages hold, then run this again: ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${missing[*]}" >&2
  "${apt[@]}" update -qq >&2
  "${apt[@]}" install -qq --yes --no-install-recommends "${missing[@]}" >&2
}
