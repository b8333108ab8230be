#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The house style, as far as a machine can check it.

    tests/tidy/tidy.py                  # the whole repository
    tests/tidy/tidy.py src/base         # a folder or a file
    tests/tidy/tidy.py --fix src/base   # first mend what can be mended: formatting, include order
    tests/tidy/tidy.py --list           # what is checked

A line that carries /* tidy: reason */, or follows one that does, is excused from the checks of
lines; a function or a table that carries one anywhere is excused from the limit on its length.
Prints PATH:LINE: COMPLAINT; the status is 0 if there is none.
"""

import argparse
import bisect
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRATCH = os.path.join("build", "tidy")

SOURCE_LINES_MAX = 1200
HEADER_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6
NESTING_MAX = 4

SPDX = "SPDX-License-Identifier: BSD-3-Clause"
EXCUSE = re.compile(r"/\* tidy: [^*]{3,}\*/")

# Calls that are banned, and where they are not.
BANNED = [
    (r"strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|alloca",
     (), "has no bound or no way to fail"),
    (r"malloc|calloc|realloc|free|posix_memalign|aligned_alloc|strdup|strndup|asprintf|vasprintf",
     ("src/base/mem.c", "tests/"), "memory comes from mem_*"),
    (r"exit|quick_exit", ("src/server/main.c", "tests/"), "only main.c ends the process"),
    (r"rand|srand|random|srandom|drand48", ("src/base/random.c",), "random numbers come from base/random.h"),
]
CONTROL_WORDS = {"if", "for", "while", "switch"}
NOT_CALLS = {"return", "sizeof", "else", "do", "typeof", "__typeof__", "alignof"}
ATTRIBUTES = {"__attribute__", "printf_like", "alignas", "_Alignas"}

# Copied as they are from elsewhere, or data.
FOREIGN = re.compile(r"^tests/conformance/(cases/|transcripts/|README\.md$|(play|protocol|record|run)\.py$)")
TEXT_SUFFIXES = (".c", ".h", ".py", ".sh", ".mk", ".cmake", ".md", ".txt", ".list", ".conf", ".yml",
                 ".def", ".js", ".toml", ".ini")
SPDX_SUFFIXES = (".c", ".h", ".py", ".sh", ".mk", ".cmake", ".list", ".conf", ".def", ".js")

CHECKS = """\
text      SPDX tag first, no white space at the ends of lines, a newline at the end of the file,
          no conflict markers, no paths of one machine; TIDY_WORDS, a regular expression in the
          environment, adds words that must not occur
sizes     .c files, headers, functions, parameters, nesting (files of tables, without a function or named
          *_table.c, may be longer)
words     banned calls, typedef of a struct, extern in a .c file
includes  ranks of deps/programs.list; own header first, project headers before system headers
headers   #pragma once, and each compiles alone
objects   no writable globals outside base/; no call to a folder of the same or a higher rank
format    clang-format 14, with .clang-format
folders   each folder of src/ has its README.md
"""


class Complaints:
    def __init__(self):
        self.lines = set()

    def add(self, path, line, text):
        self.lines.add((path, line, text))


class Source:
    """A C file: its lines, and its code without comments, strings and preprocessor lines."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as source:
            self.text = source.read()
        self.lines = self.text.split("\n")
        bare = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank,
                      self.text, flags=re.S)
        self.bare_lines = bare.split("\n")
        self.code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, bare, flags=re.M)
        self.starts = [0]
        for found in re.finditer(r"\n", self.code):
            self.starts.append(found.end())

    def line_of(self, position):
        return bisect.bisect_right(self.starts, position)

    def excused(self, line):
        """Whether this line or the one before carries an excuse; lines count from 1."""
        return any(EXCUSE.search(self.lines[i]) for i in (line - 1, line - 2)
                   if 0 <= i < len(self.lines))

    def excused_within(self, first, last):
        return any(EXCUSE.search(line) for line in self.lines[max(0, first - 3):last])


def blank(found):
    """As many blanks and newlines; the quotes of strings stay."""
    text = found.group(0)
    inner = re.sub(r"[^\n]", " ", text)
    return text[0] + inner[1:-1] + text[0] if text[0] in "\"'" and len(text) > 1 else inner


# --- the list of folders ---------------------------------------------------------------------------

def read_ranks():
    ranks = {}
    with open("deps/programs.list", encoding="utf-8") as source:
        for line in source:
            words = line.split()
            if words and words[0] == "folder":
                ranks[words[1]] = int(words[2])
    return ranks


def folder_of(path):
    """base for src/base/mem.c; None outside src/."""
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


# --- text ------------------------------------------------------------------------------------------

MACHINE_PATH = re.compile(r"(?<![\w.~/$}])/(?:work|root|home/[a-z]\w*)(?:/|\b)")


def check_text(path, complaints):
    with open(path, "rb") as source:
        data = source.read()
    if b"\0" in data:
        return
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    if wants_spdx(path, lines) and not any(SPDX in line for line in lines[:2]):
        complaints.add(path, 1, "the first line (or the one after #!) is not the SPDX tag")
    if path.endswith((".c", ".h")) and lines[0] != "/* %s */" % SPDX:
        complaints.add(path, 1, "the first line is /* %s */" % SPDX)
    if text and not text.endswith("\n"):
        complaints.add(path, len(lines), "no newline at the end of the file")
    words = os.environ.get("TIDY_WORDS")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            complaints.add(path, number, "white space at the end of the line")
        if re.match(r"(<{7}|>{7}) |={7}$", line):
            complaints.add(path, number, "conflict marker")
        if MACHINE_PATH.search(line) and "MACHINE_PATH" not in line:
            complaints.add(path, number, "a path of one machine")
        if words and re.search(words, line, re.I):
            complaints.add(path, number, "a word of TIDY_WORDS")
        if path.endswith((".c", ".h")) and "\t" in line:
            complaints.add(path, number, "a tab")


def wants_spdx(path, lines):
    name = os.path.basename(path)
    return (path.endswith(SPDX_SUFFIXES) or lines[0].startswith("#!")
            or name in ("Makefile", "CMakeLists.txt"))


# --- C: words, includes -----------------------------------------------------------------------------

def check_words(source, complaints):
    path = source.path
    for pattern, allowed, why in BANNED:
        if path.startswith(allowed):
            continue
        for found in re.finditer(r"(?<![\w.>])(%s)\s*\(" % pattern, source.code):
            line = source.line_of(found.start())
            if not source.excused(line):
                complaints.add(path, line, "%s(): %s" % (found.group(1), why))
    for found in re.finditer(r"\btypedef\s+(struct|enum|union)\b([^;(]*)([;(])", source.code):
        if "{" in found.group(2) or found.group(3) == ";":
            complaints.add(path, source.line_of(found.start()),
                           "typedef of a %s" % found.group(1))
    if path.endswith(".c"):
        for found in re.finditer(r"^\s*extern\b", source.code, re.M):
            line = source.line_of(found.end())
            if not source.excused(line):
                complaints.add(path, line, "extern in a .c file: include the header")
    elif not re.search(r"^#pragma once$", source.text, re.M):
        complaints.add(path, 1, "no #pragma once")


def check_includes(source, ranks, complaints):
    path, own = source.path, folder_of(source.path)
    includes = []
    for number, line in enumerate(source.lines, 1):
        found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if found:
            includes.append((number, found.group(1) == '"', found.group(2)))
    for number, is_project, name in includes:
        if not is_project or not own or source.excused(number):
            continue
        folder = name.split("/")[0]
        if folder not in ranks or "/" not in name:
            complaints.add(path, number, 'includes are written from src/: "%s"' % name)
        elif folder != own and (own not in ranks or ranks[folder] >= ranks[own]):
            complaints.add(path, number, "%s/ (rank %s) includes %s/ (rank %d)"
                           % (own, ranks.get(own, "?"), folder, ranks[folder]))
        elif folder != own and name.endswith("_internal.h"):
            complaints.add(path, number, "%s is internal to %s/" % (name, folder))
    if own and path.endswith(".c"):
        check_include_order(source, includes, complaints)


def check_include_order(source, includes, complaints):
    """Files of rows, *.def, stand wherever their table is."""
    own_header = source.path[len("src/"):-len(".c")] + ".h"
    names = [name for _, _, name in includes]
    if own_header in names and names[0] != own_header:
        complaints.add(source.path, includes[0][0], "its own header comes first")
    for (_, before, _), (number, is_project, _) in zip(includes, includes[1:]):
        if not is_project or before or source.lines[number - 1].rstrip().endswith('.def"'):
            continue
        if "#if" not in "".join(source.lines[:number]):
            complaints.add(source.path, number, "project headers come before system headers")


def fix_include_order(path):
    """Own header, other project headers, system headers; each sorted. Leaves what has conditions
    or comments between the includes."""
    with open(path, encoding="utf-8") as source:
        lines = source.read().split("\n")
    own = '#include "%s.h"' % path[len("src/"):-len(".c")]
    at = [i for i, line in enumerate(lines) if re.match(r"#include\s", line)]
    if not at or any(line.strip() and i not in at
                     for i, line in enumerate(lines[at[0]:at[-1]], at[0])):
        return
    includes = [lines[i] for i in at]
    first = [line for line in includes if line == own]
    project = sorted(line for line in includes if '"' in line and line != own)
    system = sorted(line for line in includes if '"' not in line)
    groups = ["\n".join(group) for group in (first, project, system) if group]
    lines[at[0]:at[-1] + 1] = "\n\n".join(groups).split("\n")
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines))


# --- C: sizes ---------------------------------------------------------------------------------------

def functions(source):
    """All function bodies: name, parameters, position of the head, of { and of }."""
    code, depth, head_start, opening, head = source.code, 0, 0, 0, None
    for found in re.finditer(r"[{};]", code):
        mark, at = found.group(0), found.start()
        if mark == "{":
            if depth == 0:
                head, opening = parse_head(code[head_start:at]), at
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                if head:
                    first = head_start + len(code[head_start:opening]) - len(
                        code[head_start:opening].lstrip())
                    yield head[0], head[1], first, opening, at
                head_start, head = at + 1, None
        elif depth == 0:
            head_start = at + 1


def parse_head(head):
    """Name and parameters of the function whose body follows, or None if it is no function."""
    text = head.rstrip()
    if not text.endswith(")"):
        return None
    depth, groups, start = 0, [], 0
    for at, c in enumerate(text):
        if c == "(":
            if depth == 0:
                start = at
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == 0:
                groups.append((start, at))
        elif c == "=" and depth == 0:
            return None
    for start, end in groups:
        name = re.search(r"(\w+)\s*$", text[:start])
        if name and name.group(1) not in ATTRIBUTES:
            return name.group(1), split_parameters(text[start + 1:end])
    return None


def split_parameters(text):
    parts, depth, last = [], 0, 0
    for at, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(text[last:at])
            last = at + 1
    parts.append(text[last:])
    return [part for part in (p.strip() for p in parts) if part and part != "void"]


def opens_control(code, brace):
    """Whether the { at this position begins the body of a statement."""
    before = code[:brace].rstrip()
    if re.search(r"\b(else|do)$", before) or before.endswith(":"):
        return True
    if not before.endswith(")"):
        return False
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        depth += (before[at] == ")") - (before[at] == "(")
        if depth == 0:
            word = re.search(r"(\w+)\s*$", before[max(0, at - 40):at])
            return bool(word) and word.group(1) not in NOT_CALLS
    return False


def check_nesting(source, opening, closing, complaints):
    open_braces = []
    for found in re.finditer(r"[{}]", source.code[opening + 1:closing]):
        at = opening + 1 + found.start()
        if found.group(0) == "}":
            if open_braces:
                open_braces.pop()
            continue
        open_braces.append(opens_control(source.code[opening:], at - opening))
        line = source.line_of(at)
        if sum(open_braces) == NESTING_MAX + 1 and not source.excused(line):
            complaints.add(source.path, line, "nested deeper than %d" % NESTING_MAX)


def check_sizes(source, complaints):
    path = source.path
    count = len(source.lines) - 1
    limit = SOURCE_LINES_MAX if path.endswith(".c") else HEADER_LINES_MAX
    if count > limit and not path.endswith("_table.c") and any(functions(source)):
        complaints.add(path, limit, "%d lines, of %d at most" % (count, limit))
    for name, parameters, head, opening, closing in functions(source):
        first, last = source.line_of(head), source.line_of(closing)
        if last - first + 1 > FUNCTION_LINES_MAX and not source.excused_within(first, last):
            complaints.add(path, first, "%s: %d lines, of %d at most"
                           % (name, last - first + 1, FUNCTION_LINES_MAX))
        if len(parameters) > PARAMETERS_MAX and not source.excused(first):
            complaints.add(path, first, "%s: %d parameters, of %d at most"
                           % (name, len(parameters), PARAMETERS_MAX))
        check_nesting(source, opening, closing, complaints)


# --- what takes a compiler ---------------------------------------------------------------------------

def compiler_command():
    command = [os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-I", "src", "-I", "."]
    for package, macro in (("openssl", "BUILD_TLS"), ("liburing", "USE_IO_URING"),
                           ("libsystemd", "USE_SYSTEMD"), ("jemalloc", "USE_JEMALLOC"),
                           ("libedit", "USE_LIBEDIT")):
        if shutil.which("pkg-config") and subprocess.run(
                ["pkg-config", "--exists", package], check=False).returncode == 0:
            command.append("-D" + macro)
    return command


def check_header_alone(path, command, complaints):
    name = path[len("src/"):] if path.startswith("src/") else path
    twice = '#include "%s"\n#include "%s"\n' % (name, name)
    run = subprocess.run(command + ["-Wall", "-Wextra", "-Wno-unused-function", "-Werror",
                                    "-fsyntax-only", "-x", "c", "-"],
                         input=twice, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        errors = [line for line in run.stderr.splitlines() if "error" in line]
        complaints.add(path, 1, "does not compile alone: %s" % (errors or ["?"])[0])


def make_object(path, command, newest_header):
    """Compiles without optimisation and position independence, so that constants are seen as such."""
    target = os.path.join(SCRATCH, path[:-len(".c")] + ".o")
    if not (os.path.exists(target) and os.path.getmtime(target) > max(
            newest_header, os.path.getmtime(path))):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        run = subprocess.run(command + ["-O0", "-fno-pie", "-w", "-c", path, "-o", target],
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return path, None, run.stderr
    symbols = subprocess.run(["nm", target], capture_output=True, text=True, check=False).stdout
    return path, [line.split()[-2:] for line in symbols.splitlines()], ""


def definition_line(source, symbol):
    name = re.sub(r"\.\d+$", "", symbol)
    for number, line in enumerate(source.bare_lines, 1):
        if re.search(r"\b%s\b" % re.escape(name), line):
            return number
    return 1


def check_objects(paths, ranks, command, pool, complaints):
    headers = [os.path.join(folder, name) for folder, _, names in os.walk("src")
               for name in names if name.endswith(".h")]
    newest = max(map(os.path.getmtime, headers), default=0)
    everything = sorted(os.path.join(folder, name) for folder, _, names in os.walk("src")
                        for name in names if name.endswith(".c"))
    wanted, defined_in, objects = set(paths), {}, []
    for path, symbols, errors in pool.map(lambda p: make_object(p, command, newest), everything):
        if symbols is None:
            if path in wanted:
                first = [line for line in errors.splitlines() if "error" in line]
                complaints.add(path, 1, "does not compile: %s" % (first or ["?"])[0])
            continue
        objects.append((path, symbols))
        for kind, name in symbols:
            if kind in "TDBRCV":
                defined_in[name] = folder_of(path)
    for path, symbols in objects:
        if path in wanted:
            check_symbols(path, symbols, defined_in, ranks, complaints)


def check_symbols(path, symbols, defined_in, ranks, complaints):
    source, own = Source(path), folder_of(path)
    for kind, name in symbols:
        if kind in "bBdDC" and own != "base":
            line = definition_line(source, name)
            if not source.excused(line):
                complaints.add(path, line, "%s: a writable global outside base/" % name)
        user = defined_in.get(name) if kind == "U" else None
        if user and user != own and ranks.get(user, 99) >= ranks.get(own, 0):
            complaints.add(path, definition_line(source, name),
                           "uses %s of %s/, which is not below %s/" % (name, user, own))


def clang_format():
    """The program, if it is the version whose taste the code follows."""
    for program in ("clang-format-14", "clang-format"):
        if shutil.which(program):
            run = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
            if " version 14." in run.stdout:
                return program
    return None


def check_format(program, paths, complaints):
    run = subprocess.run([program, "--dry-run", "--ferror-limit=1"] + paths,
                         capture_output=True, text=True, check=False)
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error): code should be",
                                 run.stderr, re.M):
        complaints.add(path, 0, "not as clang-format has it, near line %s" % line)


def start_programs(c_files, pool, complaints, notes):
    """What other programs check, begun in the pool. Gives what is left to wait for, and the command
    that compiles, or None."""
    begun, program = [], clang_format()
    if program:
        begun += [pool.submit(check_format, program, c_files[start:start + 40], complaints)
                  for start in range(0, len(c_files), 40)]
    else:
        notes.append("formatting is not checked: no clang-format 14 here")
    if not shutil.which(os.environ.get("CC", "gcc")):
        notes.append("headers and objects are not checked: no compiler here")
        return begun, None
    command = compiler_command()
    begun += [pool.submit(check_header_alone, path, command, complaints)
              for path in c_files if path.endswith(".h")]
    return begun, command


# --- all together -------------------------------------------------------------------------------------

def repository_files():
    """Every file that is not ignored, relative to the top."""
    run = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        names = run.stdout.split("\0")
    else:
        names = [os.path.relpath(os.path.join(folder, name), ".")
                 for folder, _, files in os.walk(".") for name in files]
        names = [name for name in names if not name.startswith(("build/", ".git/"))]
    return sorted(name for name in names if os.path.isfile(name))


def is_text(path):
    name = os.path.basename(path)
    if path.endswith(TEXT_SUFFIXES) or name in ("Makefile", ".gitignore", ".clang-format"):
        return True
    with open(path, "rb") as source:
        return source.read(2) == b"#!"


def check_folders(ranks, complaints):
    for folder in sorted(os.listdir("src")):
        inside = os.path.join("src", folder)
        if not os.path.isdir(inside):
            continue
        if not any(name.endswith((".c", ".h")) for name in os.listdir(inside)):
            continue
        if folder not in ranks:
            complaints.add(inside, 0, "is not in deps/programs.list")
        if not os.path.exists(os.path.join(inside, "README.md")):
            complaints.add(inside, 0, "has no README.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", help="folders or files; everything if there is none")
    parser.add_argument("--fix", action="store_true", help="mend formatting and include order")
    parser.add_argument("--list", action="store_true", help="say what is checked")
    options = parser.parse_args()
    if options.list:
        print(CHECKS, end="")
        return 0
    wanted = [os.path.relpath(os.path.abspath(path), TOP) for path in options.paths]
    os.chdir(TOP)

    ranks, complaints, notes = read_ranks(), Complaints(), []
    files = [path for path in repository_files() if not FOREIGN.match(path)
             and (not wanted or any(path == w or path.startswith(w + "/") for w in wanted))]
    c_files = [path for path in files if path.endswith((".c", ".h"))]
    if options.fix and c_files:
        for path in c_files:
            if path.endswith(".c") and folder_of(path):
                fix_include_order(path)
        if clang_format():
            subprocess.run([clang_format(), "-i"] + c_files, check=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        begun, command = start_programs(c_files, pool, complaints, notes)
        for path in files:
            if is_text(path):
                check_text(path, complaints)
        for path in c_files:
            source = Source(path)
            check_words(source, complaints)
            check_includes(source, ranks, complaints)
            check_sizes(source, complaints)
        if not wanted:
            check_folders(ranks, complaints)
        sources = [path for path in c_files if path.endswith(".c") and folder_of(path)]
        if command and sources:
            check_objects(sources, ranks, command, pool, complaints)
        for check in begun:
            check.result()

    for path, line, text in sorted(complaints.lines):
        print("%s:%d: %s" % (path, line, text))
    for note in notes:
        print("note: " + note)
    print("%d files, %d complaints" % (len(files), len(complaints.lines)))
    return 1 if complaints.lines else 0


if __name__ == "__main__":
    sys.exit(main())
