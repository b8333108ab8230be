# SPDX-License-Identifier: BSD-3-Clause
"""Manual pages and completions: they know every option that --help names, and are installed."""

import os
import re
import shutil
import subprocess

import pytest

from daemon_process import SERVER, TOP

pytestmark = pytest.mark.once

PROGRAMS = ["valkey-server", "valkey-cli", "valkey-benchmark"]
SHELLS = {"bash": "bash/{}", "zsh": "zsh/_{}", "fish": "fish/{}.fish"}


def read(*parts):
    with open(os.path.join(TOP, "conf", *parts)) as file:
        return file.read()


def options_of(program):
    """What the left column of --help names; of the server the words of its usage."""
    path = os.path.join(os.path.dirname(SERVER), os.path.basename(SERVER).replace("valkey-server", program))
    if not os.path.exists(path):
        pytest.skip(f"{program} is not built")
    text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
    if program == "valkey-server":
        usage = text.partition("FILE holds")[0]
        return set(re.findall(r"\s(-[a-z]|--[a-z-]+)(?=\s)", usage))
    rows = re.findall(r"^  (-\S+?)(?:, (-\S+))?(?: <| {2,}|$)", text, re.M)
    return {name for row in rows for name in row if name}


def options_in_completion(shell, program):
    text = read("completions", SHELLS[shell].format(program))
    if shell == "zsh":
        return set(re.findall(r"^    '(-[^\[]+)\[", text, re.M))
    if shell == "fish":
        return ({"-" + name for name in re.findall(r" -s (\S+)", text)} |
                {"--" + name for name in re.findall(r" -l (\S+)", text)})
    words = text.partition("compgen -W '\n")[2].partition("'")[0]
    return set(words.split())


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shell", SHELLS)
def test_completions_list_the_options_of_help(program, shell):
    expected = options_of(program)
    assert len(expected) >= 5
    assert options_in_completion(shell, program) == expected


@pytest.mark.parametrize("program", PROGRAMS)
def test_manual_pages_describe_the_options_of_help(program):
    page = read("man", program + ".1").replace("\\-", "-")
    tags = set(re.findall(r"\\fB(-[^\\]*)\\f", page))
    assert options_of(program) <= tags


@pytest.mark.parametrize("program", PROGRAMS)
def test_manual_pages_render_without_warnings(program):
    if not shutil.which("groff"):
        pytest.skip("no groff")
    path = os.path.join(TOP, "conf", "man", program + ".1")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_completions_are_good_for_their_shell(shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    for program in PROGRAMS:
        path = os.path.join(TOP, "conf", "completions", SHELLS[shell].format(program))
        subprocess.run([shell, "-n", path], check=True)


def complete_in_bash(program, *words):
    path = os.path.join(TOP, "conf", "completions", "bash", program)
    script = (f"source '{path}'; COMP_WORDS=({program} \"$@\"); COMP_CWORD=$#; "
              f"_{program.replace('-', '_')}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes_options_and_their_values(tmp_path):
    assert complete_in_bash("valkey-cli", "--latency-") == ["--latency-history", "--latency-dist"]
    assert complete_in_bash("valkey-cli", "--show-pushes", "") == ["yes", "no"]
    assert complete_in_bash("valkey-cli", "-p", "--") == []
    (tmp_path / "certificate.pem").write_text("")
    found = complete_in_bash("valkey-benchmark", "--cacert", f"{tmp_path}/cert")
    assert found == [f"{tmp_path}/certificate.pem"]
    assert "lrange_100" in complete_in_bash("valkey-benchmark", "-t", "lr")


def make(*args):
    subprocess.run(["make", "-C", TOP, "--no-print-directory", *args], check=True, capture_output=True)


def files_in(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder)
                  for place, _, names in os.walk(folder) for name in names)


@pytest.mark.parametrize("links", ["yes", "no"])
def test_make_installs_them_and_takes_them_away(tmp_path, links):
    if os.environ.get("MAKELEVEL"):
        for name in "MAKEFLAGS", "MAKELEVEL", "MFLAGS":
            os.environ.pop(name, None)
    args = [f"DESTDIR={tmp_path}", "PREFIX=/usr", f"USE_REDIS_SYMLINKS={links}"]
    make("install-docs", *args)
    expected = []
    for program in PROGRAMS:
        expected += [f"usr/share/man/man1/{program}.1", f"usr/share/bash-completion/completions/{program}",
                     f"usr/share/zsh/site-functions/_{program}",
                     f"usr/share/fish/vendor_completions.d/{program}.fish"]
        if links == "yes":
            old = program.replace("valkey", "redis")
            expected += [f"usr/share/man/man1/{old}.1", f"usr/share/bash-completion/completions/{old}"]
    assert files_in(tmp_path) == sorted(expected)
    for name in expected:
        assert (tmp_path / name).read_text()
    foreign = tmp_path / "usr/share/man/man1/redis-cli.1"
    foreign.unlink(missing_ok=True)
    foreign.write_text("somebody else's")
    make("uninstall-docs", *args)
    assert files_in(tmp_path) == ["usr/share/man/man1/redis-cli.1"]
