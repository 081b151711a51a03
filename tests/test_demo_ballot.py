"""Votes of a class: what phones may do, and what else they may not."""

import http.client
import json
import socket
import sys
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest

from hebbsim.demo.ballot import MOST_VOTERS, Ballot
from hebbsim.demo.room import Room
from hebbsim.demo.session import Session
from hebbsim.errors import BadInputError
from hebbsim.readers.grammar import make_builtin

pytest.importorskip("bokeh", reason="the extra demo is not installed")
code_of = pytest.importorskip("hebbsim.demo.ballot_server").code_of


@pytest.fixture(scope="module")
def served():
    """A ballot, and the address at which phones find it."""
    from loops import in_a_thread

    from hebbsim.demo.ballot_server import BallotServer

    ballot = Ballot()
    with in_a_thread(lambda: BallotServer(ballot, host="127.0.0.1"), BallotServer.stop) as server:
        yield ballot, urlsplit(server.url)


def ask(address, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheader("Set-Cookie")
    connection.close()
    return found


def joined(address):
    """The cookie of a browser that has just come."""
    (cookie,) = SimpleCookie(ask(address, "GET", address.path + "/state")[2]).values()
    return f"{cookie.key}={cookie.coded_value}"


def vote(address, letter, cookie, method="POST"):
    return ask(address, method, address.path + "/vote", letter, Cookie=cookie)[0]


def chosen(address, cookie):
    return json.loads(ask(address, "GET", address.path + "/state", Cookie=cookie)[1])["yours"]


def test_a_browser_votes_once_and_may_change_its_mind(served):
    ballot, address = served
    status, page, cookie = ask(address, "GET", address.path)
    # Links from other sites lead to the page without the cookie: a new one would replace it there.
    assert status == 200 and "<title>Vote" in page and cookie is None
    ballot.open(3)
    _, state, given = ask(address, "GET", address.path + "/state")
    asked = {"number": ballot.number, "options": 3, "open": True, "yours": ""}
    assert json.loads(state) == asked
    assert {"HttpOnly", "SameSite=Strict"} <= set(given.split("; "))
    assert "expires" not in given.lower()  # it is gone with the browser
    one, other = joined(address), joined(address)
    assert one != other
    # A browser that opens the page again is still the same one.
    assert ask(address, "GET", address.path + "/state", Cookie=one)[2] is None
    for letter in "ACC":
        assert vote(address, letter, one) == 200
        assert chosen(address, one) == letter and chosen(address, other) == ""
        assert sum(ballot.counts) == 1
    assert vote(address, "C", other) == 200
    assert ballot.counts == [0, 0, 2] and ballot.n_addresses == 1  # which the teacher is told
    assert vote(address, "B", other) == 200 and ballot.counts == [0, 1, 1]
    ballot.close()
    assert vote(address, "A", one) == 400 and ballot.counts == [0, 1, 1]
    ballot.open(2)
    assert ballot.counts == [0, 0] and ballot.n_addresses == 0 and chosen(address, one) == ""
    # A phone that comes back by another address is the same phone.
    for voter, letter, where in (
        ("a", "A", "1"),
        ("b", "B", "1"),
        ("c", "B", "2"),
        ("a", "B", "2"),
    ):
        assert ballot.vote(voter, letter, where)
    assert ballot.counts == [0, 3] and ballot.n_addresses == 2


def test_a_vote_without_an_id_is_sent_one_and_counts_once_with_it(served):
    ballot, address = served
    ballot.open(2)
    status, _, given = ask(address, "POST", address.path + "/vote", "A")
    assert status == 400 and ballot.counts == [0, 0]
    ((name, cookie),) = SimpleCookie(given).items()
    for _ in range(2):
        assert vote(address, "A", f"{name}={cookie.coded_value}") == 200
        assert ballot.counts == [1, 0]


def test_an_id_that_the_server_did_not_give_is_refused(served):
    from loops import in_a_thread

    from hebbsim.demo.ballot_server import BallotServer

    ballot, address = served
    ballot.open(2)
    mine, other = joined(address).split("|"), joined(address).split("|")
    with in_a_thread(lambda: BallotServer(Ballot(), host="127.0.0.1"), BallotServer.stop) as server:
        elsewhere = joined(urlsplit(server.url))
    forged = [
        "voter=", "voter=short", f"voter={'0' * 16}", f"voter={'0' * 8000}", "voter=\xff\xfe",
        elsewhere,  # of another start of the demo
        "|".join([*mine[:-1], other[-1]]),  # somebody's id with one's own signature
        "|".join([*mine[:-1], mine[-1][::-1]]),
    ]  # fmt: skip
    for cookie in forged:
        assert vote(address, "A", cookie) == 400, cookie[:60]
    assert ballot.counts == [0, 0]
    assert vote(address, "A", "|".join(mine)) == 200 and ballot.counts == [1, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="has one address of its own")
def test_votes_are_counted_by_the_address_that_they_come_from(served):
    ballot, address = served
    ballot.open(2)
    for number, place in enumerate(("127.0.0.1", "127.0.0.2", "127.0.0.2")):
        found = http.client.HTTPConnection(
            address.hostname, address.port, timeout=60, source_address=(place, 0)
        )
        headers = {"Cookie": joined(address), "X-Forwarded-For": f"192.0.2.{number}"}
        found.request("POST", address.path + "/vote", body="A", headers=headers)
        assert found.getresponse().status == 200
        found.close()
    assert ballot.counts == [3, 0] and ballot.n_addresses == 2


def test_nothing_but_a_vote_is_accepted(served):
    ballot, address = served
    ballot.open(3)
    who = joined(address)
    for letter in ("D", "AB", "", "a", "<b>", "\xff", "A" * 60):
        assert vote(address, letter.encode("latin-1"), who) == 400
    assert vote(address, "A", who, method="GET") == 405
    for path in ("/", "/ws", "/alive", "/static/js/bokeh.min.js", "/wrong1/vote"):
        assert ask(address, "GET", path)[0] == 404
        assert ask(address, "POST", path, "A", Cookie=who)[0] in (404, 405)
    assert ballot.counts == [0, 0, 0]


def sent(address, head, body=""):
    """The first line of the answer to a request, of which no more is sent than this."""
    with socket.create_connection((address.hostname, address.port), timeout=60) as found:
        lines = [f"POST {address.path}/vote HTTP/1.1", f"Host: {address.netloc}", *head, "", body]
        found.sendall("\r\n".join(lines).encode())
        return found.recv(1000).decode().partition("\r\n")[0]


def test_a_request_that_is_too_long_is_refused_before_it_is_read(served):
    ballot, address = served
    ballot.open(3)
    who = f"Cookie: {joined(address)}"
    assert "200" in sent(address, [who, "Content-Length: 1"], "B")
    # A body that is never sent would be waited for, and then not be answered.
    assert "400" in sent(address, [who, "Content-Length: 65"])
    assert "400" in sent(address, [who, "Transfer-Encoding: chunked"], "41\r\n")
    assert "200" not in sent(address, [who, f"X: {'x' * 8200}", "Content-Length: 1"], "B")
    assert ballot.counts == [0, 1, 0]


def test_no_vote_is_counted_while_no_question_is_open():
    ballot = Ballot()
    assert not ballot.vote("0" * 16, "A") and ballot.counts == []
    ballot.open(2)
    assert ballot.vote("0" * 16, "A") and not ballot.vote("1" * 16, "C")
    ballot.close()
    assert not ballot.vote("0" * 16, "B") and not ballot.vote("1" * 16, "B")
    assert ballot.counts == [1, 0]


def test_browsers_are_bounded():
    ballot = Ballot()
    ballot.open(2)
    counted = [ballot.vote(f"{i:016}", "B") for i in range(MOST_VOTERS + 5)]
    assert sum(counted) == MOST_VOTERS and ballot.counts == [0, MOST_VOTERS]
    assert ballot.vote(f"{0:016}", "A") and ballot.counts == [1, MOST_VOTERS - 1]
    for n in (1, 5, True):
        with pytest.raises(BadInputError, match="from 2 to 4"):
            ballot.open(n)


def test_a_window_asks_its_class_and_is_told_the_tally():
    room = Room(make_builtin(n_train=150, n_dev=30, n_test=30, n_gen=0), clusters=20)
    room.prepare()
    session = Session(room)
    (refused,) = session.handle({"do": "ballot", "options": 3})
    assert "--class" in refused["text"] and session.hello()["ballot"] is None
    room.ballot, room.ballot_url = Ballot(), "http://192.0.2.1:5/abc"
    room.ballot_code = code_of(room.ballot_url)
    assert session.hello()["ballot"] == {"url": room.ballot_url, "code": room.ballot_code}
    assert not list(session.handle({"do": "ballot", "options": 3}))
    room.ballot.vote("one", "B")
    room.ballot.vote("two", "B")
    assert list(session.tally()) == [{"kind": "tally", "counts": [0, 2, 0], "addresses": 1}]
    assert not list(session.tally())  # nothing new
    other = Session(room)
    list(other.handle({"do": "ballot", "options": 2}))
    list(session.handle({"do": "ballot"}))  # not its question any more
    assert room.ballot.is_open and not list(session.tally())
    list(other.handle({"do": "ballot"}))
    assert not room.ballot.is_open
    (bad,) = other.handle({"do": "ballot", "options": "many"})
    assert bad["kind"] == "error"
