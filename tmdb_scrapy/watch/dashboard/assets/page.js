// Keeps the page true: figures come by one stream, and what has another shape is fetched as the server draws it.
"use strict";

const RELOAD_MS = 3000; // between two fetches of the page
const SILENT_MS = 12000; // without a message for so long, what is shown may not be true
const FIXED = 2; // the first columns of a worker's row, which never change
const content = () => document.getElementById("content");
const shows = new Map(); // the sorting and the filter of each table, by kind
let source, heard = Date.now(), reloading = false, reloaded = 0;

function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function stale(text) {
  const banner = document.querySelector("[data-stale]");
  say(banner, text);
  banner.hidden = !text;
}

function fact(name, number) {
  const element = document.querySelector(`[data-fact="${CSS.escape(name)}"]`);
  if (!element) return;
  say(element, number.toLocaleString("en-US"));
  element.setAttribute("value", number);
}

function figures(kind, told) {
  for (const [word, value] of Object.entries(told)) {
    if (typeof value === "number") fact(`${kind}.${word}`, value);
  }
  for (const [reason, count] of Object.entries(told.reasons)) fact(`${kind}.reasons.${reason}`, count);
  for (const [word, text] of Object.entries(told.texts)) {
    say(document.querySelector(`[data-text="${CSS.escape(`${kind}.${word}`)}"]`), text);
  }
  const progress = document.querySelector(`[data-progress="${CSS.escape(kind)}"]`);
  if (progress) [progress.max, progress.value] = [told.total || 1, told.done];
}

function rows(told) {
  if (!Object.keys(told).length) return;
  for (const row of document.querySelectorAll("[data-worker]")) {
    const texts = told[row.dataset.worker];
    texts?.forEach((text, i) => say(row.cells[i + FIXED], text.slice(0, 300)));
  }
  for (const table of document.querySelectorAll("[data-workers]")) {
    const show = shows.get(table.dataset.workers);
    if (show.words || show.column !== undefined) arrange(table);
  }
}

function hear(event) {
  const told = JSON.parse(event.data);
  heard = Date.now();
  stale(told.stale);
  if (told.at) say(document.querySelector("[data-clock]"), `${new Date(told.at * 1000).toISOString().slice(11, 19)} UTC`);
  for (const [kind, each] of Object.entries(told.kinds)) figures(kind, each);
  rows(told.rows);
  if (told.shape !== content().dataset.shape) reload();
}

async function reload() {
  if (reloading || Date.now() - reloaded < RELOAD_MS) return;
  reloading = true;
  try {
    const answer = await fetch(location.pathname.replace(/[^/]*$/, "") + location.search.replace(/done=[^&]*/, ""));
    if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* the stream tells that the server is away */ }
  reloading = false;
  reloaded = Date.now();
}

// What an element is called on this page and on the next.
function called(element) {
  const name = element.id || element.getAttribute("href") || element.getAttribute("aria-label") || element.getAttribute("aria-labelledby");
  if (name) return name;
  const around = [element.closest("section")?.dataset.kind, element.closest("figure")?.querySelector("figcaption")?.textContent];
  return [...around, element.closest("details")?.id || element.textContent].join("/");
}

// What somebody is about to do survives: the open folds, the place of the cursor, a token half typed.
function replace(page) {
  const old = content(), fresh = page.getElementById("content");
  if (!fresh) return;
  const folds = (root) => [...root.querySelectorAll("details")];
  const names = (fold) => fold.id || fold.closest("figure")?.querySelector("figcaption")?.textContent;
  const open = new Set(folds(old).filter((fold) => fold.open).map(names));
  folds(fresh).forEach((fold) => { fold.open = open.has(names(fold)); });
  for (const input of old.querySelectorAll("input[id]")) {
    const again = fresh.querySelector(`#${CSS.escape(input.id)}`);
    if (again) again.value = input.value;
  }
  const focus = old.contains(document.activeElement) && called(document.activeElement);
  const tops = [...old.querySelectorAll(".table[aria-labelledby]")].map((e) => [e.getAttribute("aria-labelledby"), e.scrollTop]);
  old.replaceWith(document.adoptNode(fresh));
  for (const [name, top] of tops) {
    const table = document.querySelector(`.table[aria-labelledby="${CSS.escape(name)}"]`);
    if (table) table.scrollTop = top;
  }
  equip();
  if (focus) [...fresh.querySelectorAll("a, input, button, summary, [tabindex]")].find((e) => called(e) === focus)?.focus({ preventScroll: true });
}

// Tables that sort and filter

function amount(text) {
  const found = text.replace(/,/g, "").match(/^-?[\d.]+/);
  return found ? Number(found[0]) : text === "now" ? 0 : null;
}

function arrange(table) {
  const show = shows.get(table.dataset.workers);
  if (!show) return;
  const body = table.tBodies[0], all = [...body.rows];
  if (show.column !== undefined) {
    const key = (row) => row.cells[show.column].textContent.trim();
    const order = (a, b) => {
      const [x, y] = [amount(key(a)), amount(key(b))];
      return show.turn * (x !== null && y !== null ? x - y : key(a).localeCompare(key(b)));
    };
    const sorted = [...all].sort(order);
    if (sorted.some((row, i) => row !== all[i])) body.append(...sorted);
  }
  let found = 0;
  for (const row of all) {
    row.hidden = !row.textContent.toLowerCase().includes(show.words);
    found += !row.hidden;
  }
  const section = table.closest("section");
  say(section.querySelector("[data-found]"), show.words ? `${found} of ${all.length}` : "");
}

function equip() {
  for (const table of document.querySelectorAll("[data-workers]")) {
    const kind = table.dataset.workers;
    if (!shows.has(kind)) shows.set(kind, { words: "", turn: 1 });
    const show = shows.get(kind);
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `sort-${kind}-${column}`;
      button.textContent = cell.textContent;
      cell.replaceChildren(button);
      const mark = () => cell.setAttribute("aria-sort", show.column !== column ? "none" : show.turn > 0 ? "ascending" : "descending");
      mark();
      button.onclick = () => {
        [show.turn, show.column] = [show.column === column ? -show.turn : 1, column];
        for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
        mark();
        arrange(table);
      };
    });
    const filter = table.closest("section").querySelector("[data-filter]");
    filter.hidden = false;
    const input = filter.querySelector("input");
    input.value = show.words;
    input.oninput = () => { show.words = input.value.toLowerCase(); arrange(table); };
    arrange(table);
  }
}

// A worker's page, in a drawer

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-worker] a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await fetch(link.href);
  const drawer = document.querySelector("[data-drawer]"), place = drawer.querySelector("[data-drawer-content]");
  if (answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(document.adoptNode(page.querySelector("article")));
  } else {
    place.textContent = await answer.text();
  }
  drawer.showModal();
});

// One stream, closed while nobody looks

function listen() {
  source?.close();
  heard = Date.now();
  source = new EventSource("events");
  source.onmessage = hear;
  source.onopen = () => { document.querySelector("[data-live]").hidden = false; };
  source.onerror = () => {
    document.querySelector("[data-live]").hidden = true;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) source?.close();
  else listen();
});

setInterval(() => {
  if (!document.hidden && Date.now() - heard > SILENT_MS) {
    const at = new Date(heard).toISOString().slice(11, 19);
    stale(`stale since ${at} UTC: the dashboard does not answer`);
  }
}, 1000);

equip();
listen();
