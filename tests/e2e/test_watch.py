# SPDX-License-Identifier: BSD-3-Clause
"""WATCH, where the watched key is there, is not there, or has expired and still lies in memory."""

import pytest

from conftest import encode
from daemon_process import wait_until

ABSENT, THERE, EXPIRED = "absent", "there", "expired"

# What the key is when WATCH comes, what happens then, and whether EXEC still runs.
CASES = [
    (THERE, [["SET", "key", "new"]], False),
    (THERE, [["GET", "key"]], True),
    (THERE, [["DEL", "key"], ["SET", "key", "value"]], False),
    (THERE, [["FLUSHALL"]], False),
    (THERE, [["SWAPDB", 0, 1]], False),
    (ABSENT, [["FLUSHALL"]], True),
    (ABSENT, [["SWAPDB", 0, 1]], True),
    (ABSENT, [["APPEND", "key", "x"]], False),
    (EXPIRED, [["GET", "key"]], True),
    (EXPIRED, [["DEL", "key"]], True),
    (EXPIRED, [["SET", "key", "new"]], False),
    (EXPIRED, [["GET", "key"], ["SET", "key", "new"]], False),
    (EXPIRED, [["INCR", "key"]], False),
    (EXPIRED, [["FLUSHALL"]], True),
    (EXPIRED, [["FLUSHALL"], ["SET", "key", "new"]], False),
    (EXPIRED, [["SWAPDB", 0, 1]], True),
    (EXPIRED, [["SWAPDB", 0, 1], ["SET", "key", "new"]], False),
]


def prepare(control, state):
    control.call("FLUSHALL")
    if state != ABSENT:
        control.call("SET", "key", "value")
    if state == EXPIRED:
        control.call("PEXPIRE", "key", 1)
        # Neither EXISTS nor the time to live may be asked for: a look at the key removes it.
        now = [int(part) for part in control.call("TIME")]

        def is_later():
            later = [int(part) for part in control.call("TIME")]
            return (later[0] - now[0]) * 1000000 + later[1] - now[1] > 3000

        wait_until(is_later, "the key expires")


def test_a_transaction_runs_if_nothing_it_watched_has_changed(start_server):
    server = start_server("--enable-debug-command", "yes")
    control, other = server.control(), server.connect()
    control.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    for state, commands, runs in CASES:
        prepare(control, state)
        other.call("WATCH", "key")
        for command in commands:
            control.call(*command)
        other.call("MULTI")
        other.call("PING")
        expected = ["PONG"] if runs else None
        assert other.call("EXEC") == expected, f"{state}: {commands}"


@pytest.mark.parametrize("gone_by", ["time", "FLUSHALL"])
def test_a_key_that_expires_under_watch_has_changed(start_server, gone_by):
    server = start_server("--enable-debug-command", "yes")
    control, other = server.control(), server.connect()
    control.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    # Both at once: the key is there when WATCH comes.
    other.send(encode(["SET", "key", "value", "PX", 300]) + encode(["WATCH", "key"]))
    assert [other.read_reply(), other.read_reply()] == ["OK", "OK"]
    wait_until(lambda: control.call("EXISTS", "key") == 0, "the key expires")
    if gone_by == "FLUSHALL":
        control.call("FLUSHALL")
    other.call("MULTI")
    assert other.call("EXEC") is None
