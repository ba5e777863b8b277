"""What is said at the start, for people and for logs."""

from __future__ import annotations

import dataclasses

from canter.supervisor.banner import Address, StartFacts, log_lines, terminal_banner

FACTS = StartFacts(
    version="1.2.3",
    build="compiled",
    python="3.12.1",
    application="shop.wsgi",
    addresses=(Address("http://127.0.0.1:8000"), Address("unix:/run/shop.sock")),
    workers=2,
    threads=4,
    error_log="-",
    access_log=None,
    pid=4711,
)


def change(**changes: object) -> StartFacts:
    return dataclasses.replace(FACTS, **changes)  # type: ignore[arg-type]


def test_a_person_sees_what_runs_and_where():
    assert terminal_banner(FACTS, colour=False) == (
        "\n"
        "  canter 1.2.3 (compiled core, Python 3.12.1, pid 4711)\n"
        "  open        http://127.0.0.1:8000\n"
        "              unix:/run/shop.sock\n"
        "  application shop.wsgi\n"
        "  serving     2 workers, 4 threads each\n"
        "  logs        errors to stderr, requests to none\n"
        "\n"
    )


def test_a_log_has_the_same_facts_as_sentences():
    assert log_lines(FACTS) == [
        "canter 1.2.3 (compiled core, Python 3.12.1)",
        "listening at http://127.0.0.1:8000",
        "listening at unix:/run/shop.sock",
        "application shop.wsgi, 2 workers, 4 threads each",
        "logs: errors to stderr, requests to none",
    ]


def test_colour_is_only_where_it_was_asked_for():
    assert "\x1b" not in terminal_banner(FACTS, colour=False)
    coloured = terminal_banner(FACTS, colour=True)
    assert "\x1b[32mhttp://127.0.0.1:8000\x1b[0m" in coloured, "nothing sticks to the URL"


def test_an_address_of_every_interface_says_so():
    facts = change(addresses=(Address("http://127.0.0.1:80", is_on_every_address=True),))
    assert "listening at http://127.0.0.1:80 (on every address)" in log_lines(facts)


def test_one_worker_and_one_thread_are_singular():
    assert "1 worker, 1 thread each" in log_lines(change(workers=1, threads=1))[-2]


def test_logs_are_named_by_where_they_go():
    facts = change(error_log="/var/log/e.log", access_log="-")
    assert log_lines(facts)[-1] == "logs: errors to /var/log/e.log, requests to stdout"
    facts = change(access_log="/var/log/a.log")
    assert log_lines(facts)[-1] == "logs: errors to stderr, requests to /var/log/a.log"


def test_reloading_is_said():
    assert "reload" in terminal_banner(change(reload=True), colour=False)
    assert "reloading" in log_lines(change(reload=True))[-1]
