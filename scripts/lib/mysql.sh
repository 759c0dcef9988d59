# shellcheck shell=bash
# Oracle's MySQL for the tests, where docker does not run: Debian's packages of it, unpacked beside cargo's output. It needs
# neither root nor a change to the system, and runs with its own C library, so that the system's may be older.

# shellcheck source=scripts/lib/sid.sh
source "${BASH_SOURCE[0]%/*}/sid.sh"

mysql_root=$PWD/target/mysql
as_server=() # servers.sh sets both
: "${scratch:=}"

# The packages, of Debian's unstable distribution, which is the only one that has MySQL.
unpack_mysql() {
  [[ ! -e $mysql_root/complete ]] || return 0
  local state=$mysql_root/apt deb
  rm -rf "$mysql_root"
  echo "Unpacking MySQL into target/mysql" >&2
  if ! prepare_sid "$state"; then
    echo "MySQL cannot be had here: neither docker runs, nor do apt-get and Debian's keyring on amd64 give its packages." \
      "FREEZER_TEST_MYSQL_URL may name a server." >&2
    return 1
  fi
  run_logged "$mysql_root/log" "${sid_apt[@]}" install --yes --download-only --no-install-recommends mysql-server-core || return
  for deb in "$state"/cache/archives/*.deb; do
    case ${deb##*/} in
      perl* | libperl* | gcc-*-base* | libgdbm* | libdb5.3* | libc-gconv*) ;;
      *) dpkg-deb --extract "$deb" "$mysql_root/root" || return ;;
    esac
  done
  rm -r "$state"
  touch "$mysql_root/complete"
}

# start_mysql [OPTION...]: with further options of mysqld, by default that it may forget.
start_mysql() {
  local port data libraries log=$scratch/mysql.log options=("$@")
  (($#)) || options=(--innodb-flush-log-at-trx-commit=0 --skip-innodb-doublewrite --skip-log-bin)
  unpack_mysql
  port=$(free_port)
  data=$(server_directory mysql)
  libraries=$mysql_root/root/usr/lib/x86_64-linux-gnu
  local share=$mysql_root/root/usr/share/mysql
  # Through its own loader: the system's may be too old for it.
  local mysqld=("${as_server[@]}" "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries"
    "$mysql_root/root/usr/sbin/mysqld" --no-defaults --basedir="$mysql_root/root/usr" --lc-messages-dir="$share"
    --character-sets-dir="$share/charsets" --plugin-dir="$mysql_root/root/usr/lib/mysql/plugin" --datadir="$data/data"
    --secure-file-priv=NULL)
  run_logged "$log" "${mysqld[@]}" --initialize-insecure
  cat >"$scratch/mysql.sql" <<'SQL'
CREATE DATABASE freezer;
CREATE USER freezer@'%' IDENTIFIED BY 'freezer';
GRANT ALL ON *.* TO freezer@'%';
SQL
  "${mysqld[@]}" --init-file="$scratch/mysql.sql" --bind-address=127.0.0.1 --port="$port" --socket="$data/socket" \
    --pid-file="$data/pid" --mysqlx=OFF --max-connections=500 "${options[@]}" >"$log" 2>&1 &
  server_pids+=($!)
  await $! "$log" mysql_greets "$port"
  export FREEZER_TEST_MYSQL_URL=mysql://freezer:freezer@127.0.0.1:$port/freezer
}
