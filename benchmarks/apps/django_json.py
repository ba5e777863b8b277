"""A Django site of one view that answers JSON. `benchmarks.apps.django_json:application`.

`/unended` tells how many requests have begun and not ended beside itself: Django ends a request
when the server closes its answer (PEP 3333), and leaves database connections and more to that.
"""

from __future__ import annotations

import django
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
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


class _Unended:
    """Counts requests; a server with several threads may lose one, which is not a matter here."""

    def __init__(self) -> None:
        self.count = 0
        request_started.connect(self._begun)
        request_finished.connect(self._ended)

    def _begun(self, **_: object) -> None:
        self.count += 1

    def _ended(self, **_: object) -> None:
        self.count -= 1

    def view(self, request: HttpRequest) -> HttpResponse:
        """The count, without the request that asks."""
        return HttpResponse(str(self.count - 1))


_unended = _Unended()
urlpatterns = [path("", _document), path("unended", _unended.view)]

django.setup()
application = get_wsgi_application()
