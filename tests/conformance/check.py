#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hold a server to the recorded behaviour, less the cases listed in not_yet.txt.

    check.py --server src/valkey-server --jobs 2 -- --io-threads 4
    check.py --server src/valkey-server --update        # write not_yet.txt anew

run.py plays the cases. A case that fails and is not listed is a failure; so is a listed case that
passes or does not exist, which keeps the list honest. Words after -- go to the server. The last
line is "N passed, N failed".
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_YET = os.path.join(HERE, "not_yet.txt")
HEADER = """\
# Recorded cases that need what is not built yet, one GROUP/FILE: TITLE a line.
# Written by check.py --update; a case that passes must not be listed.
"""

sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from play import label  # noqa: E402  (it lies beside this file)


def read_list(path):
    try:
        with open(path, encoding="utf-8") as source:
            lines = (line.strip() for line in source)
            return {line for line in lines if line and not line.startswith("#")}
    except FileNotFoundError:
        return set()


def write_list(path, names):
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEADER + "".join(name + "\n" for name in sorted(names)))


def transcripts():
    """All transcripts as (group, file name, contents)."""
    top = os.path.join(HERE, "transcripts")
    for group in sorted(os.listdir(top)):
        for file in sorted(os.listdir(os.path.join(top, group))):
            if file.endswith(".json"):
                with open(os.path.join(top, group, file), encoding="ascii") as source:
                    yield group, file[:-len(".json")], json.load(source)


def name_of(group, file, title):
    return "%s/%s: %s" % (group, file, title)


def write_transcripts_without(left_out, root):
    """A folder for run.py that holds all cases but those."""
    for group, file, contents in transcripts():
        kept = [case for case in contents["cases"]
                if name_of(group, file, label(case)) not in left_out]
        if kept:
            folder = os.path.join(root, "transcripts", group)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, file + ".json"), "w", encoding="ascii") as out:
                json.dump(dict(contents, cases=kept), out)


def play(options, server_arguments, root, results_path):
    """The results of run.py and what it printed, per failing case."""
    command = [sys.executable, "-B", os.path.join(HERE, "run.py"), "--server", options.server,
               "--jobs", str(options.jobs), "--json", results_path, "--root", root]
    if options.group:
        command += ["--group", options.group]
    if options.filter:
        command += ["--filter", options.filter]
    for what in options.have:
        command += ["--have", what]
    run = subprocess.run(command + ["--"] + server_arguments, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    reports, name = {}, None
    for line in run.stdout.splitlines():
        if line.startswith("FAIL "):
            name = line[len("FAIL "):]
            reports[name] = []
        elif not line.startswith(" "):
            name = None
        elif name:
            reports[name].append(line)
    try:
        with open(results_path, encoding="ascii") as source:
            results = json.load(source)
        if not any(result.get("problem") == "not played" for result in results):
            return results, reports
        print("\n".join(line for line in run.stdout.splitlines()[-60:] if line.strip()))
        sys.exit("check.py: not every case could be played\n0 passed, 1 failed")
    except (OSError, ValueError):
        print(run.stdout[-4000:])
        sys.exit("check.py: run.py gave no results (status %d)\n0 passed, 1 failed"
                 % run.returncode)


def judge(results, reports, listed, whole):
    """Prints what is wrong; the names of the cases that passed and the number of mistakes."""
    passed = {name_of(r["group"], r["file"], r["title"]) for r in results if r["passed"]}
    failed = {name_of(r["group"], r["file"], r["title"]) for r in results if not r["passed"]}
    for name in sorted(failed - listed):
        print("\n".join(["FAIL " + name] + reports.get(name, [])))
    for name in sorted(passed & listed):
        print("FAIL %s\n  passes, and is listed in not_yet.txt" % name)
    mistakes = len(failed - listed) + len(passed & listed)
    if whole:
        existing = {name_of(group, file, label(case))
                    for group, file, contents in transcripts() for case in contents["cases"]}
        for name in sorted(listed - existing):
            print("FAIL %s\n  is listed in not_yet.txt and does not exist" % name)
        mistakes += len(listed - existing)
    return passed - listed, mistakes


def main():
    arguments, server_arguments = sys.argv[1:], []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, server_arguments = arguments[:cut], arguments[cut + 1:]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="server program to start")
    parser.add_argument("--jobs", type=int, default=1, help="servers to use at once")
    parser.add_argument("--group", help="only this group")
    parser.add_argument("--filter", help="only cases whose GROUP/FILE: TITLE contains this")
    parser.add_argument("--have", action="append", default=[], help="as for run.py")
    parser.add_argument("--list", default=NOT_YET, help="the list of cases to leave out")
    parser.add_argument("--skip-not-yet", action="store_true",
                        help="do not play the listed cases at all: quicker")
    parser.add_argument("--update", action="store_true", help="write the list anew")
    options = parser.parse_args(arguments)
    if not os.access(options.server, os.X_OK):
        sys.exit("check.py: no program %s\n0 passed, 1 failed" % options.server)

    listed = read_list(options.list)
    folder = tempfile.mkdtemp(prefix="conformance-check-")
    try:
        root = HERE
        if options.skip_not_yet:
            root = folder
            write_transcripts_without(listed, root)
        results, reports = play(options, server_arguments, root,
                                os.path.join(folder, "results.json"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    if options.update:
        played = {name_of(r["group"], r["file"], r["title"]): r["passed"] for r in results}
        kept = {name for name in listed if name not in played} if (
            options.group or options.filter or options.skip_not_yet) else set()
        listed = kept | {name for name, passed in played.items() if not passed}
        write_list(options.list, listed)
        print("%d cases listed in %s" % (len(listed), os.path.relpath(options.list)))

    whole = not (options.group or options.filter)
    passed, mistakes = judge(results, reports, listed, whole)
    print("%d cases are not built yet" % len(listed))
    print("%d passed, %d failed" % (len(passed), mistakes))
    return 0 if mistakes == 0 and passed else 1


if __name__ == "__main__":
    sys.exit(main())
