"""The bundled demonstration, called as a server would call it, with wsgiref's validator around."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from dataclasses import dataclass
from random import Random
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from canter.demo import BLOCK, app
from canter.demo.upload import BLOCK_BYTES


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


def call(
    target: str = "/",
    method: str = "GET",
    body: bytes = b"",
    extra: dict[str, Any] | None = None,
    **environ: Any,
) -> Response:
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
        **(extra or {}),
    }
    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):
        started.append((status, headers))
        return lambda data: None

    chunks: Any = validator(app)(environ, start_response)
    try:
        content = b"".join(chunks)
    finally:
        chunks.close()
    [(status, headers)] = started
    return Response(int(status[:3]), dict(headers), content)


def form(*files: tuple[str, bytes], boundary: str = "frontier") -> tuple[bytes, str]:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name=file; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n"
        % (boundary.encode(), name.encode(), content)
        for name, content in files
    ]
    body = b"".join(parts) + b"--%s--\r\n" % boundary.encode()
    return body, f"multipart/form-data; boundary={boundary}"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_front_page_says_which_worker_and_thread_served_it():
    response = call()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert str(os.getpid()) in response.text
    assert threading.current_thread().name in response.text


def test_the_front_page_shows_the_environ_and_escapes_it():
    response = call(HTTP_X_NOTE="<script>alert('1')</script>")
    assert "HTTP_X_NOTE" in response.text
    assert "<script" not in response.text
    assert "&lt;script&gt;alert(&#x27;1&#x27;)" in response.text


def test_the_environment_of_the_process_is_not_shown(monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hidden")
    response = call(DATABASE_PASSWORD="hidden")
    assert "DATABASE_PASSWORD" not in response.text


@pytest.mark.parametrize(
    ("address", "port", "shown"),
    [("192.0.2.7", "", "192.0.2.7"), ("::1", "99", "::1:99"), ("", "", "a unix socket")],
)
def test_the_client_is_shown_as_far_as_it_is_known(address, port, shown):
    assert f"<dd>{shown}</dd>" in call(REMOTE_ADDR=address, REMOTE_PORT=port).text


def test_links_keep_the_prefix_that_the_application_is_mounted_at():
    response = call("/", SCRIPT_NAME="/mounted")
    assert 'href="/mounted/stream"' in response.text


def test_a_header_that_is_no_valid_text_does_not_break_the_page():
    assert call(HTTP_X_ODD="\udcff\xff").status == 200


def test_head_has_the_headers_of_get_and_no_body():
    get, head = call("/headers"), call("/headers", method="HEAD")
    assert head.headers == get.headers
    assert (head.status, head.body) == (200, b"")


def test_head_of_a_stream_has_no_body():
    assert call("/stream", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/slow/", 404), ("/slow?seconds=soon", 400)]
)
def test_errors_are_pages_with_a_way_back(path, status):
    response = call(path)
    assert response.status == status
    assert response.headers["Content-Length"] == str(len(response.body))
    assert f"<title>{status} " in response.text
    assert 'href="/"' in response.text


def test_an_error_page_escapes_the_path():
    assert "<b>" not in call("/<b>").text


def test_a_method_that_is_not_served_is_told_which_are():
    response = call("/upload", method="DELETE")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, POST, HEAD"


def test_slow_sleeps_as_long_as_it_is_asked_to():
    assert call("/slow?seconds=0.01").text.startswith("slept 0.01 s")


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "", "1e999"])
def test_slow_takes_only_numbers_from_zero(seconds):
    assert call(f"/slow?seconds={seconds}").status == 400


def test_a_stream_has_no_length_and_a_line_at_a_time():
    response = call("/stream?lines=3&every=0")
    assert "Content-Length" not in response.headers
    lines = response.text.splitlines()
    assert [line.split(" after")[0] for line in lines] == [f"line {n} of 3" for n in (1, 2, 3)]


def test_a_stream_is_bounded():
    assert call("/stream?lines=999999&every=0").text.count("\n") == 1000


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\r\n--", Random(3).randbytes(3 * BLOCK_BYTES + 5)]
)
def test_an_upload_without_a_form_is_digested_as_it_is(content):
    response = call("/upload", "POST", content, CONTENT_TYPE="application/octet-stream")
    assert response.text.startswith(f"{len(content)} {digest(content)} (body)\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"\r\n",
        b"\r\n--frontie",
        b"--frontier",
        b"\r\n--fron" * 30_000,
        Random(2).randbytes(2 * BLOCK_BYTES),
    ],
)
def test_a_forms_files_are_digested_one_by_one(content):
    body, content_type = form(("first.bin", content), ("zweite datei.txt", b"second"))
    response = call("/upload", "POST", body, CONTENT_TYPE=content_type)
    assert response.text.splitlines()[:2] == [
        f"{len(content)} {digest(content)} first.bin",
        f"6 {digest(b'second')} zweite datei.txt",
    ]


class Trickle(io.RawIOBase):
    """A body that arrives a few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        self._content, self._step = io.BytesIO(content), step

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(self._step)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 11])
def test_a_form_reads_the_same_however_it_is_cut(step):
    content = b"\r\n--frontie\r\n-\r" * 5
    body, content_type = form(("a", content), ("b", b""))
    response = call(
        "/upload",
        "POST",
        body,
        CONTENT_TYPE=content_type,
        extra={"wsgi.input": Trickle(body, step), "wsgi.input_terminated": True},
    )
    assert response.text.splitlines()[:2] == [
        f"{len(content)} {digest(content)} a",
        f"0 {digest(b'')} b",
    ]


def test_a_field_without_a_file_goes_by_its_name():
    named = b'--b\r\nContent-Disposition: form-data; name="remark"\r\n\r\nhello\r\n'
    body = named + b"--b\r\n\r\nnameless\r\n--b--"
    response = call("/upload", "POST", body, CONTENT_TYPE="multipart/form-data; boundary=b")
    assert [line.split()[-1] for line in response.text.splitlines()[:2]] == ["remark", "name)"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b--"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nnever ends"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 100_000 + b"\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n" * 101 + b"--b--"),
    ],
)
def test_a_form_that_cannot_be_read_is_a_bad_request(content_type, body):
    response = call("/upload", "POST", body, CONTENT_TYPE=content_type)
    assert response.status == 400
    assert "This form cannot be read" in response.text


def test_a_browser_gets_a_page_about_its_upload():
    body, content_type = form(("<i>.txt", b"12345"))
    response = call("/upload", "POST", body, CONTENT_TYPE=content_type, HTTP_ACCEPT="text/html")
    assert response.headers["Content-Type"].startswith("text/html")
    assert "&lt;i&gt;.txt" in response.text
    assert digest(b"12345") in response.text


def test_the_upload_form_posts_to_itself():
    response = call("/upload")
    assert 'action="/upload"' in response.text


@pytest.mark.parametrize("target", ["/download?size=200K", "/download?size=200k&file=1"])
def test_a_download_has_the_length_and_bytes_it_promises(target):
    response = call(target)
    assert response.headers["Content-Length"] == str(200 << 10)
    assert response.body == (BLOCK * 4)[: 200 << 10]


def test_a_file_goes_through_the_servers_file_wrapper():
    used = []

    def wrapper(file, size):
        used.append(file)
        return FileWrapper(file, size)

    response = call("/download?size=70000&file=1", extra={"wsgi.file_wrapper": wrapper})
    assert len(response.body) == 70000
    [file] = used
    assert file.closed


@pytest.mark.parametrize(
    "size", ["-1", "", "K", "much", "1.5M", "99999999999999999", "2T", "\u0662"]
)
def test_a_size_that_is_none_is_a_bad_request(size):
    assert call(f"/download?size={size.encode().decode('latin-1')}").status == 400


def test_a_download_is_bounded():
    assert call("/download?size=11G").status == 400
    assert call("/download?size=2G&file=1").status == 400


def test_error_raises():
    with pytest.raises(RuntimeError, match="the demonstration raises"):
        call("/error")


def test_headers_are_listed_one_a_line():
    response = call("/headers", HTTP_X_ONE="1", HTTP_X_TWO="2", CONTENT_TYPE="text/x")
    assert "HTTP_X_ONE: 1\nHTTP_X_TWO: 2\n" in response.text
    assert "CONTENT_TYPE: text/x\n" in response.text
