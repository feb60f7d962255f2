"""Users of an import, written: made or updated, and never at the cost of an account that is another's."""

from __future__ import annotations

import secrets
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from chalicelib.services.accounts.passwords import Passwords
from chalicelib.services.imports.candidates import Candidate, Unfit
from chalicelib.services.values.emails import EMAIL, settle
from chalicelib.store.accounts.accounts import FOUND_BY, Account, Accounts, index_item
from chalicelib.store.accounts.claims import Claims

IMPORT = "import"
"""The kind of the claims of accounts on other servers."""
CODE_SIGNS, CODE_GROUPS = "abcdefghjkmnpqrstuvwxyz23456789", 4
"""31 signs that are not taken for one another; four groups of four are 79 bits."""


class Run:
    """Whom a run has seen so far, so that a dry run tells doubles as a real one does.

    ids, handles, emails: of those imported. places: pages that were read. users: the ids and handles on
    them. owed: work that a change asks for.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.handles: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.places: set[tuple[str, int | None]] = set()
        self.users: set[str] = set()
        self.owed: list[str] = []

    def add(self, user: Candidate) -> None:
        """Remember a user who was imported."""
        self.ids[user.id], self.handles[user.handle] = user.handle, user.id
        if email := user.fields.get("email"):
            self.emails[email] = user.handle


class Did(Enum):
    """What became of a user."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Outcome(NamedTuple):
    """What became of a user, and their password for one login, if one was made."""

    did: Did
    code: str | None = None


class Importer:
    """Writes users."""

    def __init__(self, accounts: Accounts, claims: Claims, passwords: Passwords) -> None:
        self._accounts = accounts
        self._claims = claims
        self._passwords = passwords

    def put(self, user: Candidate, run: Run, *, codes: bool, dry_run: bool) -> Outcome:
        """Make or update a user's account, or with dry_run only say what would be done; raises Unfit."""
        if run.ids.get(user.id) == user.handle:
            return Outcome(Did.UNCHANGED)
        account = self._accounts.get(user.handle)
        self._check_owner(user, account, run)
        self._check_email(user, account, run)
        if account is None:
            outcome = Outcome(Did.CREATED) if dry_run else self._create(user, run, codes)
        else:
            outcome = self._update(user, account, run, codes=codes, dry_run=dry_run)
        run.add(user)
        return outcome

    def _check_owner(self, user: Candidate, account: Account | None, run: Run) -> None:
        if account is not None and account.deleted:
            raise Unfit("the handle was that of an account that has been deleted, and stays unused")
        owner = (account and account.source) or ""
        same = owner.removeprefix(f"{user.origin}#") if owner.startswith(f"{user.origin}#") else None
        if (other := same or run.handles.get(user.handle, user.id)) != user.id:
            raise Unfit(f"the handle is that of id {other} of the same server")
        if account is not None and same is None:
            raise Unfit("the handle belongs to somebody else here")
        before = run.ids.get(user.id) or (None if account else self._imported_as(user))
        if before:
            raise Unfit(f"the id was imported as {before} before, and a handle cannot change")

    def _imported_as(self, user: Candidate) -> str | None:
        """Return the other handle under which a user was imported before, even if deleted since."""
        holder = self._claims.holder(IMPORT, user.source)
        if holder in (None, user.handle):
            return None
        account = self._accounts.get(holder or "")
        return holder if account and (account.deleted or account.source == user.source) else None

    def _check_email(self, user: Candidate, account: Account | None, run: Run) -> None:
        email = user.fields.get("email")
        if email is None or (account and account.email == email):
            return
        if (run.emails.get(email) or self._claims.holder(EMAIL, email)) not in (None, user.handle):
            raise Unfit("the email is another account's")

    def _create(self, user: Candidate, run: Run, codes: bool) -> Outcome:
        """Claim, make, settle the claims: a crash between two of these is mended by the next run."""
        code = _new_code() if codes and user.password is None else None
        password = user.password or code
        held = None if password is None else self._passwords.hashed(password)
        account = Account(
            handle=user.handle,
            password=held,
            reset=code is not None,
            source=user.source,
            **_texts(user.fields),
        )
        self._claim(IMPORT, user.source, user.handle)
        claimed = account.email is not None and self._claim(EMAIL, account.email, user.handle)
        if not self._accounts.create(account):
            if claimed and account.email is not None:
                self._claims.release(EMAIL, account.email, user.handle)
            raise Unfit("the handle was taken just now")
        self._settle(account, user.source)
        run.owed.append(index_item(user.handle))
        return Outcome(Did.CREATED, code)

    def _update(self, user: Candidate, account: Account, run: Run, *, codes: bool, dry_run: bool) -> Outcome:
        changes: dict[str, Any] = {
            field: value for field, value in user.fields.items() if (getattr(account, field) or None) != value
        }
        # A code whose report was lost is replaced; a password that somebody has chosen never is.
        wanted = codes and (account.password is None or account.reset) and account.identity is None
        did = Did.UPDATED if changes or wanted else Did.UNCHANGED
        if dry_run:
            return Outcome(did)
        code = _new_code() if wanted else None
        if did is Did.UNCHANGED:
            self._settle(account, user.source)
        elif not self._write(user, account, run, changes, code):
            code = None
        return Outcome(did, code)

    def _write(
        self, user: Candidate, account: Account, run: Run, changes: dict[str, Any], code: str | None
    ) -> bool:
        """Change an account; returns whether the code holds."""
        if changes.get("email"):
            self._claim(EMAIL, changes["email"], user.handle)
        if "email" in changes and account.email is not None:  # first: a crash must not leave it claimed
            self._claims.release(EMAIL, account.email, user.handle)
        secret = {"password": self._passwords.hashed(code), "reset": True} if code else {}
        before = self._accounts.update(user.handle, changes | secret)
        if before is None:
            raise Unfit("the account was deleted just now")
        chosen = before.password != account.password  # by its owner, meanwhile
        if code and chosen:
            self._accounts.update(user.handle, {"password": before.password, "reset": before.reset})
        if "email" in changes:
            self._settle(msgspec.structs.replace(account, email=changes["email"]), user.source)
        if FOUND_BY & changes.keys():
            run.owed.append(index_item(user.handle))
        return not chosen

    def _claim(self, kind: str, value: str, handle: str) -> bool:
        """Claim something for a while; returns False when the handle had claimed it, and raises Unfit."""
        if self._claims.claim(kind, value, handle):
            return True
        if self._claims.holder(kind, value) != handle:
            told = "the email is another account's" if kind == EMAIL else "another run is importing this id"
            raise Unfit(told)
        return False

    def _settle(self, account: Account, source: str) -> None:
        """Claim for good; should another have the email by now, the account is without."""
        self._claims.settle(IMPORT, source, account.handle)
        settle(self._accounts, self._claims, account)


def _texts(fields: dict[str, str | None]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value is not None}


def _new_code() -> str:
    groups = ("".join(secrets.choice(CODE_SIGNS) for _ in range(4)) for _ in range(CODE_GROUPS))
    return "-".join(groups)
