"""Malformed models and configs: each must be refused in one sentence, and no code in a file may run.

python benchmarks/fuzz_released.py --files 400        # table of docs/reliability.md
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from topomod import load_activations, load_released
from topomod.study.network_files import read_files

P, D, M, HEADS = 7, 8, 12, 2
State = dict[str, Any]


class Hostile:
    """An object that makes a file when it is unpickled without care."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def draw(rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]) -> State:
    """A state dict of random weights."""
    return {name: torch.tensor(rng.standard_normal(shape), dtype=torch.float32) for name, shape in shapes.items()}


def zhong(rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
    """A transformer of Zhong et al. and its config."""
    shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (D, P), "pos_embed.W_pos": (2, D), "unembed.W_U": (D, P)}
    shapes |= {f"blocks.0.attn.W_{x}": (HEADS, D // HEADS, D) for x in "KQV"}
    shapes |= {"blocks.0.attn.W_O": (D, D), "blocks.0.mlp.W_in": (M, D), "blocks.0.mlp.b_in": (M,)}
    shapes |= {"blocks.0.mlp.W_out": (D, M), "blocks.0.mlp.b_out": (D,)}
    return draw(rng, shapes), {"attn_coeff": 0.5, "C": P, "n_layers": 1, "act_fn": "ReLU"}


def lens(rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
    """A transformer of TransformerLens and its config."""
    k = D // HEADS
    shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (P + 1, D), "pos_embed.W_pos": (3, D), "unembed.W_U": (D, P)}
    shapes |= {f"blocks.0.attn.W_{x}": (HEADS, D, k) for x in "KQV"} | {"blocks.0.attn.W_O": (HEADS, k, D)}
    shapes |= {f"blocks.0.attn.b_{x}": (HEADS, k) for x in "KQV"} | {"blocks.0.attn.b_O": (D,)}
    shapes |= {"blocks.0.mlp.W_in": (D, M), "blocks.0.mlp.b_in": (M,)}
    shapes |= {"blocks.0.mlp.W_out": (M, D), "blocks.0.mlp.b_out": (D,)}
    sizes = {"p": P, "n_layers": 1, "d_vocab": P + 1, "n_ctx": 3}
    return draw(rng, shapes), sizes | {"act_fn": "relu", "attention_dir": "causal"}


def linear(rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
    """A linear model of Zhong et al. and its config."""
    shapes = {"embed.weight": (P, D), "l1.weight": (M, D), "l1.bias": (M,), "unembed.weight": (P, M)}
    return draw(rng, shapes), {"model_type": "A", "C": P}


def perceptron(rng: np.random.Generator) -> tuple[State, dict[str, Any]]:
    """A perceptron of Chughtai et al. and its config."""
    shapes = {"W_x": (P, D), "W_y": (P, D), "W": (2 * D, M), "W_U": (M, P)}
    return draw(rng, shapes), {"group": "CyclicGroup", "group_parameter": P}


LAYOUTS = (zhong, lens, linear, perceptron)


def weight_fault(rng: np.random.Generator, state: State, mark: Path) -> tuple[str, State]:
    """One fault in one weight."""
    key = str(rng.choice(sorted(state)))
    value = state[key]
    flat = value.clone().reshape(-1)
    flat[int(rng.integers(len(flat)))] = float(rng.choice([np.nan, np.inf, -np.inf]))
    faults: dict[str, Callable[[], Any]] = {
        "not finite": lambda: flat.reshape(value.shape),
        "too short": lambda: value[:-1],
        "one axis more": lambda: value[None],
        "empty": lambda: value[:0],
        "scalar": lambda: value.sum(),
        "complex": lambda: value + 1j,
        "sparse": lambda: value.to_sparse(),
        "no data": lambda: value.to("meta"),
        "stride 0": lambda: torch.zeros(1).expand(value.shape),
        "text": lambda: "weights",
        "null": lambda: None,
        "list": lambda: value.tolist(),
        "quantised": lambda: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
        "hostile object": lambda: Hostile(mark),
        "state dict inside": lambda: {"weight": value},
    }
    kind = str(rng.choice([*faults, "missing", "extra bias", "extra layer norm", "prefix of one key"]))
    if kind == "missing":
        return kind, {name: own for name, own in state.items() if name != key}
    if kind in ("extra bias", "extra layer norm"):
        name = "unembed.bias" if kind == "extra bias" else "blocks.0.ln1.w"
        return kind, state | {name: torch.ones(P if kind == "extra bias" else D)}
    if kind == "prefix of one key":
        return kind, {f"module.{name}" if name == key else name: own for name, own in state.items()}
    return kind, state | {key: faults[kind]()}


ODD = (None, True, "7", -1, 1.5, float("nan"), float("inf"), 10**30, [], [P], {}, {"p": P}, "x" * 1000)
CONFIG_FAULTS: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {  # values that are wrong, for these layouts
    "C": (ODD[1:], ("zhong", "lens", "linear", "perceptron")),
    "p": ((*ODD[1:], P + 5), ("zhong", "lens", "linear", "perceptron")),
    "epoch": (ODD[1:], ("zhong", "lens", "linear", "perceptron")),
    "attn_coeff": ((*ODD[:4], *ODD[5:], 1.01), ("zhong",)),
    "n_layers": ((*ODD[1:], 2), ("zhong", "lens")),
    "act_fn": (("tanh", "solu", 3, [], None), ("zhong", "lens")),
    "normalization_type": (("LN", "LNPre", "RMS", True, [1]), ("lens",)),
    "attention_dir": (("sideways", 3, []), ("lens",)),
    "use_attn_scale": (("no", [], 2.5), ("lens",)),
    "attn_scale": ((0, -2, "1", [], float("nan"), True), ("lens",)),
    "positional_embedding_type": (("rotary", 1), ("lens",)),
    "attn_only": ((True, "yes"), ("lens",)),
    "gated_mlp": ((True,), ("lens",)),
    "d_vocab": ((P, P + 9, "8"), ("lens",)),
    "n_ctx": ((2, 17, "3"), ("lens",)),
    "model_type": (("B", "C", "Z", 1, []), ("linear",)),
    "group": (("MonsterGroup", 3, [], {}, "DihedralGroup"), ("zhong", "lens", "linear", "perceptron")),
    "fn_name": (("rand", 7, []), ("zhong", "lens", "linear", "perceptron")),
    "funcs": (("lambda x: __import__('os').mkdir('pwned')", "lambda x: x", 3, "("), ("zhong", "lens", "linear")),
    "diff_vocab": (("yes", 3, [], True), ("zhong",)),
    "eqn_sign": (("yes", 3, [], True), ("zhong",)),
}


def config_fault(rng: np.random.Generator, config: dict[str, Any], layout: str) -> tuple[str, dict[str, Any]]:
    """One wrong value in a config."""
    key = str(rng.choice([key for key, (_, layouts) in CONFIG_FAULTS.items() if layout in layouts]))
    values = CONFIG_FAULTS[key][0]
    return f"config {key}", config | {key: values[int(rng.integers(len(values)))]}


def broken_file(rng: np.random.Generator, path: Path, state: State, mark: Path) -> str:
    """Write a file that is no state dict."""
    torch.save(state, path)
    content = path.read_bytes()
    kinds: dict[str, Callable[[], Any]] = {
        "truncated": lambda: path.write_bytes(content[: int(rng.integers(1, len(content) - 1))]),
        "random bytes": lambda: path.write_bytes(rng.bytes(200)),
        "empty file": lambda: path.write_bytes(b""),
        "a number": lambda: torch.save(3, path),
        "a list": lambda: torch.save([torch.ones(3)], path),
        "an empty dict": lambda: torch.save({}, path),
        "a hostile object": lambda: torch.save(Hostile(mark), path),
        "a hostile config": lambda: torch.save({"model": state, "config": Hostile(mark)}, path),
        "two state dicts": lambda: torch.save({"model": state, "state_dict": state}, path),
        "a config that is null": lambda: (torch.save(state, path), path.with_name("cfg.json").write_text("null")),
        "a config that is a list": lambda: (torch.save(state, path), path.with_name("cfg.json").write_text("[1]")),
        "a config that is cut": lambda: (torch.save(state, path), path.with_name("cfg.json").write_text('{"p": ')),
        "nested without end": lambda: (torch.save(state, path), path.with_name("cfg.json").write_text("[" * 10**5)),
    }
    kind = str(rng.choice([*kinds]))
    kinds[kind]()
    return kind


def activations_fault(rng: np.random.Generator, path: Path, mark: Path) -> str:
    """Write a file of activations with one fault."""
    good = {"logits": rng.standard_normal((P, P, P)), "preactivations": rng.standard_normal((P, P, M))}
    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "activations: NaN": lambda: good | {"logits": good["logits"] * np.nan},
        "activations: other pairs": lambda: good | {"preactivations": good["preactivations"][:3]},
        "activations: no logits": lambda: {"preactivations": good["preactivations"]},
        "activations: complex": lambda: good | {"logits": good["logits"] + 1j},
        "activations: objects": lambda: good | {"logits": np.array([Hostile(mark)], dtype=object)},
        "activations: text": lambda: good | {"logits": np.array(["a"])},
        "activations: another array": lambda: good | {"weights": good["logits"]},
        "activations: flat": lambda: {name: values.reshape(-1) for name, values in good.items()},
        "activations: a wrong readout": lambda: good | {"readout": good["logits"][0]},
    }
    kind = str(rng.choice([*kinds]))
    np.savez(path, **kinds[kind]())
    return kind


def make(rng: np.random.Generator, folder: Path, mark: Path) -> tuple[str, Path]:
    """One malformed network with its config; its kind, and its file."""
    make_layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
    state, config = make_layout(rng)
    path = folder / "model.pt"
    which = rng.random()
    if which < 0.15:
        return broken_file(rng, path, state, mark), path
    if which < 0.3:
        return activations_fault(rng, folder / "mine.npz", mark), folder / "mine.npz"
    if which < 0.65:
        kind, state = weight_fault(rng, state, mark)
    else:
        kind, config = config_fault(rng, config, make_layout.__name__)
    torch.save(state, path)
    (folder / "cfg.json").write_text(json.dumps(config))
    return kind, path


def judge(path: Path) -> str:
    """What topomod makes of a malformed file: "refused", or what went wrong."""
    load = load_activations if path.suffix == ".npz" else load_released
    try:
        load(path)
    except (ValueError, OSError) as error:
        if "\n" in str(error) or str(path.parent) not in str(error):
            return "more than a sentence, or without the file"
        problems = read_files([path]).problems
        return "refused" if problems == [str(error)] else "analyze says something else"
    except Exception as error:  # the fuzz looks for these
        return f"traceback: {type(error).__name__}"
    return "accepted"


def fuzz(n_files: int, seed: int) -> tuple[Counter[str], Counter[tuple[str, str]], bool]:
    """Outcomes, outcomes by kind that are no refusals, and whether any code ran."""
    rng = np.random.default_rng(seed)
    outcomes: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as place:
        mark = Path(place) / "pwned"
        for index in range(n_files):
            folder = Path(place) / str(index)
            folder.mkdir()
            kind, path = make(rng, folder, mark)
            outcome = judge(path)
            outcomes[outcome] += 1
            if outcome != "refused":
                wrong[kind, outcome] += 1
        return outcomes, wrong, mark.exists() or Path("pwned").exists()


def main() -> None:
    """Print what became of the files; status 1 if any was not refused in a sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of torch, on quantised tensors
    outcomes, wrong, ran = fuzz(arguments.files, arguments.seed)
    tracebacks = sum(times for outcome, times in outcomes.items() if outcome.startswith("traceback"))
    print(f"{arguments.files} malformed files: {outcomes['refused']} refused in one sentence that names the file,")
    print(f"{tracebacks} tracebacks, {outcomes['accepted']} accepted, code run: {'yes' if ran else 'no'}")
    for (kind, outcome), times in sorted(wrong.items()):
        print(f"  {times} x {kind}: {outcome}")
    sys.exit(bool(wrong) or ran)


if __name__ == "__main__":
    main()
