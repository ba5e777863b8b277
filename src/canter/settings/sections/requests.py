"""Limits on requests, and where their bodies are kept."""

from __future__ import annotations

from canter.settings.kinds import Boolean, Choice, Integer, Optional, Path, Size
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Requests", "Limits on requests, and where bodies are kept.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="limit_request_line",
        section=SECTION,
        kind=Size(),
        default=4094,
        flags=("--limit-request-line",),
        help="The longest request line in bytes; 0 means no limit. A longer one is answered 414.",
    ),
    Setting(
        name="limit_request_fields",
        section=SECTION,
        kind=Integer(0, 32768),
        default=100,
        flags=("--limit-request-fields",),
        help=(
            "The largest number of header fields in a request; 0 means no limit. "
            "More are answered 431."
        ),
    ),
    Setting(
        name="limit_request_field_size",
        section=SECTION,
        kind=Size(),
        default=8190,
        flags=("--limit-request-field_size", "--limit-request-field-size"),
        help=(
            "The longest header field in bytes, name and value together; 0 means no limit. "
            "A longer one is answered 431."
        ),
    ),
    Setting(
        name="limit_request_body",
        section=SECTION,
        kind=Size(),
        default=0,
        flags=("--limit-request-body",),
        help="The longest body in bytes; 0 means no limit. A longer one is answered 413.",
    ),
    Setting(
        name="request_body",
        section=SECTION,
        kind=Choice("buffer", "stream"),
        default="buffer",
        flags=("--request-body",),
        help=(
            "Whether the application is called when the whole body is there (`buffer`), or as "
            "soon as the head is, reading the body as it arrives (`stream`). With `stream` a slow "
            "client holds a thread."
        ),
    ),
    Setting(
        name="body_memory",
        section=SECTION,
        kind=Size(),
        default=1024 * 1024,
        flags=("--body-memory",),
        help=(
            "The size up to which a body is kept in memory until it is whole; a longer one goes to "
            "a temporary file, and so does any while the bodies of a worker have 64 times as much."
        ),
    ),
    Setting(
        name="tmp_upload_dir",
        section=SECTION,
        kind=Optional(Path("DIRECTORY")),
        default=None,
        flags=("--tmp-upload-dir",),
        help=(
            "The directory for the temporary files of long bodies. "
            "Where it is not set, the system's is used (`TMPDIR`)."
        ),
        gunicorn="Gunicorn takes it in a file only, and does not use it.",
    ),
    Setting(
        name="sendfile",
        section=SECTION,
        kind=Boolean(),
        default=True,
        flags=("--sendfile",),
        platform=PlatformVariable("SENDFILE", in_raw_env=True),
        help="Whether files of `wsgi.file_wrapper` are sent by the kernel, without being copied.",
    ),
)
