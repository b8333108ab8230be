#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hold a server to the recorded behaviour, less the cases listed in not_yet.txt.

    check.py --server src/valkey-server --jobs 2 -- --io-threads 4
    check.py --server src/valkey-server --update        # write not_yet.txt anew

run.py plays the cases. A case that fails and is not listed is a failure; so is a listed case that
passes, does not exist or is listed without a reason, which keeps the list honest. Words after -- go
to the server. The last line is "N passed, N failed".

--update asks the server which commands it has. The reason of a failing case is the feature of the
command in its failing step, or else in the nearest step before, that the server does not have. Where
this finds none, the reason that is in the list already is kept: it is written there by hand, below a
line "== REASON".
"""

import argparse
import collections
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_YET = os.path.join(HERE, "not_yet.txt")
HEADER = """\
# Recorded cases that need what is not built yet, one GROUP/FILE: TITLE a line, below the reason.
# Written by check.py --update; a case that passes must not be listed.
"""

# Whose commands and subcommands (CONTAINER|NAME) are missing where they are missing.
FEATURES = {
    "lists": "lpush* rpush* lpop rpop lmove lmpop rpoplpush lindex linsert llen lpos lrange lrem lset "
             "ltrim blpop brpop blmove blmpop brpoplpush debug|quicklist-packed-threshold @list",
    "sets": "sadd srem scard sdiff* sinter* sunion* sismember smismember smembers smove spop "
            "srandmember sscan @set",
    "hashes": "h[degiklmprstv]* @hash",
    "sorted sets": "z* bz* @sortedset",
    "geo": "geo* @geo",
    "streams": "x* @stream",
    "publish and subscribe": "*subscribe publish spublish pubsub*",
    "scripts and functions": "eval* fcall* function* script* debug|set-disable-deny-scripts @scripting",
    "ACL": "acl*",
    "client tracking": "client|tracking* client|caching client|getredir",
    "blocking commands": "client|unblock",
    "cluster mode": "cluster* asking readonly readwrite",
    "replication": "replicaof slaveof replconf psync sync failover role wait waitaof",
    "the append-only file": "bgrewriteaof debug|loadaof",
    "persistence": "save bgsave lastsave debug|reload",
    "DUMP, RESTORE and MIGRATE": "dump restore* migrate",
    "SORT": "sort sort_ro",
    "modules": "module*",
}
UNEXPLAINED = "no reason found"

# Cases that ask for the initial value of an option: not played where the option is given.
ASK_FOR_INITIAL = {
    "server/v9_config: new settings that hide from patterns": "--io-threads-always-active",
}

sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from play import Server, label  # noqa: E402  (they lie beside this file)
from protocol import Connection  # noqa: E402


def read_list(path):
    """The listed cases, each with its reason."""
    reasons, reason = {}, UNEXPLAINED
    try:
        with open(path, encoding="utf-8") as source:
            for line in map(str.strip, source):
                if line.startswith("== "):
                    reason = line[len("== "):]
                elif line and not line.startswith("#"):
                    reasons[line] = reason
    except FileNotFoundError:
        pass
    return reasons


def write_list(path, reasons):
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEADER)
        for reason in sorted(set(reasons.values())):
            out.write("\n== %s\n" % reason)
            out.writelines(name + "\n" for name in sorted(reasons) if reasons[name] == reason)


def print_counts(reasons):
    """A table of the listed cases: a line per reason, a column per group."""
    groups = sorted({name.split("/")[0] for name in reasons})
    counts = collections.Counter((reason, name.split("/")[0]) for name, reason in reasons.items())
    rows = sorted(set(reasons.values())) + ["in all"]
    width = max(map(len, rows))
    print(" " * width + "".join("%13s" % group for group in groups + ["in all"]))
    for group in groups:
        counts["in all", group] = sum(counts[reason, group] for reason in rows[:-1])
    for reason in rows:
        numbers = [counts[reason, group] for group in groups]
        print(reason.ljust(width) + "".join("%13d" % n for n in numbers + [sum(numbers)]))


# --- why a case fails --------------------------------------------------------------------------

def commands_of(options, server_arguments):
    """The names of all commands and subcommands (container|name) that the server has."""
    server = Server(options.server, None, server_arguments)
    try:
        connection = Connection(server.host, server.port)
        names = [item[1] for item in connection.call("COMMAND", "LIST")[1]]
        for name in names[:]:
            if "|" not in name:
                info = connection.call("COMMAND", "INFO", name)[1][0][1]
                names += [subcommand[1][0][1] for subcommand in info[9][1]]
        connection.close()
    finally:
        server.stop()
    return set(names)


def feature_of(name):
    return next((feature for feature, patterns in FEATURES.items()
                 if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split())), None)


def names_in(step):
    """What a step may need: the command, the subcommand, and what COMMAND is asked about."""
    words = [word.lower() for word in step.get("args", [])]
    names = words[:1] + ["|".join(words[:2])]
    if words[:1] == ["command"]:
        names += words[2:] + ["|".join(words[2:4])]
        if words[2:4] == ["filterby", "aclcat"]:
            names.append("@" + words[-1])
    return names


def is_missing(name, have):
    """Whether the server lacks it; "hello|2", of a command without subcommands, is none."""
    container = name.split("|")[0]
    is_name = (container in ("debug", name) or container not in have
               or any(other.startswith(container + "|") for other in have))
    return is_name and name not in have


def reason_of(case, failing, have):
    """The missing feature in the failing step, counted from 1, or the nearest before; or None."""
    for step in reversed(case["steps"][:failing]):
        for name in names_in(step):
            feature = feature_of(name)
            if feature and is_missing(name, have):
                return "needs " + feature
    if "--cluster-enabled yes" in str(case.get("server")):
        return "needs cluster mode"
    return None


def update(options, server_arguments, results, listed):
    """The list as these results make it."""
    have = commands_of(options, server_arguments)
    cases = {name_of(group, file, label(case)): case
             for group, file, contents in transcripts() for case in contents["cases"]}
    reasons = {}
    if options.group or options.filter or options.skip_not_yet:
        played = {name_of(r["group"], r["file"], r["title"]) for r in results}
        reasons = {name: reason for name, reason in listed.items() if name not in played}
    for result in results:
        name = name_of(result["group"], result["file"], result["title"])
        if not result["passed"]:
            failing = result.get("step", len(cases[name]["steps"]))
            reasons[name] = (reason_of(cases[name], failing, have)
                             or listed.get(name, UNEXPLAINED))
    return reasons


# --- playing -------------------------------------------------------------------------------------

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


def judge(results, reports, reasons, whole):
    """Prints what is wrong; the names of the cases that passed and the number of mistakes."""
    passed = {name_of(r["group"], r["file"], r["title"]) for r in results if r["passed"]}
    failed = {name_of(r["group"], r["file"], r["title"]) for r in results if not r["passed"]}
    listed = set(reasons)
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
    unexplained = {name for name in listed if reasons[name] == UNEXPLAINED}
    for name in sorted(unexplained):
        print("FAIL %s\n  is listed in not_yet.txt without a reason" % name)
    mistakes += len(unexplained)
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

    reasons = read_list(options.list)
    folder = tempfile.mkdtemp(prefix="conformance-check-")
    try:
        left_out = {name for name, option in ASK_FOR_INITIAL.items() if option in server_arguments}
        if options.skip_not_yet:
            left_out |= set(reasons)
        root = folder if left_out else HERE
        if left_out:
            write_transcripts_without(left_out, root)
        results, reports = play(options, server_arguments, root,
                                os.path.join(folder, "results.json"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    if options.update:
        reasons = update(options, server_arguments, results, reasons)
        write_list(options.list, reasons)
        print_counts(reasons)

    whole = not (options.group or options.filter)
    passed, mistakes = judge(results, reports, reasons, whole)
    print("%d cases are not built yet" % len(reasons))
    print("%d passed, %d failed" % (len(passed), mistakes))
    return 0 if mistakes == 0 and passed else 1


if __name__ == "__main__":
    sys.exit(main())
