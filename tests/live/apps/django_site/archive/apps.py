"""The archive's place in the project."""

from __future__ import annotations

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "tests.live.apps.django_site.archive"
    label = "archive"
