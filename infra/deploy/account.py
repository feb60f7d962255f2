"""What a deployment needs of the account and region outside its own stack."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError

from infra.deploy.errors import DeployError
from infra.deploy.sessions import Session

LOGS = ("AccessLogs", "SocketAccessLogs")
MAKE_ROLE = "AccessLogRole=make"


def check_log_role(session: Session, values: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Check the role that API Gateway writes access logs with, if a deployment needs or creates one.

    values: The new values of the template's parameters, by name.
    held: The stack's current values.
    Raises DeployError if access logs are on and there is no role, or if the new role would replace another.
    """
    makes = values.get("AccessLogRole") == "make"
    wanted = [name for name in LOGS if values.get(name) == "on"]
    if held.get("AccessLogRole") == "make" or not (makes or wanted):
        return
    role = _role(session)
    if makes and role:
        raise DeployError(f"API Gateway already has a role for its logs, {role}: leave out {MAKE_ROLE}")
    if not makes and not role:
        raise DeployError(
            f"{wanted[0]}=on needs a role that API Gateway writes logs with; this account has none in this"
            f" region: add {MAKE_ROLE}, and the stack creates one for all APIs of the account and region"
        )


def _role(session: Session) -> str | None:
    """Return the ARN of the role that API Gateway writes logs with; None if it was never set or is deleted.

    Deleting a role leaves its ARN in API Gateway's settings, also when CloudFormation deletes it; logs are
    then lost without an error.
    """
    arn: str | None = session.client("apigateway").get_account().get("cloudwatchRoleArn")
    if not arn:
        return None
    try:
        session.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return None
    return arn
