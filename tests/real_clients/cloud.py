"""The daemon in a cloud: told by a configuration file to ask a Keystone, and found by clients in its catalogue."""

import contextlib
import json
import pathlib

from keystoneauth1 import session
from keystoneauth1.identity import v3

from daemon import running

CONFIG = """\
[keystone_authtoken]
www_authenticate_uri = {url}
auth_url = {url}
auth_type = password
username = freezer
password = freezer-password
user_domain_name = Default
project_name = service
project_domain_name = Default
service_type = backup
[centralized_scheduler]
enabled = true
auth_section = scheduler
trusts_delegated_roles = member
[scheduler]
auth_url = {url}
auth_type = password
username = scheduler
password = scheduler-password
user_domain_name = Default
project_name = service
project_domain_name = Default
"""


class Cloud:
    """The Keystone that cloud.json describes (tests/cloud/keystone)."""

    def __init__(self, description):
        self.described = json.loads(pathlib.Path(description).read_text())
        self.url = self.described["url"] + "/v3"

    def user(self, name):
        return self.described["users"][name]["id"]

    def variables(self, user, project):
        """What a user of the cloud has in an openrc file."""
        return {
            "OS_AUTH_URL": self.url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user,
            "OS_PASSWORD": f"{user}-password",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_NAME": project,
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }

    def session(self, user, project):
        """Keystone as a user of it has it."""
        names = {name[3:].lower(): value for name, value in self.variables(user, project).items()}
        del names["identity_api_version"]
        return session.Session(v3.Password(**names))

    def trusts(self, user, project, trustee):
        """The trusts that a user has given another one, with the names of their roles."""
        keystone, url = self.session(user, project), f"{self.url}/OS-TRUST/trusts"
        given = keystone.get(url, params={"trustor_user_id": self.user(user)}).json()["trusts"]
        ids = [trust["id"] for trust in given if trust["trustee_user_id"] == self.user(trustee)]
        trusts = [keystone.get(f"{url}/{id}").json()["trust"] for id in ids]
        return [trust | {"roles": [role["name"] for role in trust["roles"]]} for trust in trusts]

    def move_endpoints(self, url):
        """From now on the catalogue has our service there."""
        admin = self.session("admin", "admin")
        [service] = admin.get(f"{self.url}/services?type=backup").json()["services"]
        for endpoint in admin.get(f"{self.url}/endpoints?service_id={service['id']}").json()["endpoints"]:
            admin.patch(f"{self.url}/endpoints/{endpoint['id']}", json={"endpoint": {"url": url}})


@contextlib.contextmanager
def daemon(binary, database, scratch, cloud):
    """The daemon as an operator of the cloud runs it."""
    config = scratch / "freezer-api.conf"
    config.write_text(CONFIG.format(url=cloud.described["url"]))
    with running(binary, database, scratch, ["--config-file", str(config)]) as url:
        cloud.move_endpoints(url)
        yield url
