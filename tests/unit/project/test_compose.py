"""docker-compose.yml: checked without Docker; .github/workflows/ci.yml brings it up and tests it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from infra.aws.template import merge_template
from infra.deploy.__main__ import parser
from infra.local.options import parse
from tests.deployed.differences import KINDS

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "infra" / "localstack" / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "docker-compose.yml"),
        *(("vendor.github-workflows", str(path)) for path in (ROOT / ".github" / "workflows").glob("*.yml")),
    ],
)
def test_file_follows_its_schema(schema: str, file: str) -> None:
    """The file is valid by the published schema of its kind."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_images_are_pinned() -> None:
    """LocalStack is the last release that needs no token, and every image has a fixed version."""
    assert SERVICES["localstack"]["image"] == "localstack/localstack:4.14.0"
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    assert all(re.fullmatch(r"\S+:\d+\.\d+\S*", image) for image in images)


def test_ports_are_on_loopback_alone() -> None:
    """Nothing is published beyond this machine."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_functions_join_the_stores_network() -> None:
    """LocalStack starts functions in the store's network, by its real name."""
    name = SERVICES["localstack"]["environment"]["LAMBDA_DOCKER_NETWORK"]
    networks = [key for key, network in COMPOSE["networks"].items() if network.get("name") == name]
    assert networks
    assert all(service["networks"] == networks for service in SERVICES.values())


def test_service_that_others_need_has_a_health_check() -> None:
    """A service that others depend on has a health check, and they wait for it."""
    for service in SERVICES.values():
        for name, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert SERVICES[name]["healthcheck"]["test"]


def test_deploy_runs_what_is_run_without_docker() -> None:
    """The command is one that infra.deploy accepts; the hosts in it are services that it waits for."""
    service = SERVICES["deploy"]
    words = shlex.split(service["command"])
    assert words[:3] == ["python", "-m", "infra.deploy"]
    options = parser().parse_args(words[3:])
    assert options.stage == "localstack"
    (parameter,) = options.parameter
    name, _, redis_url = parameter.partition("=")
    assert name in merge_template("localstack")["Parameters"]
    hosts = {urlsplit(service["environment"]["AWS_ENDPOINT_URL"]).hostname, urlsplit(redis_url).hostname}
    assert hosts == {"localstack", "valkey"} == set(service["depends_on"])
    published = [f"http://{port.rpartition(':')[0]}" for port in SERVICES["localstack"]["ports"]]
    assert options.shown_as in published


def test_every_function_gets_the_store() -> None:
    """Functions by `chalice deploy` find the same store, by the flags of every function's container."""
    flags = shlex.split(SERVICES["localstack"]["environment"]["LAMBDA_DOCKER_FLAGS"])
    (parameter,) = parser().parse_args(shlex.split(SERVICES["deploy"]["command"])[3:]).parameter
    assert flags == ["-e", parameter.replace("RedisUrl", "REDIS_URL")]


def test_the_gateway_is_a_profile_of_its_own() -> None:
    """`docker compose up` leaves it out, and it listens where its port is published."""
    gateway = SERVICES["gateway"]
    assert gateway["profiles"] == ["gateway"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["gateway"]
    assert gateway["environment"]["PARLEY_HOST"] == "0.0.0.0"  # noqa: S104 # inside its container
    assert gateway["environment"]["PARLEY_OPEN_HOSTS"] == "gateway"  # as other containers call it


def test_the_gateway_is_published_where_it_listens() -> None:
    """Its port is the server's default, which nothing changes, and it waits for the store it is given."""
    gateway = SERVICES["gateway"]
    options = parse([], {})
    assert gateway["ports"] == [f"127.0.0.1:{options.port}:{options.port}"]
    assert not {"PORT", "SOCKET_PORT"} & gateway["environment"].keys()
    assert urlsplit(gateway["environment"]["REDIS_URL"]).hostname in gateway["depends_on"]


def test_every_store_named_is_a_service() -> None:
    """The host of each Redis URL in the file is the service of the store."""
    hosts = [urlsplit(url).hostname for url in re.findall(r"rediss?://[^\s\"']+", TEXT)]
    assert len(hosts) == len(re.findall(r"REDIS_URL|RedisUrl", TEXT)) == 3
    assert set(hosts) == {"valkey"} <= SERVICES.keys()


def test_the_workflow_brings_it_up_as_a_target_that_the_suite_knows() -> None:
    """A failed deployment stops the job, and the published image itself is tested."""
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["docker"]
    assert job["defaults"] == {"run": {"shell": "bash"}}  # with pipefail, which the shell by default lacks
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert "docker compose run --rm deploy | tee" in commands
    targets = re.findall(r"--target[ =]([\w-]+)", commands)
    assert targets == ["localstack-docker"]
    assert set(targets) <= set(KINDS)


def test_builds_name_stages_and_files_that_exist() -> None:
    """Every target is a stage of the Dockerfile, and its copied files exist and are not ignored."""
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    builds = [service["build"] for service in SERVICES.values() if "build" in service]
    assert {build["target"] for build in builds} <= set(stages)
    assert {build["dockerfile"] for build in builds} == {"infra/localstack/Dockerfile"}
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for copied in re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE):
        assert (ROOT / copied).exists()
        assert copied.partition("/")[0] in allowed
