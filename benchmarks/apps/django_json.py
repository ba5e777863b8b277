"""A Django site of one view that answers JSON. `benchmarks.apps.django_json:application`."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from benchmarks.apps.document import DOCUMENT

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret: the site keeps nothing",  # noqa: S106
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
)


def _document(request: HttpRequest) -> JsonResponse:
    return JsonResponse(DOCUMENT)


urlpatterns = [path("", _document)]

django.setup()
application = get_wsgi_application()
