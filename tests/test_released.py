import json
from pathlib import Path

import numpy as np
import pytest
import torch

import topomod


def test_linear_models(released: Path) -> None:
    concat = topomod.load_released(released / "model_7r4zst7evs.pt")
    assert concat.label == "mlp_concat" and concat.accuracy() == 1.0
    assert topomod.circularity(concat) == pytest.approx(0.9910, abs=5e-5)
    deep = topomod.load_released(released / "model_p71frej8t7.pt")
    assert deep.accuracy() == 1.0
    assert deep.preactivations(1).shape == (59, 59, 256)
    assert topomod.distance_irrelevance(deep) == pytest.approx(0.230205, abs=1e-6)
    with pytest.raises(ValueError, match="through another nonlinearity"):
        deep.readout(0)


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "model_x.pt"
    with pytest.raises(FileNotFoundError, match="no model file"):
        topomod.load_released(path)
    torch.save({"conv.weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"format not understood; found keys conv\.weight"):
        topomod.load_released(path)
    path.write_bytes(b"\x80\x04broken")
    with pytest.raises(ValueError, match="not a state dict that can be read safely"):
        topomod.load_released(path)
    path.with_name("config_x.json").write_text("{")
    torch.save({"embed.weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="cannot be read as JSON"):
        topomod.load_released(path)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("pwned"),))


def test_pickled_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"embed.weight": _Evil()}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="read safely"):
        topomod.load_released(tmp_path / "m.pt")
    assert not (tmp_path / "pwned").exists()


def test_a_transformer_needs_its_attention_rate(tmp_path: Path) -> None:
    p, d, m = 5, 8, 6
    shapes = {
        "embed.W_E": (d, p),
        "pos_embed.W_pos": (2, d),
        "unembed.W_U": (d, p),
        **{f"blocks.0.attn.W_{x}": (2, 4, d) for x in "KQV"},
        "blocks.0.attn.W_O": (d, 8),
        "blocks.0.mlp.W_in": (m, d),
        "blocks.0.mlp.b_in": (m,),
        "blocks.0.mlp.W_out": (d, m),
        "blocks.0.mlp.b_out": (d,),
    }
    generator = torch.Generator().manual_seed(0)
    torch.save({name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}, tmp_path / "m.pt")
    with pytest.raises(ValueError, match="attention rate is in its config"):
        topomod.load_released(tmp_path / "m.pt")
    circuit = topomod.load_released(tmp_path / "m.pt", config={"attn_coeff": 1})
    assert circuit.attention_rate == 1.0 and not circuit.converged and "% of pairs" in circuit.reason
    (tmp_path / "c.json").write_text(json.dumps({"attn_coeff": 0.5}))
    assert np.isfinite(topomod.load_released(tmp_path / "m.pt", config=tmp_path / "c.json").logits()).all()
