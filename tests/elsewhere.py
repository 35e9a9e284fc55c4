"""Networks that plain PyTorch trains, with nothing of topomod in them: what users bring."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Perceptron(nn.Module):
    """Embeddings side by side, one hidden layer; ``tied`` reads the classes by the embedding itself."""

    def __init__(self, n: int, d_model: int = 48, d_mlp: int = 128, tied: bool = False) -> None:
        super().__init__()
        self.embed, self.l1 = nn.Embedding(n, d_model), nn.Linear(2 * d_model, d_mlp)
        self.l2 = nn.Linear(d_mlp, d_model if tied else n)
        self.tied = tied

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.l2(torch.relu(self.l1(self.embed(x).flatten(1))))
        return out @ self.embed.weight.T if self.tied else out


class Adder(nn.Module):
    """Embeddings that are added; its state dict is Zhong et al.'s model A."""

    def __init__(self, n: int, d_model: int = 32, d_mlp: int = 96) -> None:
        super().__init__()
        self.embed, self.l1 = nn.Embedding(n, d_model), nn.Linear(d_model, d_mlp)
        self.unembed = nn.Linear(d_mlp, n, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.unembed(torch.relu(self.l1(self.embed(x).sum(1))))
        return out


class HookPoint(nn.Module):
    """TransformerLens's: a submodule that returns its input."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def normal(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape) / shape[-1] ** 0.5)


class Attention(nn.Module):
    """With TransformerLens's names of weights."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        size = d_model // heads
        self.W_Q, self.W_K, self.W_V = (normal(heads, d_model, size) for _ in "QKV")
        self.W_O = normal(heads, size, d_model)
        self.b_Q, self.b_K, self.b_V = (nn.Parameter(torch.zeros(heads, size)) for _ in "QKV")
        self.b_O = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            torch.einsum("ntd,hde->nhte", x, getattr(self, f"W_{name}")) + getattr(self, f"b_{name}")[:, None]
            for name in "QKV"
        )
        scores = q @ k.mT / q.shape[-1] ** 0.5
        scores = scores.masked_fill(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1), -torch.inf)
        return torch.einsum("nhte,hed->ntd", scores.softmax(-1) @ v, self.W_O) + self.b_O


class MLP(nn.Module):
    """With TransformerLens's names of weights."""

    def __init__(self, d_model: int, d_mlp: int) -> None:
        super().__init__()
        self.W_in, self.W_out, self.hook_pre = normal(d_model, d_mlp), normal(d_mlp, d_model), HookPoint()
        self.b_in, self.b_out = nn.Parameter(torch.zeros(d_mlp)), nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.relu(self.hook_pre(x @ self.W_in + self.b_in)) @ self.W_out + self.b_out
        return out


class Block(nn.Module):
    def __init__(self, d_model: int, heads: int, d_mlp: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(d_model, heads), MLP(d_model, d_mlp)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        out: Tensor = x + self.mlp(x)
        return out


class Holder(nn.Module):
    """A submodule that holds one matrix: ``embed.W_E``, ``pos_embed.W_pos``, ``unembed.W_U``."""

    def __init__(self, name: str, *shape: int) -> None:
        super().__init__()
        self.register_parameter(name, normal(*shape))


class Lens(nn.Module):
    """Causal transformer over a, b, "=" with the names of TransformerLens; a module returns all positions."""

    def __init__(self, n: int, layers: int = 1, d_model: int = 48, d_mlp: int = 128, heads: int = 2) -> None:
        super().__init__()
        self.embed, self.pos_embed = Holder("W_E", n + 1, d_model), Holder("W_pos", 3, d_model)
        self.blocks = nn.ModuleList(Block(d_model, heads, d_mlp) for _ in range(layers))
        self.unembed = Holder("W_U", d_model, n)
        self.unembed.register_parameter("b_U", nn.Parameter(torch.zeros(n)))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed.W_E[tokens] + self.pos_embed.W_pos
        for block in self.blocks:
            x = block(x)
        out: Tensor = x @ self.unembed.W_U + self.unembed.b_U
        return out


def taught(
    make: Callable[[], nn.Module], table: Tensor, steps: int, seed: int = 0, decay: float = 1.0, lr: float = 1e-2
) -> nn.Module:
    """Train a network on all pairs of a table (n, n), full batch; "=" is token n where the network takes it."""
    torch.manual_seed(seed)
    network, n = make(), len(table)
    x = torch.cartesian_prod(torch.arange(n), torch.arange(n))
    if isinstance(network, Lens):
        x = torch.cat([x, torch.full((len(x), 1), n)], dim=1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=decay, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, lr / 10)
    for _ in range(steps):
        out = network(x)
        loss = nn.functional.cross_entropy(out if out.ndim == 2 else out[:, -1], table.reshape(-1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network
