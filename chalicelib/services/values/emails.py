"""Emails: which are valid, and how they compare."""

from __future__ import annotations

import re
from unicodedata import normalize

from chalicelib.errors import bad_field
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.redis.client import Store
from chalicelib.texts import fault_in

MAX_EMAIL_CHARACTERS = 254
"""Source: RFC 5321, 4.5.3.1.3 (a path of 256 octets, with its angle brackets)."""
EMAIL = "email"
"""The kind of the claims of emails."""
ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*")
UNSEEN = re.compile("[\u200c\u200d\U000e0020-\U000e007f]")
"""Joiners and tags: allowed in names, but two emails that differ in them look the same."""
SPECIAL = frozenset('"(),:;<>[\\]')
"""Characters that an unquoted address can't have. Source: RFC 5322, 3.2.3."""


def checked_email(text: str, field: str) -> str:
    """Return an email in the form in which it is stored and compared: NFC and lower case.

    It does not check that mail arrives there. Raises BadRequest naming the field.
    """
    # A longer text is not normalized: that takes time by the square of the combining characters in a row.
    email = text if len(text) > MAX_EMAIL_CHARACTERS else normalize("NFC", normalize("NFC", text).lower())
    if len(email) > MAX_EMAIL_CHARACTERS:
        raise bad_field(field, f"an email has at most {MAX_EMAIL_CHARACTERS} characters")
    if fault := fault_in(email):
        raise bad_field(field, fault)
    if UNSEEN.search(email) or not ADDRESS.fullmatch(email) or not SPECIAL.isdisjoint(email):
        raise bad_field(field, "an email has a name, one @ and a domain, such as alice@example.org")
    return email


def settle(store: Store, accounts: Accounts, claims: Claims, account: Account) -> None:
    """Make the claim of an account's email permanent; the account loses an email that another has by now."""
    if account.email is not None and not store.run(claims.settle(EMAIL, account.email, account.handle)):
        store.run(accounts.clear_email(account.handle, account.email))
