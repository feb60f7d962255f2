"""Settings from the environment."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.config import VARIABLES, Settings
from chalicelib.errors import ConfigError

GOOD: dict[str, list[tuple[str, Any]]] = {
    "PARLEY_STAGE": [("local", "local"), ("localstack", "localstack"), ("prod", "prod"), (" prod ", "prod")],
    "PARLEY_AUTH": [("open", "open"), ("required", "required")],
    "PARLEY_OPEN_BEYOND_LOOPBACK": [("1", True), ("0", False), ("true", True), ("False", False)],
    "REDIS_URL": [
        (url, url)
        for url in (
            "redis://127.0.0.1:6379/0",
            "rediss://user:p%2Fss@cache.example:6380",
            "redis://[::1]:6379",
            "unix:///run/valkey.sock",
        )
    ],
    "PARLEY_REDIS_CLUSTER": [("1", True), ("0", False)],
    "PARLEY_REDIS_TIMEOUT": [("1", 1.0), ("0.25", 0.25), ("10", 10.0)],
    "PARLEY_KEEP_MESSAGES": [("0", 0), ("1", 1), ("1000000", 1_000_000)],
    "PARLEY_LOG_LEVEL": [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "WARNING"), ("ERROR", "ERROR")],
}

BAD: dict[str, list[str]] = {
    "PARLEY_STAGE": ["production", "LOCAL", "dev"],
    "PARLEY_AUTH": ["OPEN", "none", "1"],
    "PARLEY_OPEN_BEYOND_LOOPBACK": ["yes", "2", "on"],
    "REDIS_URL": ["127.0.0.1:6379", "http://host", "redis:/host", "redis://host:port", "redis://host:70000"],
    "PARLEY_REDIS_CLUSTER": ["yes", "3"],
    "PARLEY_REDIS_TIMEOUT": ["0", "-1", "26", "1s", "nan", "inf", "1,5"],
    "PARLEY_KEEP_MESSAGES": ["-1", "1.5", "many", "+1", "1_000", "\u0661", "9" * 5000],
    "PARLEY_LOG_LEVEL": ["info", "TRACE", "20"],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    """Return the rows of a table, each with its variable."""
    return [(variable, row) for variable, rows in table.items() for row in rows]


def test_every_variable_is_tried() -> None:
    """The tables below have every variable, and every field of Settings has one."""
    assert GOOD.keys() == BAD.keys() == VARIABLES.keys()
    fields = [field for field, _ in VARIABLES.values()]
    assert sorted(fields) == sorted(field.name for field in msgspec.structs.fields(Settings))


@pytest.mark.parametrize(("variable", "row"), cases(GOOD))
def test_good_value(variable: str, row: tuple[str, Any]) -> None:
    """A variable sets its field and no other."""
    raw, value = row
    field = VARIABLES[variable][0]

    settings = Settings.from_env({"PARLEY_STAGE": "local", variable: raw})

    assert settings == msgspec.structs.replace(Settings(), **{"stage": "local", field: value})


@pytest.mark.parametrize(("variable", "raw"), cases(BAD), ids=lambda text: text[:30])
def test_bad_value(variable: str, raw: str) -> None:
    """A value that a setting cannot have is one line that names the variable."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({variable: raw})

    assert str(raised.value).startswith(f"{variable} ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://user:secret@host", "redis://user:se/cret@host:6379", "redis://user:secret@host:port"]
)
def test_bad_url_shows_no_password(url: str) -> None:
    """What is wrong with REDIS_URL is said without its password, or a piece of it."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({"REDIS_URL": url})

    assert "cret" not in str(raised.value)
    assert "se" not in str(raised.value).replace("use", "")
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("raw", ["", "  "])
def test_blank_is_not_set(variable: str, raw: str) -> None:
    """A blank variable is one that is not set."""
    assert Settings.from_env({variable: raw}) == Settings()


def test_closed_by_default() -> None:
    """Without any variable the server is closed."""
    settings = Settings.from_env({})

    assert (settings.stage, settings.auth, settings.open_beyond_loopback) == ("prod", "required", False)


def test_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping the process's own environment is read."""
    monkeypatch.setenv("PARLEY_KEEP_MESSAGES", "7")

    assert Settings.from_env().keep_messages == 7


def test_open_in_production() -> None:
    """A server that trusts names does not start on stage prod, unless it is said twice."""
    with pytest.raises(ConfigError, match="PARLEY_OPEN_BEYOND_LOOPBACK"):
        Settings.from_env({"PARLEY_AUTH": "open"})

    assert Settings.from_env({"PARLEY_AUTH": "open", "PARLEY_OPEN_BEYOND_LOOPBACK": "1"}).auth == "open"
