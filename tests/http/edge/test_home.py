"""The commands of the first page, as a user would paste them."""

from __future__ import annotations

import html
import re
import subprocess

import httpx
import pytest

from tests.deployed.client import Api


def commands(page: str) -> str:
    """Return the commands that the page shows."""
    (shown,) = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return html.unescape(shown)


def test_commands_of_the_first_page_work_in_a_shell(open_url: str) -> None:
    """The page's commands, pasted into a shell, send a message and read it."""
    shown = commands(httpx.get(f"{open_url}/").text)
    run = subprocess.run(["sh", "-ec", shown], capture_output=True, text=True, check=True)
    assert "204 No Content" in run.stdout
    assert '"text":"hello"' in run.stdout


@pytest.mark.parametrize("port", ["0$(id)", '1"><script>', "1'", "<b>"])
def test_a_host_header_cannot_write_the_page(api: Api, port: str) -> None:
    """A Host that is no name and port is not in the page and its commands."""
    page = api.raw("GET", "/", headers={"Host": f"localhost:{port}"})
    assert port not in html.unescape(page.text)
