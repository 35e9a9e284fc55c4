"""The unit of work and the folders of a study: each is parsed and printed in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from topomod.networks.labels import Label
from topomod.tasks.checked import MAX_SEED

CIRCUITS = "circuits.safetensors"


@dataclass(frozen=True)
class SeedBlock:
    """Seeds ``first`` to ``last``, both included.

    Examples
    --------
    >>> str(SeedBlock(8, 10)), list(SeedBlock.parse("00008-00010"))
    ('00008-00010', [8, 9, 10])
    """

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first:05d}-{self.last:05d}"

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __len__(self) -> int:
        return self.last - self.first + 1

    @classmethod
    def parse(cls, text: str) -> SeedBlock:
        """Read ``FIRST-LAST``.

        Raises
        ------
        ValueError
            If the text is not two non-negative integers below 2**63, the first at most the second.
        """
        match = re.fullmatch(r"(\d{1,19})-(\d{1,19})", text)
        if match is None or not int(match[1]) <= int(match[2]) <= MAX_SEED:
            raise ValueError(f"seeds must be FIRST-LAST with 0 <= FIRST <= LAST < 2**63, found {text!r}")
        return cls(int(match[1]), int(match[2]))


def aligned_blocks(first: int, count: int, size: int, looks: Iterable[int] = ()) -> list[SeedBlock]:
    """Blocks of ``count`` seeds, cut at multiples of ``size``, so that they keep their names when seeds are added.

    No block reaches across a look, a number of seeds from the first on.

    Examples
    --------
    >>> [str(block) for block in aligned_blocks(8, 5, 10)]
    ['00008-00009', '00010-00012']
    """
    end = first + count
    starts = {first, *range(first - first % size + size, end, size), *(first + n for n in looks if n < count)}
    return [SeedBlock(a, b - 1) for a, b in pairwise([*sorted(starts), end])]


@dataclass(frozen=True)
class Shard:
    """One kind of circuit and a block of seeds: what one job trains or measures.

    Examples
    --------
    >>> str(Shard.parse("attention_1/00000-00009"))
    'attention_1.0/00000-00009'
    """

    label: Label
    seeds: SeedBlock

    def __str__(self) -> str:
        return f"{self.label}/{self.seeds}"

    def __len__(self) -> int:
        return len(self.seeds)

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``<label>/<first>-<last>``.

        Raises
        ------
        ValueError
            For an unknown architecture or a malformed block of seeds.
        """
        label, _, seeds = text.partition("/")
        return cls(Label.parse(label), SeedBlock.parse(seeds))


@dataclass(frozen=True)
class StudyFolder:
    """Where the results of a study lie: ``results/<study>``.

    Parameters
    ----------
    root : Path
        The folder.
    """

    root: Path

    def population(self, shard: Shard) -> Path:
        """Folder of a shard of the population."""
        return self.root / "population" / str(shard)

    def maturity(self, shard: Shard) -> Path:
        """Folder of a shard of circuits that are followed past the schedule."""
        return self.root / "maturity" / str(shard)

    def shard_tables(self, name: str, shards: Iterable[Shard]) -> list[Path]:
        """One table of each shard of the population."""
        return [self.population(shard) / f"{name}.parquet" for shard in shards]

    def look(self, n: int) -> StudyFolder:
        """Folder of the tables of the look at n seeds of each architecture."""
        return StudyFolder(self.root / "looks" / str(n))

    def looked_at(self) -> list[int]:
        """Seeds of each architecture at every look that was made, rising."""
        found = (path.parent.name for path in self.root.glob("looks/*/answers.parquet"))
        return sorted(int(name) for name in found if name.isdecimal())

    def table(self, name: str) -> Path:
        """A table of the whole study."""
        return self.root / f"{name}.parquet"

    @property
    def report(self) -> Path:
        """The page."""
        return self.root / "report.html"

    @property
    def benchmarks(self) -> Path:
        """What snakemake measured of each job."""
        return self.root / "benchmarks"
