"""Runs entries of the benchmark one after the other: `make bench ENTRIES="published quick"`.

Without names it runs all of them. A finished entry replaces its older result in `results/`
at once, so a run can be interrupted and resumed.
"""

import argparse
import importlib.util
import sys

from benchmarks.entries import ENTRIES, measure
from benchmarks.figures import NAMES, draw_figures
from benchmarks.machine import in_fresh_process
from benchmarks.results import store
from helpers.errors import ending_in_one_sentence


def parse(arguments: list[str] | None = None) -> list[str]:
    """Read the names of the entries from the command line; without any, take all."""
    listed = "\n".join(
        f"  {name:16} {entry.minutes:3} min  {entry.title}" for name, entry in ENTRIES.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure recipes for MNIST side by side on this machine.",
        epilog=f"entries, with their time on two cores:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="what to measure; default: all")
    if sys.platform == "win32":
        parser.error("the memory of a process is known on Linux and macOS only")
    names = parser.parse_args(arguments).entries or list(ENTRIES)
    unknown = [name for name in names if name not in ENTRIES]
    if unknown:
        parser.error(f"there is no entry {unknown[0]!r}; choose from {', '.join(ENTRIES)}")
    return names


def main() -> None:
    """Measure, store and draw: `python -m benchmarks`."""
    names = parse()
    for name in list(names):
        package = ENTRIES[name].needs
        if importlib.util.find_spec(package) is None:
            print(f"{name}: left out, since it needs the package {package}")
            names.remove(name)
    total = sum(ENTRIES[name].minutes for name in names)
    print(f"{len(names)} entries, about {total} minutes on two cores", flush=True)
    for name in names:
        print(f"{name}: {ENTRIES[name].title}, about {ENTRIES[name].minutes} min", flush=True)
        with ending_in_one_sentence():
            store(name, in_fresh_process(measure, name))
    if any(name in NAMES for name in names):
        draw_figures()


if __name__ == "__main__":
    main()
