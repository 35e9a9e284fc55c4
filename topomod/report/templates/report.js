"use strict";
// Figures are drawn when they come near the window, and take the colours of text and grid from the page.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const touch = matchMedia("(pointer: coarse)").matches;

function theme() {
  const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), tickcolor: css("--line") };
  const flat = { ...axis, backgroundcolor: "rgba(0,0,0,0)", showbackground: false };
  return { layout: {
    font: { color: css("--ink"), size: 12, family: "system-ui, sans-serif" },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    xaxis: { ...axis, automargin: true }, yaxis: { ...axis, automargin: true },
    scene: { xaxis: flat, yaxis: flat, zaxis: flat },
    hoverlabel: { bgcolor: css("--panel"), bordercolor: css("--line"), font: { color: css("--ink") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--ink") },
  } };
}

// times the frequency, so that neighbouring phases have neighbouring colours
function residues(p, f) {
  const choice = document.querySelector("[data-residue]").value;
  const rule = { sum: (a, b) => a + b, a: (a) => a, b: (a, b) => b, difference: (a, b) => a - b + p }[choice];
  return Array.from({ length: p * p }, (_, i) => (f * rule(Math.floor(i / p), i % p)) % p);
}

function specification(box) {
  const text = box.parentElement.querySelector("script[type='application/json']").textContent;
  const figure = JSON.parse(text);
  figure.layout.template = theme();
  if (figure.layout.meta && figure.layout.meta.p) figure.data[0].marker.color = residues(figure.layout.meta.p, figure.layout.meta.f);
  // on a touch screen a drag over a flat figure scrolls the page
  if (touch) figure.layout.dragmode = false;
  const bar = box.dataset.webgl === undefined ? false : "hover";
  // by default plotly offers to send a figure to its makers
  figure.config = { responsive: true, displaylogo: false, displayModeBar: bar, showSendToCloud: false, plotlyServerURL: "" };
  return figure;
}

function draw(box) {
  const figure = specification(box);
  return Plotly.react(box, figure.data, figure.layout, figure.config).then(() => { box.dataset.state = "drawn"; });
}

// A browser holds few WebGL contexts: clouds out of sight give theirs back.
function forget(box) {
  Plotly.purge(box);
  delete box.dataset.state;
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const box = entry.target;
    if (entry.isIntersecting && !box.dataset.state) {
      box.dataset.state = "drawing";
      draw(box);
    } else if (!entry.isIntersecting && box.dataset.webgl !== undefined && box.dataset.state === "drawn") {
      forget(box);
    }
  }
}, { rootMargin: "300px 0px" });

function show(name, value) {
  for (const part of document.querySelectorAll(`[data-of="${name}"]`)) part.hidden = part.dataset.value !== value;
  for (const list of document.querySelectorAll(`select[data-choice="${name}"]`)) list.value = value;
}

const listed = (value) => (value && value.length !== undefined ? Array.from(value) : []);

function dataOf(box) {
  const rows = ["trace,x,y,z"];
  const quote = (value) => (typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : value ?? "");
  for (const trace of box._fullData) {
    const [x, y, z] = [listed(trace.x), listed(trace.y), listed(trace.z)];
    if (trace.type === "heatmap") {
      // where colours run with a root or a logarithm, customdata holds the values themselves
      const cells = trace.customdata ? listed(trace.customdata) : z;
      cells.forEach((row, j) => listed(row).forEach((cell, i) => rows.push([quote(trace.name), x[i] ?? i, y[j] ?? j, cell].join(","))));
    } else {
      y.forEach((_, i) => rows.push([trace.name, x[i], y[i], z[i]].map(quote).join(",")));
    }
  }
  return rows.join("\n");
}

// a figure that has not come near the window yet is drawn first
async function download(button) {
  const box = button.closest(".plotted").querySelector(".plot");
  if (!box._fullData) await draw(box);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([dataOf(box)], { type: "text/csv" }));
  link.download = `${button.dataset.name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// The address holds what was chosen, so that a link shows the same figures. An address without "=" names a section.
function remember() {
  const chosen = new URLSearchParams();
  for (const list of document.querySelectorAll("select[data-choice]")) chosen.set(list.dataset.choice, list.value);
  history.replaceState(null, "", `#${chosen}`);
}

function recall(list) {
  const value = new URLSearchParams(location.hash.slice(1)).get(list.dataset.choice);
  if ([...list.options].some((own) => own.value === value)) list.value = value;
}

function redraw(boxes) {
  for (const box of boxes) if (box.dataset.state === "drawn") draw(box);
}

for (const list of document.querySelectorAll("select[data-choice]")) {
  list.addEventListener("change", () => { show(list.dataset.choice, list.value); remember(); });
  recall(list);
  show(list.dataset.choice, list.value);
}
for (const button of document.querySelectorAll("button.data")) button.addEventListener("click", () => download(button));
for (const list of document.querySelectorAll("[data-residue]")) {
  list.addEventListener("change", () => redraw(document.querySelectorAll("[data-webgl]")));
}
for (const box of document.querySelectorAll(".plot")) watcher.observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(document.querySelectorAll(".plot")));
