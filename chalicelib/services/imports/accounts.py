"""Write users of an import: create or update their accounts, and never touch another user's account."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from chalicelib.services.accounts.passwords import Passwords
from chalicelib.services.imports.candidates import Candidate, UserRejected
from chalicelib.services.imports.state import Imported, ImportRun, Result
from chalicelib.services.values.emails import EMAIL, settle
from chalicelib.store.accounts.accounts import FOUND_BY, Account, Accounts, index_item
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.redis.client import Store

IMPORT = "import"
"""The kind of claims for accounts of other servers."""
CODE_SIGNS, CODE_GROUPS = "abcdefghjkmnpqrstuvwxyz23456789", 4
"""31 characters that don't look alike; four groups of four are 79 bits."""


class AccountImporter:
    """Writes the accounts of imported users."""

    def __init__(self, store: Store, accounts: Accounts, claims: Claims, passwords: Passwords) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._passwords = passwords

    def put(self, user: Candidate, run: ImportRun, *, codes: bool, dry_run: bool) -> Imported:
        """Create or update a user's account; a dry run only returns the result. Raises UserRejected."""
        if run.ids.get(user.id) == user.handle:
            return Imported(Result.UNCHANGED)
        account = self._store.run(self._accounts.find(user.handle))
        self._check_owner(user, account, run)
        self._check_email(user, account, run)
        if account is None:
            outcome = Imported(Result.CREATED) if dry_run else self._create(user, run, codes)
        else:
            outcome = self._update(user, account, run, codes=codes, dry_run=dry_run)
        run.add(user)
        return outcome

    def _check_owner(self, user: Candidate, account: Account | None, run: ImportRun) -> None:
        if account is not None and account.deleted:
            raise UserRejected("the handle belonged to a deleted account, and is never used again")
        owner = (account and account.source) or ""
        same = owner.removeprefix(f"{user.origin}#") if owner.startswith(f"{user.origin}#") else None
        if (other := same or run.handles.get(user.handle, user.id)) != user.id:
            raise UserRejected(f"id {other} of the same server has the handle")
        if account is not None and same is None:
            raise UserRejected("another user of this server has the handle")
        before = run.ids.get(user.id) or (None if account else self._imported_as(user))
        if before:
            raise UserRejected(f"the id was imported as {before} before, and a handle cannot change")

    def _imported_as(self, user: Candidate) -> str | None:
        """Return another handle under which the user was imported before, also one deleted since."""
        holder = self._store.run(self._claims.holder(IMPORT, user.source))
        if holder in (None, user.handle):
            return None
        account = self._store.run(self._accounts.find(holder or ""))
        return holder if account and (account.deleted or account.source == user.source) else None

    def _check_email(self, user: Candidate, account: Account | None, run: ImportRun) -> None:
        email = user.fields.get("email")
        if email is None or (account and account.email == email):
            return
        holder = run.emails.get(email) or self._store.run(self._claims.holder(EMAIL, email))
        if holder not in (None, user.handle):
            raise UserRejected("another account has the email")

    def _create(self, user: Candidate, run: ImportRun, codes: bool) -> Imported:
        """Claim, create, make the claims permanent; after a crash between two steps the next run repairs."""
        code = _new_code() if codes and user.password is None else None
        password = user.password or code
        account = self._account(user, password, reset=code is not None)
        self._claim(IMPORT, user.source, user.handle)
        claimed = account.email is not None and self._claim(EMAIL, account.email, user.handle)
        if not self._store.run(self._accounts.create(account)):
            if claimed and account.email is not None:
                self._store.run(self._claims.release(EMAIL, account.email, user.handle))
            raise UserRejected("another user took the handle just now")
        self._settle(account, user.source)
        run.pending.append(index_item(user.handle))
        return Imported(Result.CREATED, code)

    def _account(self, user: Candidate, password: str | None, *, reset: bool) -> Account:
        return Account(
            handle=user.handle,
            password=None if password is None else self._passwords.hash(password),
            reset=reset,
            source=user.source,
            **_texts(user.fields),
        )

    def _update(
        self, user: Candidate, account: Account, run: ImportRun, *, codes: bool, dry_run: bool
    ) -> Imported:
        changes: dict[str, Any] = {
            field: value for field, value in user.fields.items() if (getattr(account, field) or None) != value
        }
        # The report of a code may be lost, so a run replaces it; it never replaces a chosen password.
        wanted = codes and (account.password is None or account.reset) and account.identity is None
        result = Result.UPDATED if changes or wanted else Result.UNCHANGED
        if dry_run:
            return Imported(result)
        code = _new_code() if wanted else None
        if result is Result.UNCHANGED:
            self._settle(account, user.source)
        elif not self._write(user, account, run, changes, code):
            code = None
        return Imported(result, code)

    def _write(
        self, user: Candidate, account: Account, run: ImportRun, changes: dict[str, Any], code: str | None
    ) -> bool:
        """Change an account; returns whether the code is its password."""
        if changes.get("email"):
            self._claim(EMAIL, changes["email"], user.handle)
        # Before the update: a crash must not leave the claim.
        if "email" in changes and account.email is not None:
            self._store.run(self._claims.release(EMAIL, account.email, user.handle))
        secret = {"password": self._passwords.hash(code), "reset": True} if code else {}
        before = self._store.run(self._accounts.update(user.handle, changes | secret))
        if before is None:
            raise UserRejected("the account was deleted just now")
        chosen = before.password != account.password  # the owner has chosen a password meanwhile
        if code and chosen:
            self._store.run(
                self._accounts.update(user.handle, {"password": before.password, "reset": before.reset})
            )
        if "email" in changes:
            self._settle(msgspec.structs.replace(account, email=changes["email"]), user.source)
        if FOUND_BY & changes.keys():
            run.pending.append(index_item(user.handle))
        return not chosen

    def _claim(self, kind: str, value: str, handle: str) -> bool:
        """Claim a value for a while; returns False if the handle had it already. Raises UserRejected."""
        if self._store.run(self._claims.claim(kind, value, handle)):
            return True
        if self._store.run(self._claims.holder(kind, value)) != handle:
            problem = "another account has the email" if kind == EMAIL else "another run is importing this id"
            raise UserRejected(problem)
        return False

    def _settle(self, account: Account, source: str) -> None:
        """Make the claims permanent; the account loses an email that another account has by now."""
        self._store.run(self._claims.settle(IMPORT, source, account.handle))
        settle(self._store, self._accounts, self._claims, account)


def _texts(fields: dict[str, str | None]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value is not None}


def _new_code() -> str:
    groups = ("".join(secrets.choice(CODE_SIGNS) for _ in range(4)) for _ in range(CODE_GROUPS))
    return "-".join(groups)
