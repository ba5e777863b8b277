"""The Content-Type of a file, by the end of its name.

A list of our own: Python's `mimetypes` reads what it finds on the machine, and says something else
on every machine and version.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNKNOWN = "application/octet-stream"

_TEXT = {
    "text/calendar": "ics",
    "text/css": "css",
    "text/csv": "csv",
    "text/html": "htm html",
    "text/javascript": "js mjs cjs",
    "text/markdown": "md markdown",
    "text/plain": "txt text log conf ini asc rst",
    "text/tab-separated-values": "tsv",
    "text/vcard": "vcf",
    "text/vtt": "vtt",
}
_COMPRESSIBLE = {
    "application/atom+xml": "atom",
    "application/geo+json": "geojson",
    "application/json": "json map",
    "application/ld+json": "jsonld",
    "application/manifest+json": "webmanifest",
    "application/pdf": "pdf",
    "application/postscript": "ps eps ai",
    "application/rss+xml": "rss",
    "application/rtf": "rtf",
    "application/vnd.ms-fontobject": "eot",
    "application/wasm": "wasm",
    "application/x-sh": "sh",
    "application/xhtml+xml": "xhtml",
    "application/xml": "xml xsl xsd",
    "application/yaml": "yaml yml",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "image/bmp": "bmp",
    "image/svg+xml": "svg",
    "image/vnd.microsoft.icon": "ico",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
}
_COMPRESSED = {
    "application/epub+zip": "epub",
    "application/gzip": "gz tgz",
    "application/java-archive": "jar",
    "application/msword": "doc",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-7z-compressed": "7z",
    "application/x-bzip2": "bz2",
    "application/x-tar": "tar",
    "application/x-xz": "xz",
    "application/zip": "zip",
    "application/zstd": "zst",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg oga opus",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "image/apng": "apng",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg jpeg jfif",
    "image/jxl": "jxl",
    "image/png": "png",
    "image/tiff": "tif tiff",
    "image/webp": "webp",
    "video/mp2t": "ts",
    "video/mp4": "mp4 m4v",
    "video/mpeg": "mpeg mpg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}


def _by_ending(families: Mapping[str, str], addition: str = "") -> dict[bytes, str]:
    return {
        ending.encode(): name + addition
        for name, endings in families.items()
        for ending in endings.split()
    }


_WORTH_COMPRESSING = _by_ending(_TEXT, "; charset=utf-8") | _by_ending(_COMPRESSIBLE)
TYPES: Mapping[bytes, str] = MappingProxyType(_WORTH_COMPRESSING | _by_ending(_COMPRESSED))
"""The media type by the end of a name, in lower case and without its dot."""


def media_type(name: bytes) -> str:
    """The Content-Type of a file of this name; text is UTF-8."""
    return TYPES.get(_ending(name), UNKNOWN)


def may_have_variants(name: bytes) -> bool:
    """Whether there may be compressed variants: not of what is compressed by its own format."""
    ending = _ending(name)
    return ending in _WORTH_COMPRESSING or ending not in TYPES


def _ending(name: bytes) -> bytes:
    return name.lower().rpartition(b".")[2] if b"." in name else b""
