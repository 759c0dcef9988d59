"""Horizon's settings in the tests. scripts/horizon puts this file where Horizon looks for them."""

import os
import sys

from openstack_dashboard.settings import HORIZON_CONFIG

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = "of no worth outside of a test"
TIME_ZONE = "UTC"

# Made once, with the environment.
STATIC_ROOT = os.path.join(sys.prefix, "static")
COMPRESS_OFFLINE = True

# One process, which forgets everything when it ends.
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

OPENSTACK_KEYSTONE_URL = os.environ.get("HORIZON_TEST_KEYSTONE_URL", "http://127.0.0.1:5000/v3")
# Without it, the service is where the catalogue says.
if "HORIZON_TEST_FREEZER_API_URL" in os.environ:
    FREEZER_API_URL = os.environ["HORIZON_TEST_FREEZER_API_URL"]

# The page after a log-in: the usual one asks Nova, which is not there.
HORIZON_CONFIG["user_home"] = "/settings/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
