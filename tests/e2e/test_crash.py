# SPDX-License-Identifier: BSD-3-Clause
"""What the server leaves in its log when it cannot go on."""

import os
import re
import signal

import pytest
import redis

from daemon_process import SERVER, Daemons, wait_until


@pytest.fixture
def daemons(tmp_path, monkeypatch):
    # A report allocates inside a signal handler: the process is lost anyway, and an alarm ends it
    # should that hang.
    options = os.environ.get("TSAN_OPTIONS", "")
    monkeypatch.setenv("TSAN_OPTIONS", f"{options}:report_signal_unsafe=0")
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


def crash(daemon, *command):
    client = daemon.client()
    client.execute_command("HELLO", "2", "SETNAME", "unlucky")
    with pytest.raises(redis.ConnectionError):
        client.execute_command(*command)
    return daemon.wait_for_exit(), daemon.log()


def check_report(log):
    """START, END and between them what a person needs who has only the log."""
    start = log.index("BUG REPORT START: Cut & paste starting from here ===")
    end = log.index("BUG REPORT END. Make sure to include from START to END. ===")
    report = log[start:end]
    assert log.count("BUG REPORT START") == 1
    assert "------ STACK TRACE ------" in report and "------ STACK TRACE DONE ------" in report
    assert re.search(r"------ INFO OUTPUT ------\r?\n# Server\r?\nredis_version:", report)
    assert re.search(r"\ncmdstat_\w+", report)
    assert "Sanitizer" not in log and "runtime error" not in log
    return report


def test_a_segmentation_fault_is_reported_with_client_and_command(daemons, tmp_path):
    pidfile = tmp_path / "pid"
    daemon = daemons.start("--enable-debug-command", "yes", "--pidfile", pidfile,
                           "--hide-user-data-from-log", "no")
    status, log = crash(daemon, "DEBUG", "SEGFAULT")
    assert status == -signal.SIGSEGV
    report = check_report(log)
    assert "crashed by signal: 11" in report
    assert "Crashed running the instruction at:" in report
    assert "------ REGISTERS ------" in report
    assert "------ CURRENT CLIENT INFO ------" in report
    assert re.search(r"id=\d+ addr=127\.0\.0\.1:\d+ .*name=unlucky .*cmd=debug", report)
    assert 'argv[1]: "SEGFAULT"' in report
    assert not pidfile.exists()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
                                    signal.SIGILL])
def test_a_fatal_signal_from_outside_is_reported(daemons, number):
    daemon = daemons.start()
    daemon.client().ping()
    daemon.signal(number)
    assert daemon.wait_for_exit() == -number
    report = check_report(daemon.log())
    assert f"crashed by signal: {number}" in report
    assert "Killed by PID:" in report
    assert "CURRENT CLIENT INFO" not in report


def test_a_failed_assertion_is_reported(daemons):
    status, log = crash(daemons.start("--enable-debug-command", "yes"), "DEBUG", "ASSERT")
    assert status == -signal.SIGABRT
    report = check_report(log)
    assert report.count("ASSERTION FAILED") == 1
    assert re.search(r"==> \S+\.c:\d+ '.+' is not true", report)
    assert "crashed by signal" not in log


def test_a_panic_is_reported(daemons):
    status, log = crash(daemons.start("--enable-debug-command", "yes"), "DEBUG", "PANIC")
    assert status == -signal.SIGABRT
    assert "Guru Meditation: " in check_report(log)


def test_use_exit_on_panic_exits_instead(daemons):
    daemon = daemons.start("--enable-debug-command", "yes", "--use-exit-on-panic", "yes")
    status, log = crash(daemon, "DEBUG", "ASSERT")
    assert status == 1
    check_report(log)


def test_user_data_is_left_out_of_the_report_unless_told_not_to(daemons):
    daemon = daemons.start("--enable-debug-command", "yes")
    _, log = crash(daemon, "DEBUG", "SEGFAULT")
    assert "argv[1]: (8 bytes)" in log and '"SEGFAULT"' not in log


def test_the_report_can_be_switched_off(daemons):
    daemon = daemons.start("--enable-debug-command", "yes")
    daemon.client().config_set("crash-log-enabled", "no")
    status, log = crash(daemon, "DEBUG", "SEGFAULT")
    assert status == -signal.SIGSEGV
    assert "BUG REPORT" not in log


def test_sigalrm_leaves_a_stack_trace_and_the_server_goes_on(daemons):
    daemon = daemons.start()
    daemon.signal(signal.SIGALRM)
    daemon.wait_for_log("Received SIGALRM")
    wait_until(lambda: "STACK TRACE DONE" in daemon.log(), "the stack trace")
    assert daemon.client().ping()
    assert "BUG REPORT" not in daemon.log()
    assert daemon.stop() == 0


def is_sanitized():
    with open(SERVER, "rb") as program:
        code = program.read()
    return b"__asan_init" in code or b"__tsan_init" in code


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer's allocator ends the process itself")
def test_out_of_memory_is_reported(daemons):
    status, log = crash(daemons.start("--enable-debug-command", "yes"), "DEBUG", "OOM")
    assert status == -signal.SIGABRT
    assert re.search(r"[Oo]ut [Oo]f [Mm]emory", check_report(log))
