#!/usr/bin/env python3
"""Runs captures through the Fluent Bit on PATH with the Backchannel filter and compares the results.

    check.py CAPTURE... [--fluent-bit fluent-bit] [--backchannel backchannel]
                        [--module FILE | [--config FILE] [--baseline FILE]]
                        [--speed [--beside FILE:FUNCTION]...]

Checks for each capture that all records are output, each the same as with a filter that returns its input, except for
the added member, and that the findings are those of `backchannel replay`. The module is FILE, or one with the given
settings and baseline baked in, or the one that the program exports. Prints the memory of Fluent Bit at its start and
end; --speed also measures records per second of CPU time, three runs each, and --beside those of other filters.
Exit status 0: equal, 1: not, 2: cannot run.
Needs Python 3.9 and Linux; nothing else is installed or changed.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

OURS = re.compile(r'(,?)"backchannel":\{"severity":')


def leb(number):
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def returns_its_input():
    """A WebAssembly module whose function `same` returns its fifth argument."""

    def section(kind, body):
        return bytes([kind]) + leb(len(body)) + body

    def name(text):
        return leb(len(text)) + text.encode()

    return b"\0asm\1\0\0\0" + b"".join(
        [
            section(1, b"\1\x60\6" + b"\x7f" * 6 + b"\1\x7f"),
            section(3, b"\1\0"),
            section(5, b"\1\0\1"),
            section(7, b"\2" + name("memory") + b"\2\0" + name("same") + b"\0\0"),
            section(10, b"\1" + leb(4) + b"\0\x20\4\x0b"),
        ]
    )


def configuration(capture, is_json, filter_lines, output_lines, folder):
    parsers = folder / "parsers.conf"
    parsers.write_text("[PARSER]\n    Name json\n    Format json\n")
    lines = ["[SERVICE]", "    flush 1", "    log_level warn", f"    parsers_file {parsers}"]
    lines += ["[INPUT]", "    Name tail", f"    Path {capture}", "    Tag capture", "    Read_from_head on"]
    lines += ["    Exit_On_Eof on", "    Buffer_Chunk_Size 1M", "    Buffer_Max_Size 16M", "    Mem_Buf_Limit 64M"]
    lines += ["    Parser json"] if is_json else []
    lines += filter_lines + output_lines
    file = folder / "fluent-bit.conf"
    file.write_text("\n".join(lines) + "\n")
    return file


def filter_of(module, function, more):
    return ["[FILTER]", "    Name wasm", "    Match *", "    event_format json", f"    wasm_path {module}"] + [
        f"    function_name {function}"
    ] + more


def run(fluent_bit, config):
    """Runs Fluent Bit until it exits. Returns CPU seconds and samples of its memory in KiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen = []
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([fluent_bit, "-c", config], stdout=subprocess.DEVNULL, stderr=log)
        while process.poll() is None:
            time.sleep(0.1)
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                seen += [int(found) for found in re.findall(r"VmRSS:\s+(\d+)", status)]
            except OSError:
                pass
        log.seek(0)
        messages = log.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wrong = [line for line in messages.splitlines() if "[error]" in line or "xception" in line]
    if process.returncode != 0 or wrong:
        print(f"  Fluent Bit ended with {process.returncode}: {wrong[:3]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, seen, process.returncode == 0 and not wrong


def without_ours(line):
    found = None
    for found in OURS.finditer(line):
        pass
    return line if found is None else line[: found.start()] + line.rstrip("\n")[-1] + "\n"


def follow(standing, incidents):
    """Updates the set of current incident ids with incidents in the order in which they were printed."""
    for incident in incidents:
        standing.difference_update(incident["supersedes"])
        standing.add(incident["id"])


def comparable(finding):
    """A finding without fields that depend on the run: its input, and its incident."""

    def unnamed(value):
        if isinstance(value, list):
            return [unnamed(one) for one in value]
        if isinstance(value, dict):
            return {key: None if key in ("source", "incident") else unnamed(one) for key, one in value.items()}
        return value

    return unnamed(finding)


def site(options):
    """The options of `bake` and `replay` for the site's settings and baseline."""
    given = {"--config": options.config, "--baseline": options.baseline}
    return [text for name, file in given.items() if file for text in (name, file)]


def replay(options, path, capture, *more):
    command = [options.backchannel, "replay", path, "--format", "jsonl", "--fail-on", "never", *site(options), *more]
    with open(capture, "rb") as file:
        done = subprocess.run(command, stdin=file, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(capture, options, folder):
    with open(capture, "rb") as file:
        is_json = file.read(1) == b"{"
        file.seek(0)
        lines = [line for line in file if line.strip()]
        # `tail` waits for the end of a last line without a line break.
        read = sum(1 for line in lines if line.endswith(b"\n"))
        if read < len(lines):
            print("  last line  does not end: tail leaves it")
    out = folder / "out"
    outputs = {}
    ours = filter_of(options.module, "backchannel_filter", ["    wasm_stack_size 512k"])
    same = filter_of(folder / "same.wasm", "same", ["    wasm_heap_size 32M"])
    (folder / "same.wasm").write_bytes(returns_its_input())
    good = True
    for name, chain in [("same", same), ("ours", ours)]:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        to_file = ["[OUTPUT]", "    Name file", "    Match *", f"    Path {out}", "    File out", "    Format plain"]
        cpu, memory, ended = run(options.fluent_bit, configuration(capture, is_json, chain, to_file, folder))
        outputs[name] = (out / "out").read_text().splitlines(keepends=True) if (out / "out").exists() else []
        good &= ended
        if name == "ours":
            early = memory[min(len(memory) - 1, 10)] if memory else 0
            print(f"  memory     {early} KiB after a second, {max(memory, default=0)} KiB at most, "
                  f"{memory[-1] if memory else 0} KiB last")
    print(f"  records    {read} in, {len(outputs['ours'])} out")
    good &= read == len(outputs["ours"])
    changed = [at for at, (a, b) in enumerate(zip(outputs["same"], outputs["ours"])) if a != without_ours(b)]
    print(f"  changed    {len(changed)} records beside what was added" + (f", first {changed[0] + 1}" if changed else ""))
    good &= not changed

    carried, incidents = {}, set()
    for line in outputs["ours"]:
        if OURS.search(line):
            added = json.loads(line)["backchannel"]
            carried.update((finding["id"], finding) for finding in added.get("findings", []))
            follow(incidents, added.get("incidents", []))
    documents = replay(options, capture, capture)
    if documents[-1]["clock_offsets"]:
        # Replay of a file scans it for wrong time zones first; streams cannot be scanned, neither here nor in replay.
        print("  clock      local times called UTC, which only replay of a whole file sets right: compared with --follow")
        documents = replay(options, "-", capture, "--follow")
    expected = {document["id"]: document for document in documents if document["type"] == "finding"}
    missing, more = expected.keys() - carried.keys(), carried.keys() - expected.keys()
    both = expected.keys() & carried.keys()
    behind = {one for one in both if carried[one]["count"] < expected[one]["count"]}
    other = {one for one in both - behind if comparable(carried[one]) != comparable(expected[one])}
    print(f"  findings   {len(expected)} by replay, {len(carried)} here; {len(missing)} missing, {len(more)} more, "
          f"{len(other)} different, {len(behind)} with repeats that are printed later")
    for name, ids in [("missing", missing), ("more", more), ("different", other)]:
        for one in sorted(ids)[:3]:
            known = expected.get(one) or carried[one]
            print(f"    {name} {one} {known['analytic']} {known['text'][:100]}")
    printed = [document for document in documents if document["type"] == "incident"]
    there = set()
    follow(there, printed)
    print(f"  incidents  {len(there)} by replay, {len(incidents)} here, the same: "
          f"{'yes' if there == incidents else 'no'}")
    good &= not missing and not more and not other

    if options.speed:
        to_null = ["[OUTPUT]", "    Name null", "    Match *"]
        beside = [(one, filter_of(*one.rsplit(":", 1), ["    wasm_stack_size 512k"])) for one in options.beside]
        chains = [("no filter", []), ("returns its input", same), *beside, ("ours", ours)]
        speeds = {name: [] for name, _ in chains}
        for _ in range(3):
            for name, chain in chains:
                cpu, _, _ = run(options.fluent_bit, configuration(capture, is_json, chain, to_null, folder))
                speeds[name].append(read / cpu)
        for name, seen in speeds.items():
            print(f"  {name:18} {min(seen):10,.0f} to {max(seen):10,.0f} records per second of CPU time")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="+", metavar="CAPTURE")
    parser.add_argument("--fluent-bit", default="fluent-bit")
    parser.add_argument("--backchannel", default="backchannel")
    parser.add_argument("--module")
    parser.add_argument("--config")
    parser.add_argument("--baseline")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--beside", action="append", default=[], metavar="FILE:FUNCTION")
    options = parser.parse_args()
    for program in [options.fluent_bit, options.backchannel]:
        if shutil.which(program) is None:
            print(f"SKIPPED: {program} is not on PATH")
            return 2
    version = subprocess.run([options.fluent_bit, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    print(version.stdout.splitlines()[0])
    good = True
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if options.module is None:
            options.module = folder / "backchannel.wasm"
            make = ["bake", *site(options)] if site(options) else ["module", "export"]
            command = [options.backchannel, *make, "--target", "fluent-bit", "-o", options.module]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        options.module = pathlib.Path(options.module).resolve()
        for capture in options.captures:
            print(capture)
            good &= check(pathlib.Path(capture).resolve(), options, folder)
    print("equal" if good else "NOT EQUAL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
