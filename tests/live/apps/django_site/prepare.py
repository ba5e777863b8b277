"""What a deployment does before the first start: schema, static files, and a first administrator.

Run as a module, with `DJANGO_SITE_DIRECTORY` set.
"""

from __future__ import annotations

import os

import django
from django.core.management import call_command

ADMINISTRATOR = "admin"
PASSWORD = "only the tests use this password"


def prepare() -> None:
    """Make the site's directory ready to serve."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.live.apps.django_site.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from django.contrib.auth import get_user_model

    get_user_model().objects.create_superuser(ADMINISTRATOR, "", PASSWORD)


if __name__ == "__main__":
    prepare()
