"""Which requests the page answers: by the host that they name, and by the page they come from."""

import http.client
import re

import pytest

from hebbsim.cli import main
from hebbsim.demo.room import Room
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.tables import write_tables

pytest.importorskip("bokeh", reason="the extra demo is not installed")


@pytest.fixture(scope="module")
def port():
    """Of a server that also answers to the name of a proxy."""
    from loops import page_server

    room = Room(make_builtin(n_train=20, n_dev=5, n_test=5, n_gen=0))
    with page_server(room, hosts=["Class.example.org"]) as server:
        yield server.port


def asked_as(port, path, host, **headers):
    """Status and text of an answer to a request that says it is for this host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": host, **headers})
    answer = connection.getresponse()
    text = "" if answer.status == 101 else answer.read().decode()
    connection.close()
    return answer.status, text


def test_another_host_gets_nothing(port):
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert asked_as(port, "/", host)[0] == asked_as(port, "/alive", host)[0] == 200
    for host in ("class.example.org", "CLASS.example.org"):
        assert asked_as(port, "/", host)[0] == 200
    # A name that leads here, as an attacker's may; a port, a prefix or an ending is not enough.
    for host in (
        "rebound.example.com", "localhost", "localhost:1", f"localhost:{port}.example.com",
        f"rebound.example.com:{port}", "my.class.example.org", "class.example.org.example.com",
    ):  # fmt: skip
        for path in ("/", "/alive", "/ws", "/static/js/bokeh.min.js", "/none"):
            status, text = asked_as(port, path, host)
            assert status == 403 and "A memory" not in text, (path, host)


def test_a_host_is_told_the_option_for_it_if_it_is_one(port):
    text = asked_as(port, "/", "rebound.example.com")[1]
    assert "hebbsim demo --allow-host rebound.example.com" in text
    # What is none is not put into a command that somebody may copy.
    for host in ("x;reboot", "$(reboot)", "a b"):
        assert "--allow-host" not in asked_as(port, "/", host)[1], host


def test_a_websocket_is_opened_by_this_page_alone(port):
    own, proxy, other = f"localhost:{port}", "class.example.org", "rebound.example.com"
    token = re.search(r'"token":"([^"]+)"', asked_as(port, "/", own)[1])[1]
    for host, origin, status in [
        (own, f"http://{own}", 101),
        (proxy, f"https://{proxy}", 101),
        (f"127.0.0.1:{port}", f"https://{proxy}", 101),
        (other, f"http://{other}", 403),
        (other, f"http://{own}", 403),
        (own, f"http://{other}", 403),
        (own, "null", 403),
    ]:
        wanted = {
            "Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": f"bokeh, {token}",
        }  # fmt: skip
        assert asked_as(port, "/ws", host, **wanted)[0] == status, (host, origin)


@pytest.mark.parametrize(
    "host", ["https://class.example.org", "*", " ", "class.example.org/", "a b", "x;reboot", ".org"]
)
def test_a_host_that_is_none_is_refused_before_anything_is_served(tmp_path, capsys, host):
    write_tables(make_builtin(n_train=20, n_dev=5, n_test=5, n_gen=0), tmp_path / "small")
    with pytest.raises(SystemExit) as end:
        main(["demo", "--no-browser", "--corpus", str(tmp_path / "small"), "--allow-host", host])
    assert end.value.code == 2
    assert "give its name alone" in capsys.readouterr().err
