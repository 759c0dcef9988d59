# shellcheck shell=bash disable=SC2034 # the plugin uses the variables
# DevStack as the plugin sees it: its variables, and its functions, which note that they were called in $calls. What a
# function does is as much as the cases look at.
: "${scratch:?}" "${calls:?}" # cases.sh sets them

DEST=$scratch/stack
HOME=$scratch/home
STACK_USER=$(id -un)
SERVICE_HOST=192.0.2.1
SERVICE_LOCAL_HOST=127.0.0.1
SERVICE_LISTEN_ADDRESS=0.0.0.0
SERVICE_PROTOCOL=http
SERVICE_TIMEOUT=1
REGION_NAME=RegionOne
ENABLE_DEBUG_LOG_LEVEL=True
GIT_BASE=https://git.example.com
DATABASE_TYPE=mysql
ENABLED_SERVICES=key,mysql
SYSTEMCTL=systemctl
LIBS_FROM_GIT=
declare -A GITREPO=([freezer-api]=https://git.example.com/ours.git) GITBRANCH=([freezer-api]=main)
mkdir -p "$DEST" "$HOME"

note() { echo "$*" >>"$calls"; }

# Functions of which only the call counts.
for stub in define_plugin echo_summary git_clone install_package pip_install_gr setup_develop recreate_database \
  create_service_user get_or_create_service get_or_create_endpoint run_process stop_process start_tls_proxy \
  wait_for_service warn; do
  eval "$stub() { note $stub \"\$@\"; }"
done

is_ubuntu() { true; }
use_library_from_git() { [[ ,$LIBS_FROM_GIT, == *,$1,* ]]; }
get_python_exec_prefix() { echo "$scratch/venv/bin"; }
ipv6_unquote() { echo "$1" | tr -d '[]'; }
database_connection_url() { echo "${FREEZER_TEST_DATABASE_URL:-mysql+pymysql://root:secret@127.0.0.1/$1?charset=utf8}"; }
setup_logging() { iniset "$1" DEFAULT log_color False; }
systemctl() { note systemctl "$@"; }

die() {
  echo "died: $2" >&2
  exit 3
}

trueorfalse() {
  local value=${!2:-$1}
  [[ ${value,,} =~ ^(1|true|yes|y)$ ]] && echo True || echo False
}

# Several services are or-ed; `keystone` is called `key` in the list.
is_service_enabled() {
  local service
  for service in "$@"; do
    [[ ,$ENABLED_SERVICES, != *",${service/keystone/key},"* ]] || return 0
  done
  return 1
}
enable_service() { ENABLED_SERVICES+=,$1; }

# iniset FILE SECTION OPTION VALUE: appends, with the section in front of each; the service reads such a file, too.
iniset() { printf '[%s]\n%s = %s\n' "$2" "$3" "$4" >>"$1"; }

configure_keystone_authtoken_middleware() {
  note configure_keystone_authtoken_middleware "$@"
  local option
  for option in 'auth_type = password' 'interface = public' "auth_url = http://$SERVICE_HOST/identity" "username = $2" \
    'password = secret' 'user_domain_name = Default' 'project_name = service' 'project_domain_name = Default' \
    "cafile = $DEST/data/ca-bundle.pem" 'memcached_servers = localhost:11211' "service_type = $4"; do
    iniset "$1" "$3" "${option%% = *}" "${option#* = }"
  done
}

# Only what is in the directory of this run is changed.
sudo() {
  note sudo "$@"
  local argument
  for argument in "$@"; do
    if [[ $argument == /* && $argument != "$scratch"/* && $argument != /dev/null ]]; then
      return 0
    fi
  done
  command "$@"
}
