#!/usr/bin/env python3
"""Runs Redis's own test suite on platform-kv; README.md beside this file tells the rest.

  suite.py run [--jobs N] [--flags WORDS] [unit ...]   compare with units.tsv; exit 1 when a passing test is lost
  suite.py update [--jobs N] [unit ...]                write the counts of today into units.tsv
  suite.py list                                        the units known

Without units: all of units.tsv (`run` leaves out those in which nothing is expected to pass yet). A word that ends in a slash (unit/type/) takes every unit below it.
$PLATFORM_KV_BIN is the binary to test (default: target/checked/platform-kv).
"""
import argparse
import fnmatch
import hashlib
import os
import queue
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "conformance"

TARBALL = "redis_7.0.15.orig.tar.gz"
TARBALL_SHA256 = "4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982"

# A worker's servers take ports from its base on; the suite's control port lies a little below.
PORTS_PER_WORKER = 700
# No unit of the real server takes half as long on a busy two-core machine.
UNIT_SECONDS = 600


def fail(text):
    sys.exit(f"conformance: {text}")


# The suite -----------------------------------------------------------------------------------------------------------


def suite_source():
    """The unpacked suite, fetched when it is not there yet. Nothing of it is kept in the repository."""
    folder = WORK / "redis-7.0.15"
    if (folder / ".complete").exists():
        return folder
    WORK.mkdir(parents=True, exist_ok=True)
    data = tarball()
    shutil.rmtree(folder, ignore_errors=True)
    archive = WORK / TARBALL
    archive.write_bytes(data)
    wanted = ("redis-7.0.15/tests/", "redis-7.0.15/utils/", "redis-7.0.15/redis.conf", "redis-7.0.15/sentinel.conf")
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if m.name.startswith(wanted) and (m.isfile() or m.isdir())]
        tar.extractall(WORK, members)
    archive.unlink()
    (folder / ".complete").touch()
    return folder


def mirrors():
    """Where this machine's apt gets its packages from: the sources lie beside them."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True)
    uris = sorted(set(listed.stdout.split()))
    return [uri.rstrip("/") + pool + TARBALL for pool in ("/pool/main/r/redis/", "/pool/updates/main/r/redis/") for uri in uris]


def tarball():
    given = os.environ.get("REDIS_SUITE_TARBALL")
    for place in [given] if given else mirrors():
        try:
            data = Path(place).read_bytes() if given else urllib.request.urlopen(place, timeout=60).read()
        except OSError as error:
            print(f"conformance: {place}: {error}", file=sys.stderr)
            continue
        if hashlib.sha256(data).hexdigest() == TARBALL_SHA256:
            return data
        print(f"conformance: {place} is not the file expected", file=sys.stderr)
    fail(f"could not get {TARBALL}; set REDIS_SUITE_TARBALL to a copy of it")


class Program:
    """A server and the tools that belong to it, as the suite calls them in src/."""

    def __init__(self, name, server, tools):
        self.name, self.server, self.tools = name, server, tools

    def install(self, folder):
        folder.mkdir(parents=True)
        wrap(folder / "redis-server", self.server)
        for tool in ("redis-check-aof", "redis-check-rdb"):
            wrap(folder / tool, self.tools[tool])
        for tool in ("redis-cli", "redis-benchmark"):
            wrap(folder / tool, [shutil.which(tool) or fail(f"{tool} is missing: make setup")])


def wrap(path, command):
    """A script that becomes the command: the suite takes the pid of what it starts as the server's."""
    path.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, command))} \"$@\"\n")
    path.chmod(0o755)


def platform_kv():
    binary = Path(os.environ.get("PLATFORM_KV_BIN", ROOT / "target" / "checked" / "platform-kv")).resolve()
    if not os.access(binary, os.X_OK):
        fail(f"no binary at {binary}")
    links = WORK / "links"
    links.mkdir(parents=True, exist_ok=True)
    for name in ("redis-server", "redis-check-aof", "redis-check-rdb"):
        (links / name).unlink(missing_ok=True)
        (links / name).symlink_to(binary)
    tools = {name: [links / name] for name in ("redis-check-aof", "redis-check-rdb")}
    return Program("platform-kv", [links / "redis-server"], tools)


def oracle():
    tools = {name: [shutil.which(name) or fail(f"{name} is missing: make setup")]
             for name in ("redis-check-aof", "redis-check-rdb")}
    return Program("redis", [ROOT / "tools" / "oracle"], tools)


# Running it ----------------------------------------------------------------------------------------------------------


class Outcome:
    """What one unit printed: the names of its tests that passed and failed, and how it ended."""

    def __init__(self, unit, log, ended, seconds):
        self.unit, self.ended, self.seconds = unit, ended, seconds
        self.ok = Counter(re.findall(r"^\[ok\]: (.*?)(?: \(\d+ ms\))?$", log, re.M))
        failed = re.findall(r"^\[err\]: (.*?) in tests/\S+\.tcl$", log, re.M)
        self.failed = Counter(failed)

    @property
    def passed(self):
        return sum(self.ok.values())


class Runner:
    """Runs units of the suite on one program, each in a process group of its own."""

    def __init__(self, program, flags, log_folder, not_run=()):
        self.program, self.flags, self.logs, self.not_run = program, flags, log_folder, not_run
        self.running, self.stopped = {}, False
        self.tcl = shutil.which("tclsh8.6") or shutil.which("tclsh") or fail("tclsh is missing: make setup")
        self.source = suite_source()
        self.logs.mkdir(parents=True, exist_ok=True)

    def run_all(self, units, jobs, judge):
        """Runs the units, `jobs` at a time. `judge` sees each outcome and says whether to try once more."""
        todo, done = queue.Queue(), {}
        for unit in units:
            todo.put(unit)
        base = free_ports(jobs)

        def worker(number):
            tree = WORK / f"tree-{self.program.name}-{os.getpid()}-{number}"
            try:
                self.make_tree(tree)
                while not self.stopped:
                    try:
                        unit = todo.get_nowait()
                    except queue.Empty:
                        return
                    outcome = self.run(tree, base + number * PORTS_PER_WORKER, unit)
                    if judge(outcome, last=False):
                        again = self.run(tree, base + number * PORTS_PER_WORKER, unit)
                        outcome = max(outcome, again, key=lambda o: o.passed)
                        judge(outcome, last=True)
                    done[unit] = outcome
            finally:
                shutil.rmtree(tree, ignore_errors=True)

        threads = [threading.Thread(target=worker, args=(n,)) for n in range(jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            # Only an interrupted run has anything left to end.
            self.stopped = True
            for pid in list(self.running):
                end_group(pid)
        return done

    def make_tree(self, tree):
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        shutil.copytree(self.source / "tests", tree / "tests")
        for name in ("redis.conf", "sentinel.conf"):
            shutil.copy(self.source / name, tree)
        (tree / "utils").symlink_to(self.source / "utils")
        (tree / "tests" / "tmp").mkdir(exist_ok=True)
        self.program.install(tree / "src")

    def run(self, tree, port, unit):
        log = self.logs / (unit.replace("/", ".") + ".log")
        # --durable: an unexpected error fails one test, where by default it would end the run.
        command = [self.tcl, "tests/test_helper.tcl", "--single", unit, "--durable", "--dont-clean", "--clients", "1",
                   "--baseport", str(port), "--portcount", "600", "--timeout", str(UNIT_SECONDS)] + self.flags
        command += [word for where, name in self.not_run if where == unit for word in ("--skiptest", name)]
        environment = dict(os.environ, LC_ALL="C", TERM="dumb")
        started = time.monotonic()
        with open(log, "wb") as out:
            process = subprocess.Popen(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out, start_new_session=True)
            self.running[process.pid] = unit
            try:
                process.wait(UNIT_SECONDS)
                timed_out = False
            except subprocess.TimeoutExpired:
                timed_out = True
            # Servers which the unit left behind are in its process group.
            end_group(process.pid)
            process.wait()
            del self.running[process.pid]
        shutil.rmtree(tree / "tests" / "tmp", ignore_errors=True)
        (tree / "tests" / "tmp").mkdir()
        text = log.read_bytes().decode("utf-8", "replace")
        if timed_out or "[TIMEOUT]" in text:
            ended = "timeout"
        elif "[exception]" in text or "The End" not in text:
            ended = "aborted"
        else:
            ended = "done"
        return Outcome(unit, text, ended, round(time.monotonic() - started))


def end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def free_ports(workers):
    """The first of a range of ports nobody listens on. The suite's own search misses listeners on 127.0.0.1."""
    given = os.environ.get("BASEPORT")
    if given:
        return int(given)

    def used(port):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    for _ in range(40):
        base = 11_040 + random.randrange(16_900 - workers * PORTS_PER_WORKER)
        if not any(used(base + n * PORTS_PER_WORKER + p) for n in range(workers) for p in range(-32, 90)):
            return base
    fail("no free range of ports")


# What is expected ----------------------------------------------------------------------------------------------------


def rows(path, columns):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != columns:
                fail(f"{path.name}:{number}: {columns} columns separated by tabs expected")
            yield fields


class Expected:
    def __init__(self):
        self.redis, self.ours = {}, {}
        for unit, redis, ours in rows(HERE / "units.tsv", 3):
            self.redis[unit], self.ours[unit] = int(redis), int(ours)
        self.missing = list(rows(HERE / "missing.tsv", 3))
        # Tests that would keep the rest of their unit from running.
        self.not_run = [(unit, name) for unit, name, reason in self.missing if reason.startswith("not run: ")]
        self.flaky = list(rows(HERE / "flaky.tsv", 3))

    def select(self, words):
        if not words:
            return list(self.redis)
        units = []
        for word in words:
            found = [u for u in self.redis if u == word or (word.endswith("/") and u.startswith(word))]
            units += found or fail(f"no unit {word} in units.tsv")
        return units

    @staticmethod
    def listed(table, unit, name):
        """The row that covers a test: names are patterns as in a shell."""
        return next((r for r in table if fnmatch.fnmatchcase(unit, r[0]) and matches(name, r[1])), None)

    def verdict(self, outcome):
        """What is wrong with a unit's outcome; empty when nothing is."""
        problems = []
        excused = sum(n for name, n in outcome.failed.items() if self.listed(self.flaky, outcome.unit, name))
        lost = self.ours[outcome.unit] - outcome.passed - excused
        if lost > 0:
            problems.append(f"{lost} fewer than the {self.ours[outcome.unit]} that passed before")
        for name in outcome.failed:
            if not self.listed(self.missing + self.flaky, outcome.unit, name):
                problems.append(f"fails and is on no list: {name}")
        return problems


def matches(name, pattern):
    """Square brackets stand for themselves: they are in many names of tests."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


# Commands ------------------------------------------------------------------------------------------------------------


def print_row(outcome, redis, note=""):
    print(f"{outcome.unit:<45} {outcome.passed:>4} of {redis:>4}  {sum(outcome.failed.values()):>3} failed  "
          f"{outcome.ended:<8} {outcome.seconds:>4}s{note}", flush=True)


def run(options):
    expected = Expected()
    # Without words: those in which something is expected to pass.
    units = [unit for unit in expected.select(options.units) if options.units or expected.ours[unit]]
    problems = {}

    def judge(outcome, last):
        found = expected.verdict(outcome)
        if found and not last:
            print_row(outcome, expected.redis[outcome.unit], "  once more")
            return True
        print_row(outcome, expected.redis[outcome.unit])
        if found:
            problems[outcome.unit] = found
        return False

    runner = Runner(platform_kv(), options.flags, WORK / "logs", expected.not_run)
    done = runner.run_all(units, options.jobs, judge)
    passed, real = sum(o.passed for o in done.values()), sum(expected.redis[u] for u in done)
    print(f"conformance: {passed} of the {real} tests that redis-server passes in {len(done)} units; "
          f"logs: {runner.logs.relative_to(ROOT)}")
    for unit, found in sorted(problems.items()):
        for problem in found:
            print(f"conformance: {unit}: {problem}", file=sys.stderr)
    return 1 if problems or len(done) < len(units) else 0


def update(options):
    expected = Expected()
    units = expected.select(options.units)
    names = oracle_names(units, options)

    def judge(outcome, last):
        lost = outcome.passed < expected.ours[outcome.unit]
        print_row(outcome, expected.redis[outcome.unit], "  once more" if lost and not last else "")
        return lost

    done = Runner(platform_kv(), options.flags, WORK / "logs", expected.not_run).run_all(units, options.jobs, judge)
    used, unexplained = set(), []
    for unit, outcome in done.items():
        expected.redis[unit] = sum(names[unit].values())
        ours = sum((outcome.ok & names[unit]).values())
        # A test that may fail does not lower what is expected: the gate excuses it by name.
        for name, times in (names[unit] - outcome.ok).items():
            if expected.listed(expected.flaky, unit, name):
                ours += times
                continue
            row = expected.listed(expected.missing, unit, name)
            if row:
                used.add(tuple(row))
            else:
                unexplained.append((unit, name))
        expected.ours[unit] = ours
    head = [line for line in (HERE / "units.tsv").read_text().splitlines() if line.startswith("#")]
    lines = [f"{unit}\t{expected.redis[unit]}\t{expected.ours[unit]}" for unit in expected.redis]
    (HERE / "units.tsv").write_text("\n".join(head + lines) + "\n")
    print(f"conformance: units.tsv expects {sum(expected.ours.values())} of {sum(expected.redis.values())}")
    for row in expected.missing:
        if row[0] in done and tuple(row) not in used:
            print(f"conformance: missing.tsv: passes now, remove it: {row[0]}: {row[1]}")
    for unit, name in sorted(set(unexplained)):
        print(f"conformance: missing.tsv: add with its reason: {unit}\t{name}")
    return 1 if unexplained else 0


def oracle_names(units, options):
    """The tests which the real server passes, from a run of it that is kept below target/."""
    folder = WORK / "oracle"
    folder.mkdir(parents=True, exist_ok=True)

    def file_of(unit):
        return folder / (unit.replace("/", ".") + ".names")

    def judge(outcome, last):
        print_row(outcome, outcome.passed, "  (redis-server)")
        file_of(outcome.unit).write_text("\n".join(outcome.ok.elements()))
        return False

    todo = [unit for unit in units if not file_of(unit).exists()]
    if todo:
        Runner(oracle(), options.flags, WORK / "oracle-logs").run_all(todo, options.jobs, judge)
    return {unit: Counter(filter(None, file_of(unit).read_text().split("\n"))) for unit in units}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "update", "list"])
    parser.add_argument("units", nargs="*")
    parser.add_argument("--jobs", type=int, default=2, help="units at a time")
    parser.add_argument("--flags", type=shlex.split, default=[], help="more flags for the suite: '--only /regex'")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("conformance: ended by a signal"))
    if options.command == "list":
        print("\n".join(Expected().redis))
        return 0
    return {"run": run, "update": update}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
