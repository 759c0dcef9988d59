"""The users, projects and roles of the test cloud, made through Keystone's own API without a network.

The projects are strangers to each other, and the users are one for each way to stand to alpha. Everybody's password
is the name with `-password`, the first administrator's too. Tokens are the tests' own affair; only one that has
expired is made here, as a test would have to wait for it.
"""

from keystone.conf import CONF
from werkzeug.test import Client

# name: domain
PROJECTS = {"alpha": "default", "beta": "default", "service": "default", "alien": "elsewhere"}
# name: domain, and roles by what they are on
USERS = {
    "root": ("default", {"alpha": ["admin"], "system": ["admin"], "default": ["admin"]}),
    "member": ("default", {"alpha": ["member"], "beta": ["reader"]}),
    "colleague": ("default", {"alpha": ["member"]}),
    "reader": ("default", {"alpha": ["reader"]}),
    "operator": ("default", {"alpha": ["backup_operator"]}),
    "stranger": ("default", {"beta": ["member"]}),
    "alien": ("elsewhere", {"alien": ["member"]}),
    "nobody": ("default", {}),
    "nova": ("default", {"service": ["service"]}),
    "freezer": ("default", {"service": ["admin", "service"]}),
    "scheduler": ("default", {"service": ["service"]}),
}
# The member's application credentials: the only requests each is for, if it is not for all.
CREDENTIALS = {
    "everything": None,
    "jobs": [{"service": "backup", "method": "GET", "path": "/v2/*/jobs"}],
    "compute": [{"service": "compute", "method": "GET", "path": "/**"}],
}


def password(name):
    return f"{name}-password"


class Cloud:
    """Keystone as one of its users has it before them."""

    def __init__(self, application):
        self.http = Client(application)
        self.headers = {}

    def __call__(self, method, path, body=None):
        answer = self.http.open(f"/v3/{path}", method=method, json=body, headers=self.headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def create(self, path, noun, **fields):
        return self("POST", path, {noun: fields}).json[noun]

    def token(self, name, secret, domain, project):
        user = {"name": name, "domain": {"id": domain}, "password": secret}
        identity = {"methods": ["password"], "password": {"user": user}}
        auth = {"identity": identity, "scope": {"project": project} if project else "unscoped"}
        return self("POST", "auth/tokens", {"auth": auth}).headers["X-Subject-Token"]

    def become(self, *who):
        self.headers = {}
        self.headers["X-Auth-Token"] = self.token(*who)


def sow(application):
    """Makes it all, and returns what a test needs to know of it."""
    cloud = Cloud(application)
    cloud.become("admin", password("admin"), "default", {"name": "admin", "domain": {"id": "default"}})
    domains = {"default": "default", "elsewhere": cloud.create("domains", "domain", name="elsewhere")["id"]}
    projects = {
        name: cloud.create("projects", "project", name=name, domain_id=domains[domain])["id"]
        for name, domain in PROJECTS.items()
    }
    users = sow_users(cloud, domains, projects)
    sow_catalogue(cloud)

    member = ("member", password("member"), "default", {"id": projects["alpha"]})
    cloud.become(*member)
    trust = {"trustor_user_id": users["member"], "project_id": projects["alpha"], "roles": [{"name": "member"}]}
    trust["trustee_user_id"] = users["nova"]
    trusts = {
        name: cloud.create("OS-TRUST/trusts", "trust", impersonation=impersonation, **trust)["id"]
        for name, impersonation in (("plain", False), ("impersonating", True))
    }
    credentials = {name: sow_credential(cloud, users["member"], name, rules) for name, rules in CREDENTIALS.items()}

    CONF.set_override("expiration", 0, "token")
    expired = cloud.token(*member)
    CONF.clear_override("expiration", "token")
    return {
        "domains": domains,
        "projects": projects,
        "users": {name: {"id": users[name], "domain_id": domains[domain]} for name, (domain, _) in USERS.items()},
        "trusts": trusts,
        "credentials": credentials,
        "expired": expired,
    }


def sow_users(cloud, domains, projects):
    roles = {role["name"]: role["id"] for role in cloud("GET", "roles").json["roles"]}
    roles["backup_operator"] = cloud.create("roles", "role", name="backup_operator")["id"]
    users = {}
    for name, (domain, granted) in USERS.items():
        user = cloud.create("users", "user", name=name, domain_id=domains[domain], password=password(name))["id"]
        users[name] = user
        # The first log-in of a day is written down, and would be in the way of others.
        own = Cloud(cloud.http.application)
        own.become(name, password(name), domains[domain], None)
        for target, names in granted.items():
            for role in names:
                cloud("PUT", f"{place(target, domains, projects)}/users/{user}/roles/{roles[role]}")
    return users


def place(target, domains, projects):
    if target == "system":
        return "system"
    return f"projects/{projects[target]}" if target in projects else f"domains/{domains[target]}"


def sow_catalogue(cloud):
    """An endpoint of the service. The test that starts the service sets its URL."""
    service = cloud.create("services", "service", type="backup", name="freezer")["id"]
    for interface in ("public", "internal", "admin"):
        endpoint = {"service_id": service, "region": "RegionOne", "url": "http://127.0.0.1:9090"}
        cloud.create("endpoints", "endpoint", interface=interface, **endpoint)


def sow_credential(cloud, user, name, rules):
    fields = {"name": name, "secret": password(name)} | ({"access_rules": rules} if rules else {})
    return cloud.create(f"users/{user}/application_credentials", "application_credential", **fields)["id"]
