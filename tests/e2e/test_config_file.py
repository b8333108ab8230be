# SPDX-License-Identifier: BSD-3-Clause
"""Where options come from: files, standard input, the command line; and how wrong ones are told."""

import datetime
import json
import os
import re
import subprocess

import pytest
import redis

from daemon_process import Daemons, SERVER, free_port, wait_until

pytestmark = pytest.mark.once


@pytest.fixture
def daemons(tmp_path):
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


def run(*args, **options):
    return subprocess.run([SERVER, *map(str, args)], capture_output=True, text=True, timeout=60,
                          **options)


# --- instead of a server -------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--version", "-v"])
def test_version_has_the_form_that_tools_parse(option):
    result = run(option)
    assert result.returncode == 0 and result.stderr == ""
    assert re.fullmatch(r"Valkey server v=9\.1\.0 sha=[0-9a-f]{8}:[01] malloc=\S+ bits=(32|64) "
                        r"build=[0-9a-f]{16}\n", result.stdout)


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_short_and_names_every_form(option):
    result = run(option)
    assert result.returncode == 0
    for form in ("--version", "--help", "--test-memory", "--check-config", "FILE"):
        assert form in result.stdout


def test_test_memory_tests_as_much_as_it_is_told():
    assert run("--test-memory", "2").returncode == 0
    for wrong in ([], ["0"], ["much"], ["1", "2"]):
        result = run("--test-memory", *wrong)
        assert result.returncode == 1 and "megabytes" in result.stderr


def test_check_config_names_line_and_reason_and_changes_nothing(tmp_path):
    path = tmp_path / "a.conf"
    path.write_text(f"port 7000\npidfile {tmp_path}/pid\nlogfile {tmp_path}/log\n")
    result = run("--check-config", path)
    assert (result.returncode, result.stdout) == (0, f"{path}: ok\n")
    path.write_text("port 7000\n\nhz many\n")
    result = run("--check-config", path)
    assert result.returncode == 1
    assert result.stdout.startswith(f"{path}:3: ")
    path.write_text("rename-command get fetch\n\nrename-command get other\n")
    result = run("--check-config", path)
    assert result.returncode == 1
    assert result.stdout == f"{path}:3: there is no such command, or the new name is taken\n"
    assert os.listdir(tmp_path) == ["a.conf"]


# --- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("text, line, quoted, reason", [
    ("port 7000\nbla 1\n", 2, "bla 1", "Bad directive or wrong number of arguments"),
    ("hz\n", 1, "hz", "wrong number of arguments"),
    ("port 70000\n", 1, "port 70000", "argument must be between 0 and 65535 inclusive"),
    ("\n# x\nappendonly maybe\n", 3, "appendonly maybe", "argument must be 'yes' or 'no'"),
    ('requirepass "open\n', 1, 'requirepass "open', "Unbalanced quotes"),
    ("include /nowhere/a.conf\n", None, None, "No such file or directory"),
    ("rename-command get\n", 1, "rename-command get", "wrong number of arguments"),
    ("port 7000\nrename-command nonsense x\n", 2, 'rename-command "nonsense" "x"', "no such command"),
    ("rename-command get set\n", 1, 'rename-command "get" "set"', "the new name is taken"),
    ("\nrename-command get ''\nrename-command get b\n", 3, 'rename-command "get" "b"', "no such"),
    ("dir /nowhere/at/all\n", 1, "dir /nowhere/at/all", "No such file or directory"),
    ("replicaof localhost port\n", 1, "replicaof localhost port", "Invalid primary port"),
    ("oom-score-adj-values 1 2\n", 1, "oom-score-adj-values 1 2", "wrong number of arguments"),
])
def test_a_wrong_file_is_told_by_line_and_reason_and_does_not_start(daemons, text, line, quoted, reason):
    daemon = daemons.start_raw(config=text)
    assert daemon.wait_for_exit() == 1
    output = daemon.log()
    assert "*** FATAL CONFIG FILE ERROR (Valkey 9.1.0) ***" in output
    assert line is None or f"at line {line}\n" in output
    assert quoted is None or f">>> '{quoted}'" in output
    where = f"Reading the configuration file '{daemon.config_path}', at line"
    assert line is None or where in output
    assert reason in output
    assert "Server initialized" not in output


def test_a_wrong_renaming_in_an_included_file_is_told_by_that_file(daemons, tmp_path):
    part = tmp_path / "part.conf"
    part.write_text("hz 20\nrename-command nonsense x\n")
    status, output = daemons.run(config=f"port 7000\ninclude {part}\n")
    assert status == 1
    assert f"Reading the configuration file '{part}', at line 2\n" in output


def test_a_missing_file_ends_the_start(daemons):
    status, output = daemons.run("/nowhere/at/all.conf")
    assert status == 1
    assert "FATAL CONFIG FILE ERROR" in output and "/nowhere/at/all.conf" in output


@pytest.mark.parametrize("args, quoted", [
    (["--port", "--bla"], "'port \"--bla\"'"),
    (["--nonsense", "1"], "'nonsense \"1\"'"),
    (["--hz", "1", "2"], "'hz \"1\" \"2\"'"),
    (["--rename-command", "nonsense", "x"], "'rename-command \"nonsense\" \"x\"'"),
])
def test_a_wrong_command_line_is_quoted(daemons, args, quoted):
    daemon = daemons.start_raw(*args, extra_args=False)
    assert daemon.wait_for_exit() == 1
    assert "FATAL CONFIG FILE ERROR" in daemon.log() and quoted in daemon.log()


def test_the_error_goes_to_standard_error():
    result = run("--port", "many")
    assert "FATAL CONFIG FILE ERROR" in result.stderr and result.stdout == ""


# --- sources and their order ---------------------------------------------------------------------


def test_the_command_line_wins_over_the_file_and_takes_several_values(daemons):
    daemon = daemons.start("--hz", "33", "--save", "100 1", "--save", "200", "2",
                           "--client-output-buffer-limit", "pubsub", "4mb", "2mb", "60",
                           "--requirepass", "a b", config="hz 22\nmaxclients 555\nsave 1 1\n")
    client = daemon.client(password="a b")
    assert client.config_get("hz", "maxclients", "save") == {
        "hz": "33", "maxclients": "555", "save": "1 1 100 1 200 2"}
    limits = client.config_get("client-output-buffer-limit")["client-output-buffer-limit"]
    assert limits.endswith("pubsub 4194304 2097152 60")


@pytest.mark.parametrize("args", [["--save", ""], ["--save"], ["--save", "", "--hz", "20"],
                                  ["--save", "--hz", "20"]])
def test_save_can_be_switched_off(daemons, args):
    assert daemons.start(*args).client().config_get("save") == {"save": ""}


def test_the_default_of_save_and_what_replaces_it(daemons):
    assert daemons.start().client().config_get("save") == {"save": "3600 1 300 100 60 10000"}
    daemon = daemons.start(config="save 10 1\nsave 20 2\n")
    assert daemon.client().config_get("save") == {"save": "10 1 20 2"}


def test_configuration_comes_from_standard_input(daemons):
    daemon = daemons.start("-", stdin="hz 44\nmaxclients 321\n", extra_args=False)
    assert daemon.client().config_get("hz", "maxclients") == {"hz": "44", "maxclients": "321"}
    # Behind a file, and before the other arguments.
    daemon = daemons.start("--databases", "5", "-", config="hz 11\nmaxclients 111\n",
                           stdin="hz 55\ndatabases 3\n", extra_args=False)
    assert daemon.client().config_get("hz", "maxclients", "databases") == {
        "hz": "55", "maxclients": "111", "databases": "5"}
    daemon = daemons.start_raw("-", stdin="hz 10\nnonsense\n", extra_args=False)
    assert daemon.wait_for_exit() == 1
    assert "standard input, at line 2" in daemon.log()


def test_includes_follow_globs_and_the_later_line_wins(daemons, tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "1.conf").write_text("hz 20\nmaxclients 222\n")
    (parts / "2.conf").write_text("hz 30\n")
    daemon = daemons.start(config=f"maxclients 111\ninclude {parts}/*.conf\ninclude {parts}/*.none\n"
                           "databases 7\n")
    assert daemon.client().config_get("hz", "maxclients", "databases") == {
        "hz": "30", "maxclients": "222", "databases": "7"}
    (parts / "2.conf").write_text("hz\n")
    status, output = daemons.run(config=f"include {parts}/*.conf\n")
    assert status == 1 and f"{parts}/2.conf" in output and "at line 1" in output


def test_options_of_the_reference_without_a_feature_are_accepted_and_answered(daemons):
    daemon = daemons.start("--enable-debug-assert", "yes", config="""
always-show-logo yes
notify-keyspace-events KEA
daemonize no
timeout 0
bind 127.0.0.1
loglevel verbose
logfile ''
databases 16
latency-monitor-threshold 1
repl-diskless-sync-delay 0
save ''
rdbcompression yes
dbfilename dump.rdb
dir ./
slave-serve-stale-data yes
appendonly no
appendfsync everysec
no-appendfsync-on-rewrite no
activerehashing yes
enable-protected-configs yes
enable-debug-command yes
enable-module-command yes
propagation-error-behavior panic
shutdown-on-sigterm force
hide-user-data-from-log no
""")
    client = daemon.client()
    assert client.config_get("slave-serve-stale-data") == {"slave-serve-stale-data": "yes"}
    assert client.config_get("dir") == {"dir": daemon.folder}
    assert client.config_get("notify-keyspace-events") == {"notify-keyspace-events": "AKE"}
    assert daemon.stop() == 0


# --- options that act at the start ---------------------------------------------------------------


def test_renamed_commands_are_found_by_their_new_names_alone(daemons):
    client = daemons.start(config='rename-command GET fetch\nrename-command SET ""\n').client()
    assert client.execute_command("FETCH", "a") is None
    for name in ("GET", "SET"):
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.execute_command(name, "a", "b")


def test_the_log_goes_to_its_file_which_may_be_rotated(daemons, tmp_path):
    log = tmp_path / "server.log"
    daemon = daemons.start_raw("--port", free_port(), "--logfile", log)
    wait_until(lambda: log.exists() and "Ready to accept" in log.read_text(), "a log")
    assert daemon.log() == ""
    log.rename(tmp_path / "server.log.1")
    assert daemon.stop() == 0
    assert "bye bye" in log.read_text()
    status, output = daemons.run("--logfile", "/nowhere/at/all.log")
    assert status == 1 and "Can't open the log file" in output


def test_log_formats(daemons):
    daemon = daemons.start("--log-format", "json", "--log-timestamp-format", "iso8601")
    for line in daemon.log().splitlines():
        record = json.loads(line)
        assert record["pid"] == daemon.pid
        datetime.datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00"))
    daemon = daemons.start("--log-format", "logfmt", "--log-timestamp-format", "milliseconds")
    assert re.search(rf'^pid={daemon.pid} role=\w+ timestamp="\d{{13}}" level=\w+ message="',
                     daemon.log(), re.M)
    daemon.client().config_set("log-format", "legacy", "log-timestamp-format", "legacy")
    daemon.stop()
    assert re.search(rf"^{daemon.pid}:M \d\d \w{{3}} \d{{4}} [\d:.]+ \* .*bye bye", daemon.log(), re.M)


def test_loglevel_decides_what_is_logged(daemons):
    daemon = daemons.start("--loglevel", "notice")
    client = daemon.client()
    client.config_set("loglevel", "nothing")
    assert daemon.stop() == 0
    assert "bye bye" not in daemon.log()


def test_syslog_does_not_disturb(daemons):
    daemon = daemons.start("--syslog-enabled", "yes", "--syslog-ident", "valkey-test",
                           "--syslog-facility", "local3")
    assert daemon.client().ping()
    assert daemon.stop() == 0


def test_the_hash_seed_decides_the_order_of_keys(daemons):
    orders = []
    for seed in ("abc", "abc", "x" * 1000, ""):
        client = daemons.start("--hash-seed", seed).client()
        client.mset({f"key:{i}": i for i in range(100)})
        orders.append(list(client.scan_iter(count=1000)))
        assert sorted(orders[-1]) == sorted(f"key:{i}" for i in range(100))
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3


# --- CONFIG REWRITE ------------------------------------------------------------------------------


def test_rewrite_keeps_comments_and_order_and_the_file_starts_a_server_alike(daemons):
    text = "# mine\nhz 20\n\n# about clients\nmaxclients 500\nrename-command keys ''\n"
    daemon = daemons.start(config=text)
    client = daemon.client()
    client.config_set("hz", "30", "maxmemory", "100mb", "save", "5 5")
    client.execute_command("CONFIG", "REWRITE")
    with open(daemon.config_path) as file:
        lines = file.read().splitlines()
    assert lines[:5] == ["# mine", "hz 30", "", "# about clients", "maxclients 500"]
    before = client.config_get("*")
    assert daemon.stop() == 0
    again = daemons.start_raw(daemon.config_path)
    again.port = daemon.port
    again.wait_until_ready()
    after = again.client().config_get("*")
    for name in ("dir", "pidfile"):  # the folder of the start
        before.pop(name, None), after.pop(name, None)
    assert after == before
    with pytest.raises(redis.ResponseError, match="unknown command"):
        again.client().keys()


def test_rewrite_of_limits_beside_an_include_needs_no_line_without_words(daemons, tmp_path):
    """No other server of the family would start with one."""
    part = tmp_path / "part.conf"
    part.write_text("client-output-buffer-limit pubsub 4mb 2mb 60\n")
    daemon = daemons.start(config=f"include {part}\n")
    client = daemon.client()
    client.config_set("client-output-buffer-limit", "normal 2mb 1mb 5")
    limits = client.config_get("client-output-buffer-limit")
    client.config_rewrite()
    with open(daemon.config_path) as file:
        lines = [line.split() for line in file if line.startswith("client-output-buffer-limit")]
    assert [len(words) for words in lines] == [5, 5, 5]
    assert lines[0][1:] == ["normal", "2097152", "1048576", "5"]
    with open(daemon.config_path) as file:
        again = daemons.start(config=file.read())
    assert again.client().config_get("client-output-buffer-limit") == limits


def test_rewrite_of_everything_starts_a_server_alike(daemons):
    daemon = daemons.start("--enable-debug-command", "yes", config="# mine\n")
    client = daemon.client()
    client.execute_command("DEBUG", "CONFIG-REWRITE-FORCE-ALL")
    before = client.config_get("*")
    assert daemon.stop() == 0
    again = daemons.start_raw(daemon.config_path)
    again.port = daemon.port
    again.wait_until_ready()
    assert again.client().config_get("*") == before


def test_rewrite_needs_a_file_and_finds_it_after_dir_has_changed(daemons, tmp_path):
    with pytest.raises(redis.ResponseError, match="without a config file"):
        daemons.start().client().execute_command("CONFIG", "REWRITE")
    daemon = daemons.start(config="enable-protected-configs yes\n")
    client = daemon.client()
    client.config_set("dir", str(tmp_path), "hz", "77")
    client.execute_command("CONFIG", "REWRITE")
    with open(daemon.config_path) as file:
        assert "hz 77\n" in file.read()


def test_every_visible_option_can_be_set_to_what_it_is(daemons):
    daemon = daemons.start("--enable-protected-configs", "yes")
    client = daemon.client()
    values = client.config_get("*")
    for name, value in values.items():
        try:
            client.config_set(name, value)
        except redis.ResponseError as error:
            assert "can't set immutable config" in str(error), name
        assert client.config_get(name) == {name: value}
    assert client.config_get("*") == values
