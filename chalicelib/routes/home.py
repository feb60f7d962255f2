"""The first page: what this server is, with links and an example."""

from __future__ import annotations

import functools
import hashlib
import re
from base64 import b64encode
from html import escape
from importlib.resources import files
from string import Template

from chalice.app import Blueprint

from chalicelib import __version__
from chalicelib.http import JSON, Call, Response, Who, preferred, reply, route

blueprint = Blueprint(__name__)

HTML = "text/html"
POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
VARY = {"Vary": "Accept, Origin"}
EMULATED = ("localstack", "ministack")
HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+])(?::\d+)?")
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)

OPEN = (
    "This server is open: it trusts the name that a call gives. Send a message and read it:",
    """\
curl -i $url/api/send -H 'Content-Type: application/json' \\
  -d '{"chat":"alice:bob","sender":"alice","text":"hello"}'
curl '$url/api/pull?chat=alice:bob'""",
)
CLOSED = (
    "Register, then send the token from the answer with every call:",
    """\
curl $url/v1/register -H 'Content-Type: application/json' \\
  -d '{"handle":"alice","password":"a password of yours"}'
curl $url/v1/users/me -H 'Authorization: Bearer TOKEN'""",
)


@route(blueprint, Who.ANYBODY, "GET", "/", {200: str})
def home(call: Call) -> Response:
    """Say what this server is, as a page, or as JSON if the Accept header prefers it.

    The JSON has `name`, `version`, and `docs` and `openapi`, which are links relative to the request's URL.
    """
    here = _here(call.path_as_written)
    if preferred(call.header("Accept"), (HTML, JSON)) == JSON:
        links = {"docs": f"{here}docs", "openapi": f"{here}openapi.json"}
        return reply({"name": "Parley", "version": __version__, **links}, headers=VARY)
    page, policy = _template()
    note, example = OPEN if call.services.settings.auth == "open" else CLOSED
    example = example.replace("$url", _url(call))
    parts = {"here": here, "version": __version__, "note": note, "example": example}
    body = page.substitute({name: escape(part, quote=name == "here") for name, part in parts.items()})
    headers = {"Content-Type": f"{HTML}; charset=utf-8", "Content-Security-Policy": policy, **VARY}
    return Response(body.encode(), headers)


def _here(path: str) -> str:
    """Return how a link begins that leads to a place below a path: empty, or the path's last segment."""
    return "" if path.endswith("/") else f"{path.rpartition('/')[2]}/"


def _url(call: Call) -> str:
    scheme = "https" if call.header("X-Forwarded-Proto") == "https" else "http"
    api = call.api_id if call.services.settings.stage in EMULATED else ""
    return url_of(scheme, call.header("Host") or "", call.path, api)


def url_of(scheme: str, host: str, path: str, api: str = "") -> str:
    """Return the URL by which a caller came, for a shell to paste.

    path: as the gateway gives it, the stage included. api: its id on an emulator, which takes the part before
    the stage off the path; a host name that begins with the id has no such part.
    """
    name = host if HOST.fullmatch(host) else "localhost"
    prefix = f"/_aws/execute-api/{api}" if api and not name.startswith(f"{api}.") else ""
    return f"{scheme}://{name}{prefix}{path}"


@functools.cache
def _template() -> tuple[Template, str]:
    """Return the page, and the policy that lets in its own style and nothing else."""
    page = (files("chalicelib.apidocs") / "static" / "home.html").read_text(encoding="utf-8")
    (style,) = STYLE.findall(page)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Template(page), f"{POLICY}; style-src 'sha256-{digest}'"
