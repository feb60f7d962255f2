"""The bucket for packages and templates: a template is too large for a CloudFormation request."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.errors import DeployError
from infra.deploy.sessions import Session, account


class Artifacts:
    """Uploads files, named by their digests, to a private bucket of the account and region.

    Nothing in it expires: a rollback by CloudFormation reads the previous package.
    """

    def __init__(self, session: Session) -> None:
        self._s3 = session.client("s3")
        self._region = session.region_name
        self._owner = account(session)
        self.bucket = f"parley-artifacts-{self._owner}-{self._region}"

    def prepare(self) -> None:
        """Create the bucket if it does not exist. Raises DeployError if it cannot be used or created."""
        try:
            self._s3.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=self._owner)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise DeployError(f"the bucket {self.bucket} cannot be used: {error}") from None
            self._make()

    def upload(self, file: Path) -> str:
        """Upload a file unless the bucket has it, and return its key."""
        content = file.read_bytes()
        key = f"{hashlib.sha256(content).hexdigest()}{file.suffix}"
        try:
            self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return key

    def upload_template(self, template: Path, package: Path) -> str:
        """Upload a package and the template for it; returns the template's URL."""
        code = {"Bucket": self.bucket, "Key": self.upload(package)}
        contents: dict[str, Any] = json.loads(template.read_text())
        for resource in contents["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = code
        template.write_text(json.dumps(contents, indent=1, sort_keys=True))
        return self.url(self.upload(template))

    def url(self, key: str) -> str:
        """Return the URL by which CloudFormation reads a key."""
        return f"{self._s3.meta.endpoint_url}/{self.bucket}/{key}"

    def _make(self) -> None:
        where = {} if self._region == "us-east-1" else {"LocationConstraint": self._region}
        options = {"CreateBucketConfiguration": where} if where else {}
        blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        try:
            self._s3.create_bucket(Bucket=self.bucket, **options)
            self._s3.put_public_access_block(
                Bucket=self.bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True)
            )
        except ClientError as error:
            raise DeployError(f"the bucket {self.bucket} cannot be created: {error}") from None
