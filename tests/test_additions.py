"""A toy architecture, task, endpoint and site, one file each, go through every stage; nothing else is touched."""

import re
from pathlib import Path

import pandas as pd
import pytest

import topomod
from stages import run_stages
from synthetic_study import DEFAULT
from topomod.networks.architectures import ARCHITECTURES
from topomod.neurons.sites import SITES
from topomod.study.check import check_study
from topomod.study.config import Study
from topomod.study.declared import declaration, declaration_hash, declared_history
from topomod.study.endpoint_catalogue import ENDPOINTS
from topomod.study.shards import CIRCUITS, StudyFolder
from topomod.tasks.catalogue import TASK_KINDS
from toys import architecture, endpoint, site, task

ROOT = Path(__file__).resolve().parents[1]
P = 13


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study that names all four, once they stand in their catalogues."""
    monkeypatch.setitem(ARCHITECTURES, architecture.RECORD.name, architecture.RECORD)
    monkeypatch.setitem(TASK_KINDS, task.KIND.name, task.KIND)
    monkeypatch.setitem(ENDPOINTS, endpoint.NAME, endpoint.RECORD)
    monkeypatch.setitem(SITES, site.RECORD.name, site.RECORD)
    own = {"margin": 0.1, "reason": "a tenth of the mean"}
    return check_study(
        DEFAULT
        | {"study": "toys", "p": P, "task": "subtraction", "architectures": ["plain_mlp", "mlp_concat"]}
        | {"seeds": {"first": 0, "count": 3}, "shard_size": 3, "maturity": {"count": 1, "steps": [100, 200]}}
        | {"recipe": {"steps": 250, "max_steps": 250, "train_fraction": 0.9, "min_purity": 0.5}}
        | {"network": {"d_model": 64, "d_mlp": 128}, "positive_control": None, "negative_control": None}
        | {"margins": DEFAULT["margins"] | {endpoint.NAME: own}}
        | {"families": DEFAULT["families"] | {"embedding": [endpoint.NAME]}}
    )


def test_four_toys_go_through_every_stage(study: Study, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "toys")
    run_stages(study, folder)
    shard = study.shards()[0]
    circuit = topomod.load_circuit(folder.population(shard) / CIRCUITS)
    assert circuit.label == "plain_mlp" and circuit.task == task.ModularSubtraction(P)
    assert circuit.accuracy() > 0.8, circuit.reason
    homology = pd.read_parquet(folder.population(shard) / "homology.parquet")
    assert set(homology["site"]) == {"preactivations", "logits", "squashed"}
    values = pd.read_parquet(folder.table("endpoints")).query("endpoint == @endpoint.NAME")["value"]
    assert len(values) == 6 and values.between(0, 1, inclusive="neither").all()
    assert declared_history(folder, study) == [
        {"hash": declaration_hash(declaration(study)), "circuits": 6, "changes": [], "other_looks": False}
    ]
    verdicts = pd.read_parquet(folder.table("verdicts"))
    assert endpoint.NAME in set(verdicts["endpoint"])
    page = folder.report.with_name("details.html").read_text()
    assert "spread of the embeddings&#39; norms / mean" in page and "squashed" in page and "plain_mlp" in page


@pytest.mark.parametrize("name", ["architecture", "task", "endpoint", "site"])
def test_the_page_shows_the_toys_as_they_are(name: str) -> None:
    """The recipes of docs/adding.md are the files that the test above runs."""
    source = (Path(__file__).parent / "toys" / f"{name}.py").read_text()
    assert len(source.splitlines()) <= 60
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adding.md").read_text(), flags=re.DOTALL)
    assert source in shown
