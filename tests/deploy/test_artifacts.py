"""The bucket of packages and templates, on moto's S3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.deploy.artifacts import Artifacts
from infra.deploy.errors import DeployError


@pytest.fixture
def artifacts(session: boto3.Session) -> Artifacts:
    """The bucket, made."""
    made = Artifacts(session)
    made.prepare()
    return made


def test_the_bucket_is_private_and_made_once(session: boto3.Session, artifacts: Artifacts) -> None:
    """It is in the session's region, blocks every public access, and a second run accepts it."""
    artifacts.prepare()
    s3 = session.client("s3")
    assert s3.get_bucket_location(Bucket=artifacts.bucket)["LocationConstraint"] == "eu-west-1"
    blocked = s3.get_public_access_block(Bucket=artifacts.bucket)["PublicAccessBlockConfiguration"]
    assert list(blocked.values()) == [True] * 4


class WithS3:
    """A session with an S3 client of its own."""

    def __init__(self, session: boto3.Session, s3: Any) -> None:
        self._session = session
        self._s3 = s3
        self.region_name = session.region_name

    def client(self, service_name: str, **options: Any) -> Any:
        """Return the client."""
        return self._s3 if service_name == "s3" else self._session.client(service_name, **options)


def test_a_bucket_of_somebody_else_is_not_used(session: boto3.Session) -> None:
    """The account must own the bucket of that name; otherwise none is made, and the error says so."""
    s3 = session.client("s3")
    with Stubber(s3) as stub:
        artifacts = Artifacts(WithS3(session, s3))
        owner = session.client("sts").get_caller_identity()["Account"]
        asked = {"Bucket": artifacts.bucket, "ExpectedBucketOwner": owner}
        stub.add_client_error("head_bucket", "403", http_status_code=403, expected_params=asked)
        with pytest.raises(DeployError, match=f"the bucket {artifacts.bucket} cannot be used: .*403"):
            artifacts.prepare()


def test_a_template_names_the_package_by_its_content(
    session: boto3.Session, artifacts: Artifacts, tmp_path: Path
) -> None:
    """Every function's code is the uploaded zip; the same files have the same key, others another."""
    package, template = tmp_path / "deployment.zip", tmp_path / "sam.json"
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}
    source = json.dumps(
        {"Resources": {"Api": function, "Rpc": function, "Logs": {"Type": "AWS::Logs::LogGroup"}}}
    )

    def uploaded(content: bytes) -> str:
        package.write_bytes(content)
        template.write_text(source)
        return artifacts.upload_template(template, package)

    first, again, other = uploaded(b"one"), uploaded(b"one"), uploaded(b"two")
    assert first == again != other
    key = first.rpartition("/")[2]
    stored = json.load(session.client("s3").get_object(Bucket=artifacts.bucket, Key=key)["Body"])
    assert "Properties" not in stored["Resources"]["Logs"]
    codes = [stored["Resources"][name]["Properties"]["CodeUri"] for name in ("Api", "Rpc")]
    assert codes[0] == codes[1]
    body = session.client("s3").get_object(Bucket=codes[0]["Bucket"], Key=codes[0]["Key"])["Body"]
    assert body.read() == b"one"


def test_the_templates_address_carries_no_secret(artifacts: Artifacts, tmp_path: Path) -> None:
    """It is the plain address of the object, without a signature."""
    file = tmp_path / "sam.json"
    file.write_text("{}")
    url = artifacts.url(artifacts.upload(file))
    assert url.startswith("https://")
    assert "?" not in url
