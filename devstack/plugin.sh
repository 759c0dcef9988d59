# shellcheck shell=bash disable=SC2154 # FREEZER_API_DIR is in settings
# DevStack sources this file for each phase: `source plugin.sh stack install` and so on.

if is_service_enabled freezer-api; then
    source "$FREEZER_API_DIR/devstack/lib/freezer-api"

    case "$1 ${2:-}" in
        "stack install")
            echo_summary "Installing freezer-api"
            install_freezer_api
            install_freezerclient
            ;;
        "stack post-config")
            echo_summary "Configuring freezer-api"
            configure_freezer_api
            create_freezer_api_accounts
            ;;
        "stack extra")
            echo_summary "Starting freezer-api"
            init_freezer_api
            start_freezer_api
            ;;
        "unstack ")
            stop_freezer_api
            ;;
        "clean ")
            cleanup_freezer_api
            ;;
    esac
fi
