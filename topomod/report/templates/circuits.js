"use strict";
// Sorting, filters and unfolded circuits. The address holds the selection, so that a link shows the same rows.
// Without a script every circuit is unfolded.
const table = document.querySelector("#circuits");
const tools = document.querySelector(".tools");
const filters = [...document.querySelectorAll("[data-filter]")];
const headings = [...(table ? table.tHead.rows[0].cells : [])];
const pairs = [];
for (let row = table && table.tBodies[0].firstElementChild; row; row = row.nextElementSibling.nextElementSibling) {
  pairs.push({ row, groups: row.nextElementSibling, place: pairs.length });
}
const state = { sort: "", down: "" };

const words = (pair, column) => pair.row.cells[column].textContent.trim();
const value = (pair, column) => {
  const text = words(pair, column).replace("−", "-");
  return text === "–" ? NaN : Number(text);
};

function kept(pair) {
  const wanted = Object.fromEntries(filters.map((list) => [list.dataset.filter, list.value]));
  const converged = words(pair, 2) === "converged";
  return (!wanted.architecture || words(pair, 0) === wanted.architecture)
    && (!wanted.outcome || converged === (wanted.outcome === "converged"))
    && (!wanted.shape || [...pair.row.cells].slice(3).some((cell) => cell.textContent.includes(wanted.shape)));
}

function ordered() {
  const column = headings.findIndex((heading) => heading.dataset.sort === state.sort);
  if (column < 0) return [...pairs];
  const text = headings[column].classList.contains("text");
  const sign = state.down ? -1 : 1;
  return [...pairs].sort((x, y) => {
    const [a, b] = text ? [words(x, column), words(y, column)] : [value(x, column), value(y, column)];
    if (a !== a || b !== b) return (a !== a) - (b !== b); // what is missing stands last
    return (a < b ? -sign : a > b ? sign : 0) || x.place - y.place;
  });
}

function unfold(pair) {
  pair.groups.hidden = pair.row.hidden || pair.button.ariaExpanded !== "true";
}

function show() {
  let count = 0;
  for (const pair of ordered()) {
    pair.row.hidden = !kept(pair);
    count += !pair.row.hidden;
    unfold(pair);
    table.tBodies[0].append(pair.row, pair.groups);
  }
  for (const heading of headings) {
    if (heading.dataset.sort === state.sort && state.sort) heading.ariaSort = state.down ? "descending" : "ascending";
    else heading.removeAttribute("aria-sort");
  }
  document.querySelector("#count").textContent = `${count} of ${pairs.length} are shown.`;
}

function remember() {
  const chosen = new URLSearchParams();
  for (const list of filters) if (list.value) chosen.set(list.dataset.filter, list.value);
  for (const [key, own] of Object.entries(state)) if (own) chosen.set(key, own);
  history.replaceState(null, "", `#${chosen}`);
}

// an address names a circuit, or a selection
function recall() {
  const text = location.hash.slice(1);
  const one = pairs.find((pair) => [pair.row.id, encodeURIComponent(pair.row.id)].includes(text));
  const chosen = new URLSearchParams(one ? "" : text);
  for (const list of filters) list.value = [...list.options].find((own) => own.value === chosen.get(list.dataset.filter))?.value ?? "";
  for (const key of Object.keys(state)) state[key] = chosen.get(key) ?? "";
  if (one) one.button.ariaExpanded = "true";
  show();
  if (one) one.row.scrollIntoView({ block: "center" });
}

function buttonIn(cell) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "data";
  button.textContent = cell.textContent;
  cell.replaceChildren(button);
  return button;
}

function sortButton(heading) {
  buttonIn(heading).addEventListener("click", () => {
    state.down = state.sort === heading.dataset.sort && !state.down ? "yes" : "";
    state.sort = heading.dataset.sort;
    show();
    remember();
  });
}

if (table) {
  tools.hidden = false;
  for (const heading of headings) if (heading.dataset.sort) sortButton(heading);
  for (const list of filters) list.addEventListener("change", () => { show(); remember(); });
  for (const pair of pairs) {
    pair.button = buttonIn(pair.row.cells[1]);
    pair.button.ariaExpanded = "false";
    pair.button.addEventListener("click", () => {
      pair.button.ariaExpanded = String(pair.button.ariaExpanded !== "true");
      unfold(pair);
    });
  }
  addEventListener("hashchange", recall);
  recall();
}
