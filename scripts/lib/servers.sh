# shellcheck shell=bash
# Throwaway database servers: empty, on free ports of the loopback address, gone when the script that made them ends.
#
# For tests they may forget everything when the machine stops (fsync off and the like): no test is about that, and it
# is faster. The durable ones are for benchmarks.
# Adds to $server_pids, which stop_servers ends, and keeps data and logs in a temporary directory:
: "${scratch:=}" # set before start_servers is called

# shellcheck source=scripts/lib/mysql.sh
source "${BASH_SOURCE[0]%/*}/mysql.sh"

server_pids=()
compose_project=freezer-test-$$

# Prefix of every command of a server. It ends with this script, even if that is killed; and PostgreSQL refuses to
# run as root, so root's servers run as another user.
as_server=(setpriv --pdeathsig TERM)
if [[ $EUID -eq 0 ]]; then
  for server_user in postgres mysql nobody; do
    if id "$server_user" >/dev/null 2>&1; then
      break
    fi
  done
  as_server+=(--reuid "$server_user" --regid "$(id -g "$server_user")" --clear-groups)
fi

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A directory that the servers' user owns, inside one that it may pass through.
server_directory() {
  chmod 755 "$scratch"
  mkdir "$scratch/$1"
  [[ $EUID -ne 0 ]] || chown "$server_user" "$scratch/$1"
  echo "$scratch/$1"
}

# run_logged LOG COMMAND...: shows the log only when the command fails.
run_logged() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

# await PID LOG COMMAND...: until the command succeeds; gives up when the process has ended, or after a minute.
await() {
  local pid=$1 log=$2 tries
  shift 2
  for ((tries = 0; tries < 300; tries++)); do
    if "$@" 2>/dev/null; then return 0; fi
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.2
  done
  echo "A server did not start:" >&2
  cat "$log" >&2
  return 1
}

# A MySQL server speaks first; ours does when it is ready.
mysql_greets() { (exec 3<>"/dev/tcp/127.0.0.1/$1" && read -r -n 1 -t 5 <&3 -d '' _); }

# start_mariadb [OPTION...]: with further options of mariadbd, by default that it may forget.
start_mariadb() {
  local port data log=$scratch/mariadb.log options=("$@")
  (($#)) || options=(--innodb-flush-log-at-trx-commit=0 --skip-innodb-doublewrite)
  port=$(free_port)
  data=$(server_directory mariadb)
  run_logged "$log" "${as_server[@]}" mariadb-install-db --no-defaults --datadir="$data" \
    --auth-root-authentication-method=normal --skip-test-db
  cat >"$scratch/mariadb.sql" <<'SQL'
CREATE DATABASE freezer;
CREATE USER freezer@'%' IDENTIFIED BY 'freezer';
GRANT ALL ON *.* TO freezer@'%';
SQL
  "${as_server[@]}" mariadbd --no-defaults --datadir="$data" --init-file="$scratch/mariadb.sql" \
    --bind-address=127.0.0.1 --port="$port" --socket="$data/socket" --pid-file="$data/pid" --skip-name-resolve \
    --max-connections=500 "${options[@]}" >"$log" 2>&1 &
  server_pids+=($!)
  await $! "$log" mysql_greets "$port"
  export FREEZER_TEST_MYSQL_URL=mysql://freezer:freezer@127.0.0.1:$port/freezer
}

# A third of the machine's memory in megabytes, at most 8 GB: a million jobs with all that belongs to them need about 5.
room_for_data() { awk '/^MemTotal/ { room = int($2 / 3072); print (room > 8192 ? 8192 : room) }' /proc/meminfo; }

# As an operator has it: nothing that was acknowledged is lost, and there is room for what is used.
start_durable_mariadb() {
  start_mariadb --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size="$(room_for_data)M" \
    --innodb-log-file-size=1G
}

# start_postgresql [OPTION...]: with further options of postgres, by default that it may forget.
start_postgresql() {
  local port data bin log=$scratch/postgresql.log options=("$@")
  (($#)) || options=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
  port=$(free_port)
  data=$(server_directory postgresql)
  bin=$(postgres_bin)
  run_logged "$log" "${as_server[@]}" "$bin/initdb" --pgdata="$data/data" --username=freezer --auth=trust \
    --encoding=UTF8 --locale=C --no-sync
  "${as_server[@]}" "$bin/postgres" -D "$data/data" -c listen_addresses=127.0.0.1 -c port="$port" \
    -c unix_socket_directories="$data" -c max_connections=300 "${options[@]}" >"$log" 2>&1 &
  server_pids+=($!)
  await $! "$log" "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port"
  export FREEZER_TEST_POSTGRES_URL=postgres://freezer:freezer@127.0.0.1:$port/postgres
}

# As an operator has it: nothing that was acknowledged is lost, and there is room for what is used.
start_durable_postgresql() {
  start_postgresql -c shared_buffers="$(room_for_data)MB" -c max_wal_size=4GB
}

# The services of compose.yaml, on ports that docker picks.
start_in_docker() {
  FREEZER_TEST_MYSQL_PORT='' FREEZER_TEST_POSTGRES_PORT='' \
    docker compose --project-name "$compose_project" up --detach --wait --quiet-pull "$1" >&2
}

port_in_docker() { docker compose --project-name "$compose_project" port "$1" "$2"; }

# Which server stands for MySQL: `mysql` (Oracle's), `mariadb`, or `both`, one after the other. By default what is at hand.
mysql_flavour() {
  local flavour=${FREEZER_TEST_MYSQL_FLAVOUR:-}
  if [[ -z $flavour ]]; then
    if docker_works; then flavour=mysql; else flavour=mariadb; fi
  fi
  case $flavour in
    mysql | mariadb | both) echo "$flavour" ;;
    *)
      echo "FREEZER_TEST_MYSQL_FLAVOUR is mysql, mariadb or both, and not $flavour" >&2
      return 1
      ;;
  esac
}

# start_mysql_or_mariadb FLAVOUR: sets FREEZER_TEST_MYSQL_URL.
start_mysql_or_mariadb() {
  local address
  if [[ $1 == mariadb ]]; then
    start_mariadb
  elif docker_works; then
    start_in_docker mysql
    address=$(port_in_docker mysql 3306)
    export FREEZER_TEST_MYSQL_URL=mysql://root:freezer@$address/freezer
  else
    # shellcheck disable=SC2119 # its arguments are options, and not the script's
    start_mysql
  fi
}

# start_servers: those whose variable is not set. With `both`, MySQL's comes first, and $mariadb_url is the other's.
mariadb_url=
start_servers() {
  local address flavour
  if [[ -z ${FREEZER_TEST_MYSQL_URL:-} ]]; then
    flavour=$(mysql_flavour)
    if [[ $flavour == both ]]; then
      start_mariadb
      # shellcheck disable=SC2034 # scripts/test reads it
      mariadb_url=$FREEZER_TEST_MYSQL_URL
      flavour=mysql
    fi
    start_mysql_or_mariadb "$flavour"
  fi
  if [[ -z ${FREEZER_TEST_POSTGRES_URL:-} ]]; then
    if docker_works; then
      start_in_docker postgresql
      address=$(port_in_docker postgresql 5432)
      export FREEZER_TEST_POSTGRES_URL=postgres://freezer:freezer@$address/freezer
    else
      start_postgresql
    fi
  fi
}

stop_servers() {
  if ((${#server_pids[@]})); then
    kill -QUIT "${server_pids[@]}" 2>/dev/null || true # for both: at once, and in order
    wait "${server_pids[@]}" 2>/dev/null || true
  fi
  if docker_works; then
    docker compose --project-name "$compose_project" down --volumes >/dev/null 2>&1 || true
  fi
}
