"""Pages of a large study: their size, and how soon a browser shows them.

    python benchmarks/pages.py results/modular_addition --config config/config.yaml --times 4

The circuits of a finished study are copied under other seeds. So the copies say nothing about networks, and the pages
are as large as those of a study of so many circuits. Needs chromium and chromedriver.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd

from topomod.networks.circuit_file import load_circuits, save_circuits
from topomod.report.report import write_report
from topomod.study.check import load_study_file
from topomod.study.config import Study
from topomod.study.shards import CIRCUITS, SeedBlock, Shard, StudyFolder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from stages import write_last_tables

PAGES = ("report.html", "circuits.html", "details.html")


def copy_study(source: StudyFolder, study: Study, folder: StudyFolder, times: int) -> Study:
    """The study with so many times its circuits."""
    count = study.seeds.count
    for shard in study.shards():
        for shift in range(0, count * times, count):
            seeds = SeedBlock(shard.seeds.first + shift, shard.seeds.last + shift)
            place = folder.population(Shard(shard.label, seeds))
            place.mkdir(parents=True)
            circuits = load_circuits(source.population(shard) / CIRCUITS)
            save_circuits(place / CIRCUITS, [replace(own, seed=(own.seed or 0) + shift) for own in circuits])
            for path in source.population(shard).glob("*.parquet"):
                table = pd.read_parquet(path)
                table.assign(seed=table["seed"] + shift).to_parquet(place / path.name)
    alone = study.maturity.model_copy(update={"count": 0})
    return study.model_copy(
        update={"seeds": study.seeds.model_copy(update={"count": count * times}), "maturity": alone}
    )


def browse(folder: Path) -> None:
    """Print when each page was first painted, and what it loaded and complained of."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless=new", "--no-sandbox", "--enable-unsafe-swiftshader", "--window-size=1280,900"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    print("| page | MB | first paint, ms | requests | console messages |\n|---|---|---|---|---|")
    for page in PAGES:
        driver.get((folder / page).as_uri())
        time.sleep(1)
        paint = driver.execute_script("return performance.getEntriesByType('paint')[0].startTime")
        names = driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        loaded = sum(not name.startswith("data:") for name in names)
        said = driver.get_log("browser")  # type: ignore[no-untyped-call]
        size = (folder / page).stat().st_size / 1e6
        print(f"| {page} | {size:.2f} | {paint:.0f} | {loaded} | {len(said)} |")
    driver.quit()


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--times", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = StudyFolder(Path(place) / "results" / arguments.results.name)
        study = load_study_file(arguments.config)
        study = copy_study(StudyFolder(arguments.results), study, folder, arguments.times)
        write_last_tables(study, folder)
        before = time.process_time()
        write_report(folder, study, folder.report)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        number = study.seeds.count * len(study.architectures)
        print(f"{number} circuits: the report took {time.process_time() - before:.0f} s of CPU; peak {memory:.0f} MB\n")
        browse(folder.root)


if __name__ == "__main__":
    main()
