"""The panel of actions: one of each kind that its dialog offers, then what else can be done to them."""

from steps import same

CREATE = "/project/freezer-actions/create/"
QUEUED = ["Success: Action queued correctly. It will appear soon."]
LOCAL = {"storage": "local", "container": "/srv/store"}
KINDS = {
    "fs-local": {"mode": "fs", "path_to_backup": "/etc"} | LOCAL,
    "fs-swift": {"mode": "fs", "storage": "swift", "path_to_backup": "/home", "container": "homes"},
    "fs-ssh": {
        "mode": "fs",
        "storage": "ssh",
        "path_to_backup": "/srv",
        "container": "/backups",
        "ssh_host": "192.0.2.1",
        "ssh_username": "keeper",
        "ssh_key": "/root/.ssh/id",
    },
    "mysql": {"mode": "mysql", "mysql_conf": "/etc/mysql/my.cnf", "path_to_backup": "/var/lib/mysql"} | LOCAL,
    "mongo": {"mode": "mongo", "path_to_backup": "/var/lib/mongodb"} | LOCAL,
    # The agents call it `sqlserver`: the action is kept as the dialog has it, and no job takes it.
    "mssql": {"mode": "mssql", "sql_server_conf": "c:\\sql.conf", "path_to_backup": "c:\\data"} | LOCAL,
    "cinder": {"mode": "cinder", "cinder_vol_id": "volume-1", "storage": "swift", "container": "volumes"},
    "cindernative": {"mode": "cindernative", "cindernative_vol_id": "volume-2", "fullbackup_rotation": 3},
    "nova": {"mode": "nova", "engine_name": "nova", "nova_inst_id": "server-1", "container": "servers"},
    "glance": {"mode": "glance", "engine_name": "glance", "glance_image_id": "image-1", "container": "images"},
    "restore-fs": {"action": "restore", "mode": "fs", "restore_abs_path": "/back", "restore_from_host": "vm"} | LOCAL,
    "restore-nova": {
        "action": "restore",
        "mode": "nova",
        "nova_inst_id": "server-1",
        "nova_restore_network": "net-1",
        "container": "servers",
    },
    "restore-glance": {"action": "restore", "mode": "glance", "glance_image_id": "image-1", "container": "images"},
}
# What the other three tabs of the dialog have, each as it comes to the service.
REST = {
    "snapshot": True,
    "log_file": "/var/log/it",
    "exclude": "*.tmp",
    "proxy": "http://192.0.2.2:3128",
    "upload_limit": 1000,
    "download_limit": 2000,
    "compression": "xz",
    "max_segment_size": 67108864,
    "hostname": "vm",
    "encryption_password": "/root/key",
    "max_level": 7,
    "always_level": 2,
    "restart_always_level": 30,
    "insecure": True,
    "dereference_symlink": True,
    "dry_run": True,
    "max_priority": True,
    "quiet": True,
    "get_object": "hosts",
    "dst_file": "/tmp/hosts",
    "remove_older_than": "30",
    "remove_from_date": "2030-01-02T03:04:00",
    "restore_from_date": "2030-01-02T03:04:05",
}
RULES = {"max_retries": 4, "max_retries_interval": 60, "mandatory": True}


def ticked(fields):
    return {name: "on" if value is True else value for name, value in fields.items()}


def named(service, name):
    [action] = [each for each in service.all("actions") if each["freezer_action"]["backup_name"] == name]
    return action


def play(steps, browser, service):
    """The ids of the actions that are there then, by their names."""
    for name, fields in KINDS.items():
        with steps(f"create an action: {name}"):
            same(browser.send(CREATE, backup_name=name, **fields), QUEUED)
            service.wrote("POST actions 201")
            made = named(service, name)["freezer_action"]
            same({key: made.get(key) for key in fields}, fields)
            same(made["action"], fields.get("action", "backup"))

    with steps("create an action with all fields of all tabs"):
        fields = KINDS["fs-ssh"] | REST
        same(browser.send(CREATE, backup_name="all of it", **ticked(fields | RULES)), QUEUED)
        service.wrote("POST actions 201")
        made = named(service, "all_of_it")
        same({key: made["freezer_action"].get(key) for key in fields}, fields)
        same({key: made[key] for key in RULES}, RULES)

    with steps("an empty dialog stays open, and asks the service for nothing"):
        wanted = ["You must define an action name.", "You must define a path to backup."]
        same(browser.send(CREATE), wanted)
        service.wrote()

    with steps("an action of the kind admin fails in Horizon itself"):
        same(browser.send(CREATE, action="admin"), 500)
        service.wrote()

    actions = {each["freezer_action"]["backup_name"]: each["action_id"] for each in service.all("actions")}
    with steps("the list has all actions, oldest first"):
        same(browser.table("actions"), [actions[name] for name in [*KINDS, "all_of_it"]])
    with steps("its filter finds those with a word anywhere"):
        same(browser.table("actions", "restore"), [actions[name] for name in KINDS if name.startswith("restore")])
        same(browser.table("actions", "server-1"), [actions["nova"], actions["restore-nova"]])
        same(browser.table("actions", "nowhere"), [])
        same(len(browser.table("actions", "")), len(actions))
    with steps("an action's own page"):
        page = browser.page(f"/project/freezer-actions/action/{actions['all_of_it']}")
        same([text for text in ("all_of_it", "/backups", "/srv") if text not in page], [])

    with steps("edit an action"):
        path = f"{CREATE}{actions['fs-local']}"
        same(browser.send(path, backup_name="etc", path_to_backup="/etc/ssl", mandatory="on", max_retries=2), QUEUED)
        service.wrote("PATCH actions 200")
        changed = named(service, "etc")
        same((changed["action_id"], changed["mandatory"], changed["max_retries"]), (actions["fs-local"], True, 2))
        same(changed["freezer_action"]["path_to_backup"], "/etc/ssl")
        same(changed["freezer_action"]["container"], "/srv/store")
        actions["etc"] = actions.pop("fs-local")

    with steps("delete an action"):
        same(browser.press("actions", "delete", actions["mongo"]), ["Success: Deleted Action: mongo"])
        service.wrote("DELETE actions 204")
        del actions["mongo"]
    with steps("delete several actions"):
        gone = [actions.pop(name) for name in ("restore-glance", "all_of_it")]
        wanted = ["Success: Deleted Actions: restore-glance, all_of_it"]
        same(browser.press("actions", "delete_multiple_actions", *gone, several=True), wanted)
        service.wrote("DELETE actions 204", "DELETE actions 204")
        same({each["action_id"] for each in service.all("actions")}, set(actions.values()))
    return actions
