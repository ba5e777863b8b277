"""Every setting from a variable GUNICORN_..., as container images do it."""

import os

for name, value in os.environ.items():
    if name.startswith("GUNICORN_"):
        locals()[name.split("_", 1)[1].lower()] = value
