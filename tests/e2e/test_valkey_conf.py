# SPDX-License-Identifier: BSD-3-Clause
"""valkey.conf says what the server does."""

import os
import re

import pytest

from daemon_process import Daemons, TOP

pytestmark = pytest.mark.once

CONF = os.path.join(TOP, "valkey.conf")


@pytest.fixture
def daemons(tmp_path):
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


def options_in_conf():
    """Name to list of values: '#name value' shows a default, 'name value' sets one."""
    options, set_there = {}, {}
    with open(CONF) as file:
        for line in file:
            found = re.match(r"(#?)([a-z][a-z0-9-]*)(?: +(.*))?$", line.rstrip("\n"))
            if not found:
                continue
            comment, name, value = found.groups()
            (options if comment else set_there).setdefault(name, []).append(value or "")
    return options, set_there


def values(client):
    """All visible options but those that tell where this server runs."""
    found = client.config_get("*")
    for name in ("port", "dir", "pidfile"):
        found.pop(name)
    return found


def test_a_server_with_valkey_conf_differs_from_one_without_only_where_the_file_says(daemons):
    _, set_there = options_in_conf()
    bare = values(daemons.start().client())
    with_file = values(daemons.start(config=open(CONF).read()).client())
    differing = {name for name in bare if bare[name] != with_file[name]}
    assert differing <= set(set_there)
    assert with_file["bind"] == "127.0.0.1 -::1"


def test_every_visible_option_is_in_valkey_conf(daemons):
    shown, set_there = options_in_conf()
    with open(CONF) as file:
        text = file.read()
    client = daemons.start().client()
    mentioned = set(shown) | set(set_there)
    missing = []
    for name in client.config_get("*"):
        if name in mentioned or re.search(rf"\b{re.escape(name)}\b", text):
            continue
        missing.append(name)
    assert missing == []


def test_each_default_in_valkey_conf_is_the_default(daemons):
    """A commented-out line taken in changes nothing."""
    shown, _ = options_in_conf()
    client = daemons.start().client()
    defaults = values(client)
    lines = []
    for name, texts in shown.items():
        if name in ("port", "dir", "pidfile") or name not in defaults:
            continue
        lines += [f"{name} {text}" for text in texts]
    assert len(lines) > 150
    bind = [line for line in lines if line.startswith("bind ")]
    assert bind
    taken_in = values(daemons.start(config="\n".join(lines) + "\n").client())
    assert taken_in == defaults


def test_all_of_valkey_conf_is_read(daemons):
    daemon = daemons.start_raw("--check-config", CONF, extra_args=False)
    assert daemon.wait_for_exit() == 0
    assert daemon.log() == f"{CONF}: ok\n"
