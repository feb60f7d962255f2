"""Settings from the environment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.config import VARIABLES, Secret, Settings
from chalicelib.config.names import OTHERS, REPLACED
from chalicelib.errors import ConfigError
from chalicelib.logs import LOGGER

ROOT = Path(__file__).parents[2]
TESTS = re.compile(r"tests/(?!deployed/|conftest\.py)|docs/")
"""Files with variables that may be invalid."""
WORD = "chrysanthemum"
TLS = {"REDIS_URL": "rediss://cache.example:6379"}
COMPANIONS: dict[str, dict[str, str]] = {
    "PARLEY_REDIS_USER": {"PARLEY_REDIS_SECRET": "parley/store"},
    "PARLEY_REDIS_IAM": {**TLS, "PARLEY_REDIS_USER": "parley"},
    "PARLEY_REDIS_CA": TLS,
    "PARLEY_OIDC_ISSUER": {"PARLEY_OIDC_AUDIENCE": "web"},
}
"""Variables that others require."""

GOOD: dict[str, list[tuple[str, Any]]] = {
    "PARLEY_STAGE": [("local", "local"), ("ministack", "ministack"), ("prod", "prod"), (" prod ", "prod")],
    "PARLEY_AUTH": [("open", "open"), ("required", "required")],
    "PARLEY_OPEN_HOSTS": [
        ("gateway", ("gateway",)),
        ("Gateway, chat.example.lan,", ("gateway", "chat.example.lan")),
        ("192.168.1.7,[fd00::7]", ("192.168.1.7", "fd00::7")),
    ],
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
    "PARLEY_PUSH_TIMEOUT": [("1", 1.0), ("0.25", 0.25), ("10", 10.0)],
    "PARLEY_REDIS_TIMEOUT": [("1", 1.0), ("0.25", 0.25), ("10", 10.0)],
    "PARLEY_REDIS_USER": [("parley", "parley"), ("parley-2_x@y", "parley-2_x@y")],
    "PARLEY_REDIS_PASSWORD": [(WORD, Secret(WORD)), ("p@ss/w:rd?#%", Secret("p@ss/w:rd?#%"))],
    "PARLEY_REDIS_SECRET": [
        (name, name)
        for name in ("parley/store", "arn:aws:secretsmanager:eu-north-1:123456789012:secret:parley-AbCdEf")
    ],
    "PARLEY_REDIS_IAM": [
        (name, name) for name in ("elasticache:chat", "elasticache-serverless:chat-1", "memorydb:chat")
    ],
    "PARLEY_REDIS_CA": [(__file__, __file__)],
    "PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK": [("1", True), ("0", False)],
    "PARLEY_KEEP_DAYS": [("0", 0), ("30", 30), ("36500", 36_500)],
    "PARLEY_KEEP_MESSAGES": [("0", 0), ("1", 1), ("1000000", 1_000_000)],
    "PARLEY_MAX_MEMBERS": [("1", 1), ("1000", 1000), ("10000", 10_000)],
    "PARLEY_LARGE_CHAT": [("1", 1), ("100", 100), ("10000", 10_000)],
    "PARLEY_GROUPS_A_DAY": [("0", 0), ("200", 200)],
    "PARLEY_MAX_LARGE_CHATS": [("0", 0), ("200", 200)],
    "PARLEY_LOG_LEVEL": [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "WARNING"), ("ERROR", "ERROR")],
    "PARLEY_ARGON2": [(cost, cost) for cost in ("m=19456,t=2,p=1", "m=8,t=1,p=1", "m=1048576,t=20,p=16")],
    "PARLEY_RATE_LIMITS": [
        ("auth=5", {"read": 1200, "write": 600, "search": 120, "auth": 5, "frame": 1200, "signal": 256}),
        (
            " read=0, write=0,search=0 ,auth=0,frame=0,signal=0,",
            dict.fromkeys(("read", "write", "search", "auth", "frame", "signal"), 0),
        ),
        (
            "read=9999999",
            {"read": 9_999_999, "write": 600, "search": 120, "auth": 20, "frame": 1200, "signal": 256},
        ),
    ],
    "PARLEY_CORS_ORIGINS": [
        ("https://chat.example.com", ("https://chat.example.com",)),
        (
            "https://Chat.example.com/, http://localhost:3000",
            ("https://chat.example.com", "http://localhost:3000"),
        ),
        ("*", ("*",)),
        (",", ()),
    ],
    "PARLEY_OIDC_ISSUER": [
        (url, url)
        for url in (
            "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Ab1",
            "https://issuer.example/",
            "http://127.0.0.1:8089",
            "http://localhost:8089/realms/a",
        )
    ],
    "PARLEY_OIDC_AUDIENCE": [("web", ("web",)), ("web, phone", ("web", "phone"))],
    "PARLEY_OIDC_ALGORITHMS": [("ES256", ("ES256",)), ("RS256,EdDSA", ("RS256", "EdDSA"))],
    "PARLEY_IMPORT_PRIVATE": [("1", True), ("0", False)],
    "PARLEY_WORK_QUEUE": [
        (url, url)
        for url in (
            "https://sqs.eu-north-1.amazonaws.com/123456789012/parley-work",
            "http://127.0.0.1:4566/000000000000/work",
        )
    ],
    "PARLEY_LARGE_AUTHOR": [("1", 1), ("10000", 10_000)],
    "PARLEY_WORD_FILTER": [
        (named, named)
        for named in (
            "words",
            "words:live",
            "arn:aws:lambda:eu-north-1:123456789012:function:words",
            "http://127.0.0.1:9000/check?for=parley",
            "https://filter.example/",
        )
    ],
    "PARLEY_WORD_FILTER_FAILS": [("closed", "closed"), ("open", "open")],
    "PARLEY_SOCKET_URL": [
        (url, url)
        for url in (
            "wss://abc.execute-api.eu-north-1.amazonaws.com/prod",
            "ws://127.0.0.1:8080",
            "ws://[::1]:81/",
        )
    ],
    "PARLEY_PUSH_URL": [
        (url, url) for url in ("https://abc.execute-api.eu-north-1.api.aws/prod", "http://127.0.0.1:8080")
    ],
    "PARLEY_LEASE_SECONDS": [("2", 2), ("660", 660), ("86400", 86_400)],
}

BAD: dict[str, list[str]] = {
    "PARLEY_STAGE": ["production", "LOCAL", "dev"],
    "PARLEY_AUTH": ["OPEN", "none", "1"],
    "PARLEY_OPEN_HOSTS": [
        "*",
        "http://gateway",
        "gateway:8080",
        "a b",
        ".example.com",
        "*.example.com",
        "[::1",
    ],
    "REDIS_URL": [
        "127.0.0.1:6379",
        "http://host",
        "redis:/host",
        "redis://host:port",
        "redis://host:70000",
        "rediss://host?ssl_cert_reqs=none",
        "rediss://host?db=0&ssl_check_hostname=False",
        "rediss://host?%73sl_ca_certs=",
    ],
    "PARLEY_REDIS_CLUSTER": ["yes", "3"],
    "PARLEY_PUSH_TIMEOUT": ["0", "-1", "10.1", "1s", "nan"],
    "PARLEY_REDIS_TIMEOUT": ["0", "-1", "26", "1s", "nan", "inf", "1,5"],
    "PARLEY_REDIS_USER": ["two words", "J\u00f6rg", "a\nb"],
    "PARLEY_REDIS_PASSWORD": [],
    "PARLEY_REDIS_SECRET": ["my secret"],
    "PARLEY_REDIS_IAM": ["chat", "elasticache", "elasticache:", "rds:chat", "memorydb:a b", "memorydb:a/b"],
    "PARLEY_REDIS_CA": ["/nowhere/authority.pem", "/"],
    "PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK": ["yes", "2"],
    "PARLEY_KEEP_DAYS": ["-1", "36501", "a week"],
    "PARLEY_KEEP_MESSAGES": ["-1", "1.5", "many", "+1", "1_000", "\u0661", "9" * 5000],
    "PARLEY_MAX_MEMBERS": ["0", "10001", "-1", "many", "1.5"],
    "PARLEY_LARGE_CHAT": ["0", "10001", "-1", "many", "1.5"],
    "PARLEY_GROUPS_A_DAY": ["-1", "many", "1.5"],
    "PARLEY_MAX_LARGE_CHATS": ["-1", "many", "1.5"],
    "PARLEY_LOG_LEVEL": ["info", "TRACE", "20"],
    "PARLEY_ARGON2": [
        "m=19456",
        "m=19456,t=2,p=1,x=1",
        "t=2,m=19456,p=1",
        "m=7,t=1,p=1",
        "m=127,t=1,p=16",
        "m=1048577,t=1,p=1",
        "m=19456,t=0,p=1",
        "m=19456,t=21,p=1",
        "m=19456,t=1,p=0",
        "m=19456,t=1,p=17",
        "m=-1,t=1,p=1",
        "m=\u0661,t=1,p=1",
    ],
    "PARLEY_RATE_LIMITS": [
        "20",
        "auth",
        "auth=",
        "auth=-1",
        "auth=1.5",
        "login=5",
        "read=10000000",
        "auth=\u0661",
    ],
    "PARLEY_CORS_ORIGINS": [
        "chat.example.com",
        "https://chat.example.com/path",
        "https://*.example.com",
        "null",
        "https://user@chat.example.com",
        "https://a.example https://b.example",
        "file://x",
    ],
    "PARLEY_OIDC_ISSUER": [
        "issuer.example",
        "ftp://issuer.example",
        "https://",
        "https://issuer.example?a=1",
        "https://user@issuer.example",
        "https://issuer example",
        "https://issuer.example",
    ],
    "PARLEY_OIDC_AUDIENCE": [],
    "PARLEY_OIDC_ALGORITHMS": ["HS256", "none", "RS256,HS256", "rs256", ","],
    "PARLEY_IMPORT_PRIVATE": ["yes", "2"],
    "PARLEY_WORK_QUEUE": ["parley-work", "arn:aws:sqs:eu-north-1:123456789012:parley-work", "sqs://x"],
    "PARLEY_SOCKET_URL": [
        "https://abc.example",
        "wss://",
        "wss://a.example?ticket=1",
        "wss://u:p@a.example",
        "a",
    ],
    "PARLEY_PUSH_URL": ["wss://abc.example", "https://a.example/?x=1", "https://u:p@a.example"],
    "PARLEY_LEASE_SECONDS": ["0", "1", "86401", "-5", "11m", "1.5"],
    "PARLEY_LARGE_AUTHOR": ["0", "-1", "many"],
    "PARLEY_WORD_FILTER": ["words.py", "a b", "ftp://filter.example", "arn:aws:sqs:eu-north-1:1:words"],
    "PARLEY_WORD_FILTER_FAILS": ["yes", "OPEN"],
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
def test_variable_sets_only_its_own_field(variable: str, row: tuple[str, Any]) -> None:
    """A variable sets its field and no other."""
    raw, value = row
    field = VARIABLES[variable][0]
    others = {"PARLEY_STAGE": "local", **COMPANIONS.get(variable, {})}

    settings = Settings.from_env({**others, variable: raw})

    expected: dict[str, Any] = {
        VARIABLES[name][0]: VARIABLES[name][1](other) for name, other in others.items()
    }
    assert settings == msgspec.structs.replace(Settings(), **expected | {field: value})


@pytest.mark.parametrize(("variable", "raw"), cases(BAD), ids=lambda text: text[:30])
def test_invalid_value_is_one_line_that_names_the_variable(variable: str, raw: str) -> None:
    """The error of an invalid value is one line that names the variable."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({variable: raw})

    assert str(raised.value).startswith(f"{variable} ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://user:secret@host", "redis://user:se/cret@host:6379", "redis://user:secret@host:port"]
)
def test_bad_url_shows_no_password(url: str) -> None:
    """The error of an invalid REDIS_URL shows no part of its password."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({"REDIS_URL": url})

    assert "cret" not in str(raised.value)
    assert "se" not in str(raised.value).replace("use", "")
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("raw", ["", "  "])
def test_blank_is_not_set(variable: str, raw: str) -> None:
    """A blank variable counts as not set."""
    assert Settings.from_env({variable: raw}) == Settings()


def test_closed_by_default() -> None:
    """Without any variable the server is closed."""
    settings = Settings.from_env({})

    assert (settings.stage, settings.auth, settings.open_hosts) == ("prod", "required", ())


def test_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mapping the process's own environment is read."""
    monkeypatch.setenv("PARLEY_KEEP_MESSAGES", "7")

    assert Settings.from_env().keep_messages == 7


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("PARLEY_ATUH", "did you mean PARLEY_AUTH?"),
        ("PARLEY_AUTHENTICATION", "PARLEY_AUTH"),
        ("parley_auth", "did you mean PARLEY_AUTH?"),
        ("PARLEY_RATE_LIMIT", "did you mean PARLEY_RATE_LIMITS?"),
        ("PARLEY_REDIS_URL", "did you mean REDIS_URL?"),
        ("PARLEY_SOCKET_PORT", "did you mean PARLEY_SOCKET_URL?"),
        ("PARLEY_PORT", "did you mean PORT?"),
        ("PARLEY_SWEEP_SECOND", "did you mean PARLEY_SWEEP_SECONDS?"),
        ("PARLEY_QQQQQQQQQQQQQQQQ", "docs/settings.md"),
    ],
)
@pytest.mark.parametrize("raw", ["required", "8080", ""])
def test_unknown_variable_is_refused_with_the_nearest_setting(name: str, near: str, raw: str) -> None:
    """An unknown variable is one line with its name and the most similar setting."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({name: raw})

    assert str(raised.value).startswith(f"{name} is not a setting")
    assert near in str(raised.value)
    assert "\n" not in str(raised.value)


def test_unknown_variable_does_not_stop_a_function(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation sets a function's variables before its code: one of the next version is only logged."""
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "parley-APIHandler", "PARLEY_OF_THE_NEXT_VERSION": "1"}

    monkeypatch.setattr(LOGGER, "propagate", True)
    with caplog.at_level("WARNING", LOGGER.name):
        assert Settings.from_env(environ) == Settings()

    assert "PARLEY_OF_THE_NEXT_VERSION is not a setting" in caplog.text


@pytest.mark.parametrize("raw", ["1", "0", ""])
def test_replaced_variable_names_what_replaces_it(raw: str) -> None:
    """A former setting stops the start with one line that says what to set instead."""
    with pytest.raises(ConfigError, match="set PARLEY_OPEN_HOSTS instead"):
        Settings.from_env({"PARLEY_AUTH": "required", "PARLEY_OPEN_BEYOND_LOOPBACK": raw})


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_variables_of_other_parts_are_known(name: str) -> None:
    """A variable of a tool, a client or the tests changes no setting and is no error."""
    assert Settings.from_env({name: "1"}) == Settings()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("PARLEY_SERVICE_HOST", "10.0.0.7"),
        ("PARLEY_SERVICE_PORT", "8080"),
        ("PARLEY_SERVICE_PORT_HTTP", "8080"),
        ("PARLEY_PORT", "tcp://10.0.0.7:8080"),
        ("PARLEY_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
        ("PARLEY_VALKEY_PORT_6379_TCP_ADDR", "10.0.0.8"),
        ("PARLEY_VALKEY_SERVICE_HOST", "10.0.0.8"),
    ],
)
def test_variables_that_kubernetes_sets_are_passed_over(name: str, raw: str) -> None:
    """In a cluster of Kubernetes with a service called parley the server starts."""
    assert Settings.from_env({name: raw}) == Settings()


def test_every_variable_that_is_read_is_known() -> None:
    """Each variable in the code, the Makefile or a workflow is a setting, or in the list of others."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = set()
    for path in listed.stdout.split():
        if re.search(r"(\.py|\.ya?ml|\.json|^Makefile|^\.ci/run)$", path) and not TESTS.match(path):
            named.update(re.findall(r"\bPARLEY_[A-Z0-9_]*[A-Z0-9]\b", (ROOT / path).read_text()))

    assert len(named) > len(VARIABLES)
    assert named <= VARIABLES.keys() | OTHERS | REPLACED.keys()


def test_open_in_production() -> None:
    """A server that trusts names does not start on stage prod, unless its hosts are listed."""
    with pytest.raises(ConfigError, match="PARLEY_OPEN_HOSTS"):
        Settings.from_env({"PARLEY_AUTH": "open"})

    assert Settings.from_env({"PARLEY_AUTH": "open", "PARLEY_OPEN_HOSTS": "chat.example"}).auth == "open"


LAMBDA = {"PARLEY_AUTH": "open", "AWS_LAMBDA_FUNCTION_NAME": "parley-APIHandler"}


@pytest.mark.parametrize("stage", ["local", "localstack"])
@pytest.mark.parametrize("endpoint", [{}, {"AWS_ENDPOINT_URL": ""}])
def test_open_on_aws(stage: str, endpoint: dict[str, str]) -> None:
    """An open stage deployed to AWS by mistake serves nobody, unless its hosts are listed."""
    environ = {**LAMBDA, **endpoint, "PARLEY_STAGE": stage}
    with pytest.raises(
        ConfigError, match=f"stage {stage} .*: deploy stage prod, or, if you want that, list the host names"
    ):
        Settings.from_env(environ)

    assert Settings.from_env({**environ, "PARLEY_OPEN_HOSTS": "chat.example"}).stage == stage
    assert Settings.from_env({**environ, "PARLEY_AUTH": "required"}).stage == stage


def test_open_on_localstack() -> None:
    """A function on LocalStack, which gives it an endpoint, may be open."""
    environ = {**LAMBDA, "PARLEY_STAGE": "localstack", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    assert Settings.from_env(environ).auth == "open"


@pytest.mark.parametrize("issuer", ["http://issuer.example", "http://10.0.0.7", "http://127.0.0.1.example"])
def test_an_issuer_in_the_clear(issuer: str) -> None:
    """An issuer's keys must come over TLS."""
    with pytest.raises(ConfigError, match="PARLEY_OIDC_ISSUER must begin with https://"):
        Settings.from_env({"PARLEY_OIDC_ISSUER": issuer, "PARLEY_OIDC_AUDIENCE": "web"})


def test_an_issuer_for_nobody() -> None:
    """An issuer without audiences, which would accept any of its tokens, is refused."""
    with pytest.raises(ConfigError, match="PARLEY_OIDC_ISSUER needs PARLEY_OIDC_AUDIENCE"):
        Settings.from_env({"PARLEY_OIDC_ISSUER": "https://issuer.example", "PARLEY_OIDC_AUDIENCE": " , "})


def test_limits_are_nobodys_own() -> None:
    """Changing the limits of one Settings leaves the defaults unchanged."""
    Settings().rate_limits["auth"] = 0

    assert Settings().rate_limits["auth"] == 20


# --- how to log in to the store -----------------------------------------------------------------------------

PASSWORD = {"PARLEY_REDIS_PASSWORD": WORD}
SECRET = {"PARLEY_REDIS_SECRET": "parley/store"}
IAM = {"PARLEY_REDIS_IAM": "memorydb:chat"}
USER = {"PARLEY_REDIS_USER": "parley"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (PASSWORD | SECRET, ["PARLEY_REDIS_PASSWORD and PARLEY_REDIS_SECRET", "set one"]),
        (TLS | USER | PASSWORD | IAM, ["PARLEY_REDIS_PASSWORD and PARLEY_REDIS_IAM", "set one"]),
        (TLS | USER | SECRET | IAM, ["PARLEY_REDIS_SECRET and PARLEY_REDIS_IAM", "set one"]),
        (USER, ["PARLEY_REDIS_USER", "PARLEY_REDIS_PASSWORD", "PARLEY_REDIS_SECRET", "PARLEY_REDIS_IAM"]),
        (TLS | IAM, ["PARLEY_REDIS_IAM", "PARLEY_REDIS_USER"]),
        (USER | IAM, ["PARLEY_REDIS_IAM", "rediss://"]),
        ({"PARLEY_REDIS_CA": __file__}, ["PARLEY_REDIS_CA", "rediss://"]),
        (PASSWORD | {"REDIS_URL": f"rediss://parley:{WORD}@host"}, ["REDIS_URL", "PARLEY_REDIS_"]),
        (PASSWORD | {"REDIS_URL": f"rediss://host?password={WORD}"}, ["REDIS_URL", "PARLEY_REDIS_"]),
        (USER | PASSWORD | {"REDIS_URL": "rediss://parley@host"}, ["REDIS_URL", "PARLEY_REDIS_"]),
        (
            {"PARLEY_REDIS_CLUSTER": "1", "REDIS_URL": "unix:///run/valkey.sock"},
            ["PARLEY_REDIS_CLUSTER", "unix://"],
        ),
    ],
)
def test_contradictory_settings_are_named_without_passwords(
    environ: dict[str, str], expected: list[str]
) -> None:
    """The error of contradictory store settings is one line that names them, without passwords."""
    with pytest.raises(ConfigError) as raised:
        Settings.from_env(environ)

    for word in expected:
        assert word in str(raised.value)
    assert WORD not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("redis://store:6379", PASSWORD),
        ("redis://10.0.0.7", SECRET),
        ("redis://127.example.com", USER | PASSWORD),
        (f"redis://:{WORD}@store:6379/0", {}),
        (f"redis://store?password={WORD}", {}),
    ],
)
def test_a_password_in_the_clear(url: str, environ: dict[str, str]) -> None:
    """A password leaves the machine only over TLS, unless a setting allows it."""
    with pytest.raises(ConfigError, match="PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK=1") as raised:
        Settings.from_env({"REDIS_URL": url, **environ})
    assert WORD not in str(raised.value)

    wanted = {"REDIS_URL": url, "PARLEY_REDIS_PLAIN_BEYOND_LOOPBACK": "1", **environ}
    assert Settings.from_env(wanted).redis_url == url


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "redis://[::1]:6379", "redis://localhost", "unix:///a"])
def test_a_password_at_home(url: str) -> None:
    """A password to this machine needs no TLS."""
    assert Settings.from_env({"REDIS_URL": url, **PASSWORD}).redis_password == Secret(WORD)


def test_no_password_no_tls() -> None:
    """A store without a password, as on a network of containers, needs no TLS and no further setting."""
    assert Settings.from_env({"REDIS_URL": "redis://valkey:6379/0"}).redis_url == "redis://valkey:6379/0"


@pytest.mark.parametrize(
    "environ",
    [
        PASSWORD | TLS,
        {"REDIS_URL": f"rediss://parley:{WORD}@host"},
        {"REDIS_URL": f"rediss://parley:a@{WORD}@host"},
        {"REDIS_URL": f"rediss://host?password={WORD}"},
    ],
)
def test_settings_show_no_password(environ: dict[str, str]) -> None:
    """Settings as text have every field, and no password."""
    settings = Settings.from_env(environ)

    for shown in (repr(settings), str(settings), f"{settings}", f"{settings.redis_password}"):
        assert WORD not in shown
    for field in msgspec.structs.fields(Settings):
        assert f"{field.name}=" in repr(settings)
    assert "@host" in repr(settings) or "//host" in repr(settings) or "cache.example" in repr(settings)
