"""Values that the Django project has already."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")

from django.conf import settings  # noqa: E402

wsgi_app = settings.WSGI_APPLICATION.replace(".application", ":application")
workers = settings.WEB_WORKERS
reload = settings.DEBUG
raw_env = [f"SITE_NAME={settings.SITE_NAME}"]
timeout = getattr(settings, "WEB_TIMEOUT", 60)
