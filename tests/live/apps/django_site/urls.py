"""The project's paths: the admin, the archive's own pages, and the surface all frameworks share."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from tests.live.apps.django_site.archive import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("documents/<int:pk>/download", views.download_document),
    path("reports/<str:name>", views.hand_over),
    path("visits", views.visits),
    path("guarded", views.guarded),
    path("process", views.process),
    path("hello", views.hello),
    path("hello/<str:name>", views.hello),
    path("json", views.show_json),
    path("form", views.form),
    path("upload", views.upload),
    path("raw", views.raw),
    path("stream", views.stream),
    path("file", views.file),
    path("cookie/set", views.set_cookies),
    path("cookie/read", views.read_cookies),
    path("redirect", views.away),
    path("forbidden", views.forbidden),
    path("error", views.error),
]
