"""Who asks a server that is not there, or is none of ours, is told so in one line."""

from __future__ import annotations

import socket
import sys
import threading

import pytest

from canter.cli import main, talking


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A directory of the test's own, and no home and runtime directory but that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def answering(place):
    """Makes a server at a.ctl that answers one connection with these bytes, and hangs up."""
    threads = []

    def answer(reply: bytes | None) -> str:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place / "a.ctl"))
        listener.listen()

        def serve() -> None:
            with listener, listener.accept()[0] as client:
                client.recv(1000)
                if reply is None:
                    # Silent for as long as the other side has patience.
                    client.recv(1000)
                else:
                    client.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        threads.append(thread)
        return str(place / "a.ctl")

    yield answer
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    "words",
    [["status"], ["reload"], ["stop", "--now"], ["scale", "2"], ["stacks"], ["log-level", "info"]],
)
def test_where_no_server_answers_every_command_says_so(words, capsys, place):
    assert main(words) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"canter: error: no server answers at {place}/canter/")
    assert f" nor at {place}/.canter/" in output.err
    assert output.err.count("\n") == 1


def test_the_settings_of_the_directory_lead_to_the_socket(place, capsys):
    (place / "canter.toml").write_text('control_socket = "site.ctl"\nchdir = "/"\n')
    assert main(["status"]) == 1
    assert "no server answers at /site.ctl;" in capsys.readouterr().err


def test_a_configuration_can_be_named(place, capsys):
    (place / "other.py").write_text("control_socket = 'other.ctl'\n")
    assert main(["status", "-c", "other.py"]) == 1
    assert f"no server answers at {place}/other.ctl;" in capsys.readouterr().err


def test_settings_without_a_socket_are_named(place, capsys):
    (place / "canter.toml").write_text("control_socket_disable = true\n")
    assert main(["status"]) == 1
    assert "ask for no control socket (canter.toml:1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", "the server hung up before it had answered"),
        (b"HTTP/1.1 400 Bad Request\r\n", "is not canter"),
        (b"[]\n", "is not canter"),
        (b'{"ok": false, "error": "no"}\n', "canter: error: no\n"),
    ],
)
def test_an_answer_that_is_none_is_an_error(answering, capsys, reply, error):
    assert main(["status", "--control-socket", answering(reply)]) == 1
    assert error in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_not_waited_for(answering, capsys, monkeypatch):
    monkeypatch.setattr("canter.cli.status.SOON_SECONDS", 0.01)
    assert main(["status", "--control-socket", answering(None)]) == 1
    assert "a.ctl does not answer" in capsys.readouterr().err


def test_with_json_the_reply_is_printed_as_it_came(answering, capsys):
    path = answering(b'{"ok": true, "data": {"level": "info"}}\n')
    assert main(["log-level", "info", "--json", "--control-socket", path]) == 0
    assert capsys.readouterr().out == '{"ok": true, "data": {"level": "info"}}\n'


def test_a_refusal_in_json_fails_too(answering, capsys):
    path = answering(b'{"ok": false, "error": "no"}\n')
    assert main(["scale", "3", "--json", "--control-socket", path]) == 1
    assert capsys.readouterr() == ('{"ok": false, "error": "no"}\n', "")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["scale"], "canter scale: the following arguments are required: N"),
        (["stacks", "all"], "canter stacks: argument PID: invalid int value: 'all'"),
        (["status", "--jsn"], "canter status: unrecognized arguments: --jsn"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_two(words, error, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err == f"canter: error: {error}\n"


def test_each_command_has_a_help_text(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["reload", "--help"])
    assert ended.value.code == 0
    assert "--control-socket PATH" in capsys.readouterr().out


def test_a_reader_at_a_terminal_is_seen(monkeypatch):
    assert talking.is_terminal() is False
    monkeypatch.setattr(sys, "stdout", None)
    assert talking.is_terminal() is False
