"""What AWS makes of a template of SAM, by SAM's own code out of LocalStack's environment.

LocalStack 4.14 looks for the names that SAM makes, such as that of an alias, before it has SAM make them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from infra.aws.fragments import Template
from infra.local.shutdown import Shutdown
from infra.localstack.environments import installed

CODE = """
import json, sys
from samtranslator.translator.transform import transform

class NoPolicies:
    def load(self):
        return {}

template, parameters = json.load(sys.stdin)
json.dump(transform(template, parameters, NoPolicies()), sys.stdout)
"""


def transformed(template: Template, given: Mapping[str, str]) -> Template:
    """Return a template without SAM's own resources.

    template: as it is uploaded. given: values of its parameters; the others have their defaults.
    """
    defaults = {name: str(one.get("Default", "")) for name, one in template.get("Parameters", {}).items()}
    done = subprocess.run(
        [str(installed(Shutdown()).server), "-c", CODE],
        input=json.dumps([template, {**defaults, **given}]),
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    made: Template = json.loads(done.stdout)
    made.pop("Transform", None)
    return made
