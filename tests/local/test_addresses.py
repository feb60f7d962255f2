"""Connections that count together, and connections that do not count."""

from __future__ import annotations

import pytest

from infra.local.addresses import Addresses, AddressLimit


@pytest.mark.parametrize(
    "together",
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:9::"),
    ],
)
def test_connections_of_one_site_count_together(together: tuple[str, ...]) -> None:
    """An address is limited in either spelling, and an IPv6 network of 64 bits as one address."""
    addresses = Addresses(AddressLimit(connections=2))
    for address in together:
        assert addresses.excess(address) == 0
        addresses.enter(address)
    assert addresses.excess(together[0]) == 1 / 2
    addresses.leave(together[1])
    assert addresses.excess(together[0]) == 0


def test_sites_count_apart() -> None:
    """Another address, or another IPv6 network of 64 bits, has a limit of its own."""
    addresses = Addresses(AddressLimit(connections=1))
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"):
        addresses.enter(address)
        assert addresses.excess(address) == 0
    assert addresses.total == 4


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", ""])
def test_a_proxy_on_this_machine_has_no_limit(address: str) -> None:
    """Connections from loopback do not count unless the setting says so."""
    addresses = Addresses(AddressLimit(connections=1))
    for _ in range(3):
        addresses.enter(address)
    assert addresses.excess(address) == 0


def test_a_named_proxy_has_no_limit() -> None:
    """Connections from a named network do not count; without a network loopback has a limit too."""
    addresses = Addresses(AddressLimit(connections=1, uncounted=("10.0.0.0/8",)))
    for address in ("10.1.2.3", "127.0.0.1"):
        for _ in range(2):
            addresses.enter(address)
    assert addresses.excess("10.1.2.3") == 0
    assert addresses.excess("127.0.0.1") == 1


def test_a_limit_of_0_is_none() -> None:
    """With 0 an address may have any number of connections."""
    addresses = Addresses(AddressLimit(connections=0, uncounted=()))
    for _ in range(3):
        addresses.enter("192.0.2.1")
    assert addresses.excess("192.0.2.1") == 0
