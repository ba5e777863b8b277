"""The archive's own pages, and the paths that all framework applications share."""

from __future__ import annotations

import os
import threading
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from tests.live.apps import surface
from tests.live.apps.django_site.archive.models import Document


@require_GET
def download_document(_request: Any, pk: int) -> Any:
    document = get_object_or_404(Document, pk=pk)
    return FileResponse(document.attachment.open("rb"), as_attachment=True)


@require_GET
def hand_over(request: Any, name: str) -> Any:
    """A download that a web server sends, after the application has looked at who asks."""
    answer = HttpResponse(content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    if request.GET.get("by") == "path":
        answer["X-Sendfile"] = str(settings.MEDIA_ROOT / "reports" / name)
    else:
        answer["X-Accel-Redirect"] = f"/protected/{quote(name)}"
    answer.set_cookie("seen", name)
    return answer


@require_GET
def visits(request: Any) -> Any:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"visits": request.session["visits"]})


def guarded(request: Any) -> Any:
    """A form that only a page with the right token may send."""
    if request.method == "POST":
        return HttpResponse("accepted", content_type="text/plain")
    token = get_token(request)
    return HttpResponse(f'<input name="csrfmiddlewaretoken" value="{token}">')


@require_GET
def process(_request: Any) -> Any:
    return JsonResponse({"pid": os.getpid(), "thread": threading.current_thread().name})


@require_safe
def hello(request: Any, name: str | None = None) -> Any:
    text = f"hello, {name or request.GET.get('name', 'world')}"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_GET
def show_json(request: Any) -> Any:
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path,
            "query": request.META["QUERY_STRING"],
            "host": request.get_host(),
            "scheme": request.scheme,
        }
    )


@csrf_exempt
@require_POST
def form(request: Any) -> Any:
    return HttpResponse(f"hello, {request.POST['name']}", content_type="text/plain")


@csrf_exempt
@require_POST
def upload(request: Any) -> Any:
    sent = request.FILES["file"]
    data = sent.read()
    return JsonResponse({"name": sent.name, "size": len(data), "digest": surface.digest(data)})


@csrf_exempt
@require_POST
def raw(request: Any) -> Any:
    data = request.body
    length = int(request.META["CONTENT_LENGTH"])
    return JsonResponse({"size": len(data), "digest": surface.digest(data), "length": length})


@require_GET
def stream(request: Any) -> Any:
    gate = request.GET.get("gate")
    parts = surface.gated(gate) if gate else surface.lines(int(request.GET["lines"]))
    return StreamingHttpResponse(parts, content_type="text/plain")


@require_GET
def file(_request: Any) -> Any:
    return FileResponse(surface.download_path().open("rb"))


@require_GET
def set_cookies(_request: Any) -> Any:
    response = HttpResponse("set", content_type="text/plain")
    response.set_cookie("first", "one")
    response.set_cookie("second", "two")
    return response


@require_GET
def read_cookies(request: Any) -> Any:
    return JsonResponse(dict(request.COOKIES))


@require_GET
def away(_request: Any) -> Any:
    return redirect("/hello?name=again")


@require_GET
def forbidden(_request: Any) -> Any:
    raise PermissionDenied


@require_GET
def error(_request: Any) -> Any:
    raise RuntimeError("the Django view broke")
