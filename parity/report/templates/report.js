"use strict";
// Sorting, filtering, tabs, folding and the plot's cursor. Without it the page shows everything.
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// -- the layer tables: sort by a column, filter by text and result ------------------------------------

const keys = {
  number: (text) => (text === "∞" ? Infinity : text === "" || isNaN(text) ? NaN : Number(text)),
  size: (text) => text.split("×").reduce((product, n) => product * Number(n), 1) || 1,
  text: (text) => text.toLowerCase(),
};
const order = new Intl.Collator("en", { numeric: true });

// In a long table, runs of operators that agree are one line until somebody sorts, searches or opens them.
const LONG = 40, RUN = 9;
function fold(table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < LONG) return;
  const agrees = (row) => row !== undefined && ["same", "inside"].includes(row.cells[1].firstElementChild.textContent);
  for (let start = 0, end = 0; start < rows.length; start = end + 1) {
    for (end = start; agrees(rows[end]); end++);
    const hidden = rows.slice(start + 1, end - 1);
    if (hidden.length < RUN) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Show ${hidden.length} operators that agree`;
    const more = document.createElement("tr");
    more.className = "more";
    const cell = more.insertCell();
    cell.colSpan = rows[0].cells.length;
    cell.append(button);
    hidden[0].before(more);
    for (const row of hidden) row.hidden = true;
    button.addEventListener("click", () => {
      for (const row of hidden) row.hidden = false;
      more.remove();
    });
  }
}
function unfold(table) {
  for (const more of all("tr.more", table)) more.querySelector("button").click();
}

function sortBy(table, column) {
  unfold(table);
  const head = table.tHead.rows[0].cells;
  const th = head[column];
  const first = th.dataset.key === "text" || column === 0 ? "ascending" : "descending";
  const second = first === "ascending" ? "descending" : "ascending";
  const wanted = th.getAttribute("aria-sort") === first ? second : first;
  for (const other of head) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", wanted);
  const sign = wanted === "ascending" ? 1 : -1;
  const key = keys[th.dataset.key];
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row.cells[column].textContent), row]);
  const missing = (value) => value === "" || Number.isNaN(value);
  rows.sort(([a, x], [b, y]) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b) || number(x) - number(y);
    const by = typeof a === "string" ? order.compare(a, b) : a < b ? -1 : a > b ? 1 : 0;
    return by * sign || number(x) - number(y);
  });
  body.append(...rows.map(([, row]) => row));
}
const number = (row) => Number(row.cells[0].textContent);

for (const table of all("table.layers")) fold(table);
for (const table of all("table.layers"))
  all("thead button", table).forEach((button, column) =>
    button.addEventListener("click", () => sortBy(table, column)));

function filter(id) {
  unfold(document.getElementById(id));
  const words = document.querySelector(`[data-find="${id}"]`).value.toLowerCase().split(/\s+/).filter(Boolean);
  const result = document.querySelector(`[data-pick="${id}"]`).value;
  const rows = [...document.getElementById(id).tBodies[0].rows];
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word))
      && (!result || row.cells[1].firstElementChild.textContent === result);
    row.hidden = !fits;
    shown += fits;
  }
  document.querySelector(`[data-count="${id}"]`).textContent = `${shown} of ${rows.length}`;
}
for (const input of all("[data-find]")) input.addEventListener("input", () => filter(input.dataset.find));
for (const select of all("[data-pick]")) select.addEventListener("input", () => filter(select.dataset.pick));

// -- a word of the result column is explained where it stands ------------------------------------------

const meaning = Object.fromEntries(
  all(".words dl div").map((row) => [row.querySelector("dt").textContent, row.querySelector("dd").textContent]));
addEventListener("pointerover", (event) => {
  const word = event.target.closest(".layers .s");
  if (word && !word.title) word.title = meaning[word.textContent] || "";
});

// -- tabs ---------------------------------------------------------------------------------------------

const tabs = all("[role=tab]");
function choose(tab) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
}
tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
});
if (tabs.length) choose(tabs[0]);

// A link may lead into a tab or a list that is not shown.
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const panel = target && target.closest("[role=tabpanel][hidden]");
  if (panel) choose(document.getElementById(panel.getAttribute("aria-labelledby")));
  const folded = target && target.closest("details:not([open])");
  if (folded) folded.open = true;
  if (panel || folded) target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

// -- long runs of equal operators fold up -------------------------------------------------------------

for (const body of all("tbody.fold")) {
  const button = document.createElement("button");
  button.type = "button";
  const label = () => {
    button.textContent = `${body.hidden ? "Show" : "Hide"} ${body.dataset.label}`;
    button.setAttribute("aria-expanded", !body.hidden);
  };
  button.addEventListener("click", () => { body.hidden = !body.hidden; label(); });
  const more = document.createElement("tbody");
  more.className = "more";
  const cell = more.insertRow().insertCell();
  cell.colSpan = 3;
  cell.append(button);
  body.before(more);
  body.hidden = true;
  label();
}

// -- the plot's cursor: mouse, touch and arrow keys ---------------------------------------------------

for (const canvas of all(".canvas")) {
  const id = canvas.dataset.case;
  const count = Number(canvas.getAttribute("aria-valuemax"));
  const cursor = canvas.querySelector(".cursor");
  const readout = document.querySelector(`[data-for="${id}"]`);
  const explained = [...readout.childNodes];
  const row = (n) => document.getElementById(`${id}r${n}`);
  let at = 0;

  function span(text, name = "span") {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }
  function show(n) {
    at = Math.min(Math.max(n, 1), count);
    const cells = [...row(at).cells].map((cell) => cell.firstChild ? cell.firstChild.textContent : "");
    const shown = [
      span(`${at}. ${cells[3]} ${cells[2]}: ${cells[1]}`, "b"),
      ...[["float64", 4], ["rounding limit", 5], ["alone", 6], ["float32", 7], ["line", 11]]
        .filter(([, column]) => cells[column])
        .map(([name, column]) => span(`${name} ${cells[column]}`)),
    ];
    readout.replaceChildren(...shown.flatMap((element) => [element, " "]));
    cursor.style.left = `${(100 * (at - 0.5)) / count}%`;
    cursor.hidden = false;
    canvas.setAttribute("aria-valuenow", at);
    canvas.setAttribute("aria-valuetext", shown.map((element) => element.textContent).join(", "));
  }
  function rest() {
    cursor.hidden = true;
    readout.replaceChildren(...explained);
  }
  function jump() {
    for (const old of all("tr.at")) old.classList.remove("at");
    const target = row(at);
    if (target.hidden) {
      document.querySelector(`[data-find="${id}-table"]`).value = "";
      document.querySelector(`[data-pick="${id}-table"]`).value = "";
      filter(`${id}-table`);
    }
    target.classList.add("at");
    target.scrollIntoView({ block: "center" });
  }
  const pointed = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.ceil(((event.clientX - box.left) / box.width) * count);
  };
  canvas.addEventListener("pointermove", (event) => show(pointed(event)));
  canvas.addEventListener("pointerleave", () => { if (document.activeElement !== canvas) rest(); });
  canvas.addEventListener("click", (event) => { show(pointed(event)); jump(); });
  canvas.addEventListener("focus", () => { if (canvas.matches(":focus-visible")) show(at || 1); });
  canvas.addEventListener("blur", rest);
  canvas.addEventListener("keydown", (event) => {
    const page = Math.max(2, Math.round(count / 10));
    const to = {
      ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1,
      PageUp: at + page, PageDown: at - page, Home: 1, End: count,
    }[event.key];
    if (to !== undefined) show(to);
    else if (event.key === "Enter") jump();
    else return;
    event.preventDefault();
  });
}
