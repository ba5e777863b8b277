"""The environment: our variables, platforms' variables, and others' that only look like ours."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.settings import Surroundings, load
from canter.settings.layers import merge, settle
from canter.settings.variables import arguments_layer, canter_layer, platform_layer


def settings(**environment):
    return settle(merge([platform_layer(environment), canter_layer(environment)]))


def test_an_empty_variable_is_ignored_where_the_setting_cannot_be_empty():
    found = settings(WEB_CONCURRENCY="", PORT="", CANTER_THREADS="", CANTER_BIND="")
    assert (found.workers, found.bind, found.threads) == (1, ("127.0.0.1:8000",), 1)
    assert str(found.source("workers")) == "default"


def test_an_empty_variable_is_an_empty_value_where_there_is_one():
    found = settings(CANTER_FORWARDED_ALLOW_IPS="", CANTER_ACCESSLOG="")
    assert found.forwarded_allow_ips == ()
    assert str(found.source("accesslog")) == "env CANTER_ACCESSLOG"


def test_our_variable_is_stronger_than_a_platform_s():
    assert settings(WEB_CONCURRENCY="2", CANTER_WORKERS="3").workers == 3


def test_a_wrong_platform_variable_is_named():
    with pytest.raises(ConfigError, match=r"^WEB_CONCURRENCY: 'many' is neither a whole number"):
        settings(WEB_CONCURRENCY="many")


def test_a_variable_that_is_nearly_a_setting_is_an_error():
    with pytest.raises(
        ConfigError, match=r"^unknown variable CANTER_THREAD; did you mean CANTER_THREADS\?$"
    ):
        settings(CANTER_THREAD="4")
    with pytest.raises(ConfigError, match=r"did you mean CANTER_ACCESSLOG\?"):
        settings(CANTER_ACCESS_LOGFILE="-")


def test_another_unknown_variable_is_a_warning():
    assert settings(CANTER_FROBNICATE="4").warnings == (
        "unknown variable CANTER_FROBNICATE is ignored",
    )


def test_variables_that_act_before_settings_do_are_known():
    assert settings(CANTER_EXTENSIONS="off").warnings == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CANTER_SERVICE_HOST", "10.0.0.1"),
        ("CANTER_SERVICE_PORT", "80"),
        ("CANTER_SERVICE_PORT_HTTP", "80"),
        ("CANTER_PORT", "tcp://10.0.0.1:80"),
        ("CANTER_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("CANTER_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("CANTER_WEB_SERVICE_HOST", "10.0.0.1"),
    ],
)
def test_a_kubernetes_service_called_canter_is_no_setting(name, text):
    assert settings(**{name: text}).warnings == ()


def test_other_variables_are_none_of_our_business():
    assert settings(HOME="/", THREADS="9", canter_threads="9").threads == 1


def test_an_unknown_keyword_leads_to_the_nearest():
    with pytest.raises(ConfigError, match=r"^unknown setting thread; did you mean threads\?$"):
        arguments_layer({"thread": 4})
    with pytest.raises(ConfigError, match=r"^unknown setting frobnicate$"):
        arguments_layer({"frobnicate": 4})


def test_none_is_no_value_where_the_setting_needs_one():
    found = settle(merge([arguments_layer({"threads": None, "accesslog": None})]))
    assert str(found.source("threads")) == "default"
    assert str(found.source("accesslog")) == "argument"


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"raw_env": ["SCRIPT_NAME=/shop"]}, "argument"),
        ({"raw_env": ["SCRIPT_NAME=/shop"], "SCRIPT_NAME": "/old"}, "argument"),
        ({"raw_env": ["SCRIPT_NAME=/old"], "script_name": "/shop"}, "argument"),
    ],
)
def test_raw_env_may_say_where_the_application_is_mounted(tmp_path, given, source):
    environment = {"SCRIPT_NAME": given.pop("SCRIPT_NAME")} if "SCRIPT_NAME" in given else {}
    settings = load(Surroundings(str(tmp_path), environment), arguments_layer(given))
    assert settings.script_name == "/shop"
    assert str(settings.source("script_name")) == source


def test_raw_env_does_not_say_where_to_listen(tmp_path):
    settings = load(Surroundings(str(tmp_path), {}), arguments_layer({"raw_env": ["PORT=1"]}))
    assert settings.bind == ("127.0.0.1:8000",)
