"""Damage circuit files, tables, YAML and command lines: each is refused in one sentence, or read as it was.

python benchmarks/fuzz.py --inputs 3000        # table of docs/reliability.md
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import os
import re
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml

import topomod
from topomod import cli
from topomod.networks.circuit_file import load_circuits, read_digest, save_circuits
from topomod.study.check import load_study, parse_settings
from topomod.study.config import Study
from topomod.study.tables import read_tables, write_table
from topomod.study.yaml_files import StudyError, read_yaml

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = read_yaml(ROOT / "config" / "config.yaml")
SECONDS = 20  # of CPU, after which an input counts as one that hangs
ODD: tuple[Any, ...] = (None, True, "7", -1, 0, 1.5, 1e308, float("nan"), 10**30, [], {}, [1, 2], {"p": 7}, "x" * 300)
ODD += ("=1+1", "../up", "attention_0.1@long", "\u202e", "'", "[[", [[]], 2**63, -(2**63))
WORDS = ("--settings", "{}", "[]", "--alpha", "nan", "-1", "--seeds", "0-0", "9-1", "--output", "--help", "config", "")
WORDS += (
    "--min-neurons",
    "0",
    "results/none",
    "mlp_add",
    "attention_2",
    "--architecture",
    "x" * 5000,
    "\x1b[31m",
    "/dev/null",
)


class Hang(Exception):
    """An input took too long."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Interrupt what takes longer than ``SECONDS``."""

    def late(*_: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def damaged(rng: np.random.Generator, whole: bytes) -> bytes:
    """Bits flipped, bytes lost, repeated or overwritten, zeros, or another file's beginning."""
    where, kind, changed = int(rng.integers(len(whole))), int(rng.integers(8)), bytearray(whole)
    if kind < 3:
        for place in rng.integers(len(whole), size=kind + 1):
            changed[place] ^= 1 << int(rng.integers(8))
    elif kind == 3:
        return whole[:where]
    elif kind == 4:
        changed[where : where + 8] = rng.bytes(8)
    elif kind == 5:
        changed[where:where] = whole[where : where + int(rng.integers(1, 40))]
    elif kind == 6:
        changed[where:] = bytes(len(whole) - where)
    else:
        changed[: int(rng.integers(1, 16))] = rng.choice([b"PK\x03\x04", b"PAR1", b"\x80\x02", b"{}", b"\xff" * 8])
    return bytes(changed)


def circuits(rng: np.random.Generator, folder: Path) -> Callable[[], bool]:
    """A damaged file of circuits; True if other circuits come back than were written."""
    whole, path = folder / "whole.safetensors", folder / "circuits.safetensors"
    if not whole.exists():
        save_circuits(whole, [topomod.max_margin_network(topomod.ModularAddition(5))] * 2, "{}", "{}")
    path.write_bytes(damaged(rng, whole.read_bytes()))

    def run() -> bool:
        found, written = load_circuits(path), load_circuits(whole)
        read_digest(path)
        pairs = zip(found, written, strict=True)
        return not all(
            one.weights.keys() == o.weights.keys() and np.array_equal(one.logits(), o.logits()) for one, o in pairs
        )

    return run


def tables(rng: np.random.Generator, folder: Path) -> Callable[[], bool]:
    """A damaged table; True if other rows come back than were written."""
    whole, path = folder / "whole.parquet", folder / "endpoints.parquet"
    if not whole.exists():
        row = {"architecture": "mlp_add", "step": 1, "converged": True, "endpoint": "purity", "value": 0.5}
        write_table(pd.DataFrame([row | {"seed": seed} for seed in range(50)]), whole, {"settings": "0"})
    path.write_bytes(damaged(rng, whole.read_bytes()))
    return lambda: not read_tables([path]).equals(pd.read_parquet(whole))


def changed_study(rng: np.random.Generator) -> dict[str, Any]:
    """The default study with an odd value at a random place, or a key lost or added."""
    config = copy.deepcopy(DEFAULT)
    place: Any = config
    while True:
        key = rng.choice(sorted(place)) if isinstance(place, dict) else int(rng.integers(len(place)))
        if not (isinstance(place[key], dict | list) and len(place[key])) or rng.random() < 0.3:
            break
        place = place[key]
    if rng.random() < 0.15 and isinstance(place, dict):
        del place[key]
    elif rng.random() < 0.15 and isinstance(place, dict):
        place[f"{key}_"] = 1
    else:
        place[key] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])
    return config


def studies(rng: np.random.Generator, folder: Path) -> Callable[[], bool]:
    """A study's YAML, its values or its bytes changed; True if it is read as one whose settings do not come back."""
    path = folder / "study.yaml"
    if rng.random() < 0.6:
        path.write_text(yaml.safe_dump(changed_study(rng), allow_unicode=True), encoding="utf-8")
    else:
        path.write_bytes(damaged(rng, (ROOT / "config" / "config.yaml").read_bytes()))
    return lambda: (found := load_study(path)) != parse_settings(Study, found.report_settings())


def settings(rng: np.random.Generator, folder: Path) -> Callable[[], bool]:
    """JSON of a study on the command line; True as for a YAML."""
    text = json.dumps(changed_study(rng))
    if rng.random() < 0.4:
        text = damaged(rng, text.encode()).decode("utf-8", "replace")
    return lambda: (found := parse_settings(Study, text)) != parse_settings(Study, found.report_settings())


def command_lines(rng: np.random.Generator, folder: Path) -> Callable[[], bool]:
    """Words in an order that no command expects; True if a command ends well although it was given no study."""
    commands = [command.callback.__name__ for command in cli.app.registered_commands if command.callback]
    name = str(rng.choice(commands)).replace("_", "-")
    words = [name, *(str(rng.choice(WORDS)) for _ in range(int(rng.integers(6))))]

    def run() -> bool:
        sys.argv = ["topomod", *words]
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                cli.main()
            except SystemExit as end:
                if end.code:
                    raise ValueError(said.getvalue().strip() or "no word") from None
        return "--help" not in words

    return run


KINDS = {"circuits": circuits, "tables": tables, "YAML": studies, "settings": settings, "command lines": command_lines}


def judge(run: Callable[[], bool]) -> str:
    """What became of an input."""
    try:
        with limited():
            return "wrongly accepted" if run() else "as before"
    except (ValueError, OSError, IndexError) as error:
        return "refused" if isinstance(error, StudyError) or re.search(r"\S", str(error)) else "refused without a word"
    except Hang:
        return "hang"
    except Exception as error:  # the fuzz looks for these
        return f"traceback {type(error).__name__}"


def fuzz(kind: str, n_inputs: int, seed: int) -> Counter[str]:
    """Outcomes of some inputs of a kind; each that went wrong is printed with its number."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        before = os.getcwd()
        os.chdir(place)
        try:
            for number in range(n_inputs):
                outcome = judge(KINDS[kind](np.random.default_rng([seed, number]), Path(place)))
                outcomes[outcome] += 1
                if outcome not in ("refused", "as before"):
                    print(f"{kind}, seed {seed}, input {number}: {outcome}", file=sys.stderr)
        finally:
            os.chdir(before)
    return outcomes


def main() -> None:
    """Print the table; status 1 if any input was neither refused in words nor read as before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=3000, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    bad = 0
    print("| kind | inputs | refused | as before | tracebacks | wrongly accepted | hangs |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        found = fuzz(kind, arguments.inputs, arguments.seed)
        tracebacks = sum(n for outcome, n in found.items() if outcome.startswith("traceback"))
        columns = [found["refused"], found["as before"], tracebacks, found["wrongly accepted"], found["hang"]]
        print(f"| {kind} | {arguments.inputs} | {' | '.join(map(str, columns))} |", flush=True)
        bad += arguments.inputs - found["refused"] - found["as before"]
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
