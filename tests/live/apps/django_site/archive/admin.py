"""How the archive shows in the admin."""

from __future__ import annotations

from django.contrib import admin

from tests.live.apps.django_site.archive.models import Document


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin):
    list_display = ("title", "attachment", "created")
    search_fields = ("title",)
