"""Rooms: their participants, and notices to them."""

from __future__ import annotations

from tests.deployed.realtime.users import Net, new_id

ENTERED, GONE = "a new user has joined the room", "user left the chat"


def test_join_lists_participants_and_notifies_them(net: Net) -> None:
    """The answer to a join lists the participants, and they are notified of it."""
    alice, bob = net.someone(), net.someone()
    room = net.room(alice)
    first, second = net.device(alice), net.device(bob)
    answer = first.ask("room.join", room=room)
    assert (answer["type"], answer["event"], answer["chat"]) == ("room", "joined", f"r-{room}")
    assert answer["clients"] == [alice.handle]
    assert sorted(second.ask("room.join", room=room)["clients"]) == sorted((alice.handle, bob.handle))
    notice = first.expect("room", room=room, event="entered")
    assert (notice["user"], notice["notice"]) == (bob.handle, ENTERED)
    assert second.kept("room") == []


def test_leave_notifies_participants_and_keeps_membership(net: Net) -> None:
    """Leaving a room notifies the remaining participants; the user stays a member."""
    alice, bob = net.someone(), net.someone()
    room = net.room(alice)
    first, second = net.device(alice), net.device(bob)
    for device in (first, second):
        device.ask("room.join", room=room)
    assert second.ask("room.leave", room=room)["event"] == "left"
    notice = first.expect("room", room=room, event="gone")
    assert (notice["user"], notice["notice"]) == (bob.handle, GONE)
    assert first.ask("room.clients", room=room)["clients"] == [alice.handle]
    assert second.ask("send", chat=f"r-{room}", id=new_id(), text="still a member")["type"] == "ack"


def test_closed_connection_leaves_its_rooms(net: Net) -> None:
    """A connection that closes leaves its rooms; a user stays while another device is connected."""
    alice, bob = net.someone(), net.someone()
    room, other = net.room(alice), net.room(alice)
    first, second, third = net.device(alice), net.device(bob), net.device(bob)
    for device in (first, second, third):
        device.ask("room.join", room=room)
    for device in (first, second):
        device.ask("room.join", room=other)
    for one in (room, other):
        first.expect("room", room=one, event="entered", user=bob.handle)
    second.close()
    first.expect("room", room=other, event="gone", user=bob.handle)
    assert first.kept("room") == []
    third.close()
    assert first.expect("room", room=room, event="gone")["user"] == bob.handle
    assert first.kept("room") == []


def test_clients_of_a_room(net: Net) -> None:
    """`room.clients` lists each user once, whatever the number of their devices."""
    alice, bob = net.someone(), net.someone()
    room = net.room(alice)
    devices = [net.device(alice), net.device(bob), net.device(bob)]
    for device in devices:
        device.ask("room.join", room=room)
    answer = devices[0].ask("room.clients", room=room)
    assert (answer["event"], sorted(answer["clients"])) == ("clients", sorted((alice.handle, bob.handle)))


def test_messages_of_a_room(net: Net) -> None:
    """A message to a room reaches the users who have joined it."""
    alice, bob = net.someone(), net.someone()
    room = net.room(alice)
    first, second = net.device(alice), net.device(bob)
    for device in (first, second):
        device.ask("room.join", room=room)
    ack = first.ask("send", chat=f"r-{room}", id=new_id(), text="hello room")
    assert second.expect("message", chat=f"r-{room}", seq=ack["seq"])["text"] == "hello room"


def test_a_ticket_for_a_room_joins_it(net: Net) -> None:
    """With a ticket for a room, and with the URL of GET /ws/joinRoom, a client is in it once it is ready."""
    alice, bob = net.someone(), net.someone()
    room = net.room(alice)
    first = net.device(alice, room=room)
    assert first.expect("room", room=room, event="joined")["clients"] == [alice.handle]
    joined = net.api.call("GET", f"/ws/joinRoom/{room}", person=bob)
    second = net.open(joined.json()["url"])
    second.hello()
    second.expect("room", room=room, event="joined")
    assert first.expect("room", room=room, event="entered")["user"] == bob.handle


def test_joining_a_missing_room_is_an_error(net: Net) -> None:
    """Joining a room that does not exist is an error."""
    answer = net.device(net.someone()).ask("room.join", room="x" * 40)
    assert (answer["type"], answer["status"], answer["code"]) == ("error", 404, "chat_not_found")


def test_a_message_reaches_many(net: Net) -> None:
    """A message also reaches devices beyond the 50 that one call pushes to at once."""
    people = [net.someone() for _ in range(3)]
    room = net.room(people[0])
    devices = [net.device(person) for person in people for _ in range(20)]
    for device in devices[::20]:
        device.ask("room.join", room=room)
    ack = devices[0].ask("send", chat=f"r-{room}", id=new_id(), text="to everybody")
    assert ack["type"] == "ack", ack
    for device in devices[1:]:
        assert device.expect("message", chat=f"r-{room}", seq=ack["seq"])["text"] == "to everybody"
