"""Wires the use cases of accounts."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.services.accounts.deletion import Deletion
from chalicelib.services.accounts.login import Login
from chalicelib.services.accounts.passwords import Passwords
from chalicelib.services.accounts.profiles import Profiles
from chalicelib.services.accounts.registration import Registration
from chalicelib.services.accounts.sessions import SessionService
from chalicelib.services.delivery.wiring import Delivery
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.values.names import Names


class AccountUseCases:
    """Registration, login and sessions, profiles, and the end of an account."""

    def __init__(self, settings: Settings, names: Names, delivery: Delivery, jobs: PendingJobs) -> None:
        stores, closer, needs_account = delivery.stores, delivery.session_closer, settings.auth != "open"
        store, accounts, claims, sessions = stores.client, stores.accounts, stores.claims, stores.sessions
        self.passwords = Passwords(settings.argon2)
        self.login = Login(store, accounts, claims, sessions, stores.login_attempts, self.passwords, closer)
        self.registration = Registration(store, names, accounts, self.passwords, self.login, jobs, closer)
        self.sessions = SessionService(store, sessions, closer)
        self.profiles = Profiles(store, accounts, claims, names, jobs, needs_account=needs_account)
        self.deletion = Deletion(store, accounts, stores.inboxes, jobs, closer)
