"""What the archive keeps."""

from __future__ import annotations

from django.db import models


class Document(models.Model):
    """A titled file that a member of staff uploads in the admin."""

    title = models.CharField(max_length=200)
    attachment = models.FileField(upload_to="documents")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.title)
