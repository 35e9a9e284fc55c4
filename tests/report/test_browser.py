"""The page in a real browser: no console error, no sideways scrolling, every figure drawn."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthetic_study import ALL, make_study, write_synthetic
from topomod.networks.circuit import Circuit
from topomod.report.analyze_page import write_page
from topomod.report.report import write_report
from topomod.study.analyze import inspect_networks
from topomod.study.shards import StudyFolder

pytestmark = pytest.mark.browser
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def report_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = make_study(ALL, 3, positive_control=("mlp_add", "mlp_concat"), negative_control="attention_0.0")
    folder = tmp_path_factory.mktemp("page") / "synthetic"
    write_synthetic(folder, study)
    write_report(StudyFolder(folder), study, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module", params=[1280, 400])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, int]]:
    """One browser for all tests at a width; starting it takes longer than most of them."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for option in (*OPTIONS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver, request.param
    finally:
        driver.quit()


@pytest.fixture
def browser(opened: tuple[Any, int], report_path: Path) -> Any:
    """The page of details, freshly opened in the light theme."""
    driver, width = opened
    # headless windows are at least 500 px wide; a phone's width needs emulation
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.get("about:blank")  # an address that differs by what follows "#" alone would not load the page again
    driver.get(report_path.with_name("details.html").as_uri())
    driver.get_log("browser")  # what tests before this one left
    return driver


def scroll_through(driver: Any) -> set[str]:
    """Scroll to every visible figure; names of those that were not drawn."""
    count = driver.execute_script("return document.querySelectorAll('.plot').length")
    missing = set()
    for index in range(count):
        box = f"document.querySelectorAll('.plot')[{index}]"
        if not driver.execute_script(f"return {box}.offsetParent !== null"):
            continue
        driver.execute_script(f"{box}.scrollIntoView({{block: 'center'}})")
        if not wait(driver, f"return {box}.dataset.state === 'drawn' && !!{box}.querySelector('.main-svg, canvas')"):
            missing.add(driver.execute_script(f"return {box}.parentElement.querySelector('button').dataset.name"))
    return missing


def wait(driver: Any, condition: str, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if driver.execute_script(condition):
            return True
        time.sleep(0.05)
    return False


def overflow(driver: Any) -> float:
    return driver.execute_script("return document.scrollingElement.scrollWidth - window.innerWidth")


def errors(driver: Any) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def choose(driver: Any, name: str, index: int) -> None:
    driver.execute_script(
        "const list = document.querySelector(`select[data-choice='${arguments[0]}']`);"
        "list.selectedIndex = arguments[1]; list.dispatchEvent(new Event('change'));",
        name,
        index,
    )


def test_page_is_whole(browser: Any) -> None:
    assert scroll_through(browser) == set()
    assert overflow(browser) <= 1
    for name in ("comparison", "site", "endpoint", "maturity", "feature-site"):
        choose(browser, name, 1)
    assert scroll_through(browser) == set()
    assert overflow(browser) <= 1
    shared = "[...document.querySelectorAll('.plot')].filter((box) => box._context && box._context.showSendToCloud)"
    assert browser.execute_script(f"return {shared}.length") == 0  # no figure is offered to plotly's makers
    # open every fold: nothing in them may push the page wide
    browser.execute_script("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert overflow(browser) <= 1
    assert errors(browser) == []


REQUESTS = (
    "return performance.getEntriesByType('resource').map((entry) => entry.name).filter((n) => !n.startsWith('data:'))"
)
CUT = """return [...document.querySelectorAll('svg.figure')].filter((figure) => {
  const view = figure.viewBox.baseVal, box = figure.getBBox();
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  return box.x < view.x - 2 || box.y < view.y - 2 || right > view.width + 2 || bottom > view.height + 2;
}).map((figure) => figure.getAttribute('aria-label'))"""
UNREACHABLE = """return [...document.querySelectorAll('*')].filter((part) =>
  part.scrollWidth > part.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(part).overflowX) && part.tabIndex < 0
).map((part) => part.className)"""


def test_the_first_page_is_whole_at_three_widths_without_scripts(browser: Any, report_path: Path) -> None:
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["http://*", "https://*"]})
    for width in (400, 1024, 1920):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(report_path.as_uri())
        assert overflow(browser) <= 1, width
        assert browser.execute_script("return document.scripts.length") == 0
        assert browser.execute_script(REQUESTS) == []
        assert browser.execute_script(CUT) == []
        assert browser.execute_script(UNREACHABLE) == []
        unseen = (
            "return [...document.querySelectorAll('svg.figure')].filter((figure) => figure.clientWidth < 100).length"
        )
        assert browser.execute_script(unseen) == 0
    assert errors(browser) == []


def test_the_first_page_prints_every_figure(browser: Any, report_path: Path) -> None:
    browser.get(report_path.as_uri())
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = "return [...document.querySelectorAll('svg.figure')].filter((figure) => !figure.checkVisibility()).length"
    assert browser.execute_script(hidden) == 0
    assert len(browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 50_000


@pytest.fixture(scope="module")
def analysis(trained: dict[str, Circuit], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the page of one network."""
    page, named = tmp_path_factory.mktemp("analysis") / "index.html", [("network <one>", trained["mlp_concat"])]
    write_page(named, inspect_networks(named, min_neurons=10), page, history=True)
    return page.as_uri()


def test_page_of_single_networks_is_whole(browser: Any, analysis: str) -> None:
    browser.get(analysis)
    assert scroll_through(browser) == set()
    choose(browser, "site", 2)
    assert scroll_through(browser) == set()
    assert overflow(browser) <= 1
    assert errors(browser) == []


def test_choices_show_one_part(browser: Any) -> None:
    visible = "return [...document.querySelectorAll('[data-of=comparison]')].filter((e) => !e.hidden).length"
    assert browser.execute_script(visible) == 1
    before = browser.execute_script("return document.querySelector('[data-of=comparison]:not([hidden])').dataset.value")
    choose(browser, "comparison", 0)
    after = browser.execute_script("return document.querySelector('[data-of=comparison]:not([hidden])').dataset.value")
    assert (before, after) == ("comparison5", "comparison0")


def test_a_link_holds_what_was_chosen(browser: Any, report_path: Path) -> None:
    choose(browser, "comparison", 0)
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)
    visible = "return document.querySelector('[data-of=comparison]:not([hidden])').dataset.value"
    assert browser.execute_script(visible) == "comparison0"
    browser.get("about:blank")
    browser.get(report_path.with_name("details.html").as_uri() + "#phases")
    assert browser.execute_script("return document.querySelector('#phases').getBoundingClientRect().top") < 400


ROWS = "return [...document.querySelectorAll('#circuits > tbody > tr:not(.groups)')].filter((r) => !r.hidden)"
SEEDS = f"{ROWS}.map((row) => row.id)"


def test_circuits_are_sorted_filtered_and_unfolded(browser: Any, report_path: Path) -> None:
    page = report_path.with_name("circuits.html").as_uri()
    browser.get(page)
    every = browser.execute_script(SEEDS)
    assert len(every) == 12 and every[0] == f"{ALL[0]}-0" and overflow(browser) <= 1
    browser.execute_script("document.querySelector('th[data-sort=disc_cka] button').click()")
    values = [float(text) for text in browser.execute_script(f"{ROWS}.map((row) => row.cells[5].textContent)")]
    assert values == sorted(values) and len(set(values)) > 3
    browser.execute_script("document.querySelector('th[data-sort=disc_cka] button').click()")
    assert browser.execute_script(f"{ROWS}.map((row) => Number(row.cells[5].textContent))") == values[::-1]
    browser.execute_script(
        "const list = document.querySelector('[data-filter=outcome]');"
        "list.value = 'not converged'; list.dispatchEvent(new Event('change'));"
    )
    left = browser.execute_script(SEEDS)
    assert {name.rpartition("-")[2] for name in left} == {"0"} and len(left) == 4
    assert browser.execute_script("return document.querySelector('#count').textContent") == "4 of 12 are shown."
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)
    assert browser.execute_script(SEEDS) == left

    unfolded = "return [...document.querySelectorAll('tr.groups')].filter((row) => !row.hidden).length"
    assert browser.execute_script(unfolded) == 0
    browser.get("about:blank")
    browser.get(f"{page}#{every[5]}")
    assert browser.execute_script(unfolded) == 1
    browser.execute_script(f"document.getElementById('{every[7]}').querySelector('button').click()")
    assert browser.execute_script(unfolded) == 2 and overflow(browser) <= 1
    assert browser.execute_script(UNREACHABLE) == [] and errors(browser) == []


def test_clouds_are_recoloured(browser: Any) -> None:
    box = "document.querySelector('[data-webgl]')"
    browser.execute_script(f"{box}.scrollIntoView({{block: 'center'}})")
    assert wait(browser, f"return {box}.dataset.state === 'drawn'")
    browser.execute_script(
        "const list = document.querySelector('[data-residue]');"
        "list.value = 'a'; list.dispatchEvent(new Event('change'));"
    )
    assert wait(browser, f"return {box}.data[0].marker.color.slice(0, 3).join() === '0,0,0'")
    assert errors(browser) == []


def test_dark_page_has_light_text_in_figures(browser: Any) -> None:
    features = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    box = "document.querySelector('[data-of=endpoint]:not([hidden]) .plot')"
    browser.execute_script(f"{box}.scrollIntoView({{block: 'center'}})")
    assert wait(browser, f"return {box}.dataset.state === 'drawn'")
    colour = f"return getComputedStyle({box}.querySelector('.xtick text')).fill"
    assert wait(browser, f"{colour} === 'rgb(230, 233, 236)'")


@pytest.mark.parametrize("name", ["phases_mlp_add", "phases_mlp_concat"])
def test_data_of_a_map_are_its_values_not_its_colours(browser: Any, name: str) -> None:
    box = f"document.querySelector('button[data-name=\"{name}\"]').closest('.plotted').querySelector('.plot')"
    browser.execute_script(f"{box}.scrollIntoView({{block: 'center'}})")
    assert wait(browser, f"return {box}.dataset.state === 'drawn'")
    rows = browser.execute_script(f"return dataOf({box})").splitlines()[1:]
    told = max(float(row.rsplit(",", 1)[1]) for row in rows)
    values = f"{box}._fullData.map((trace) => Math.max(...Array.from(trace.customdata, (row) => Math.max(...row))))"
    assert told == pytest.approx(browser.execute_script(f"return Math.max(...{values})"))
    assert told != pytest.approx(1) and len(rows) == 13 * 13
