// The matrix of applications and APIs: arrows move, Space registers or removes, Esc discards one cell.
//
// Unsaved cells are kept for the tab, so that they survive paging, filters and a session that expires. What
// saving them would do comes from the server after each change.

const KEPT = "crossgate-cells";
const WAIT_MS = 150;
const table = document.querySelector("[data-matrix]");
const bar = () => document.getElementById("save");

const load = () => {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return new Map();
  }
};

const wanted = load(); // "application API" -> whether it is to be registered

const keep = () => {
  try {
    if (wanted.size) sessionStorage.setItem(KEPT, JSON.stringify([...wanted]));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Without storage, unsaved cells last as long as the page.
  }
};

const keyOf = (cell) => `${cell.dataset.application} ${cell.dataset.api}`;
const cells = () => (table ? [...table.querySelectorAll("button.cell")] : []);
const isSaved = (cell) => cell.dataset.saved === "true";

const words = (cell, registered) => {
  if (!registered) return "not registered";
  return cell.dataset.inert ? `registered, without effect: ${cell.dataset.inert}` : "registered";
};

const show = (cell) => {
  const saved = isSaved(cell);
  const registered = wanted.get(keyOf(cell)) ?? saved;
  const changed = registered !== saved;
  cell.setAttribute("aria-pressed", String(registered));
  cell.classList.toggle("added", changed && registered);
  cell.classList.toggle("removed", changed && !registered);
  const [name, state] = [cell.dataset.name, words(cell, registered)];
  cell.setAttribute("aria-label", `${name}: ${changed && !registered ? "removed" : state}${changed ? ", unsaved" : ""}`);
  cell.firstElementChild.className = `dot dot-${registered ? (cell.dataset.inert ? "inert" : "registered") : "absent"}`;
  cell.querySelector(".sign")?.remove();
  if (changed) {
    const sign = document.createElement("span");
    sign.className = `sign ${registered ? "is-ok" : "is-bad"}`;
    sign.textContent = registered ? "+" : "−";
    cell.append(sign);
  }
};

const listed = () => {
  const found = { register: [], remove: [] };
  for (const [key, registered] of wanted) {
    const [application, api] = key.split(" ");
    found[registered ? "register" : "remove"].push({ application, api });
  }
  return found;
};

let timer = 0;
const preview = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const moved = new URLSearchParams(location.search).get("moved") ?? "";
    const message = bar().querySelector("[name=message]")?.value ?? "";
    const values = { cells: JSON.stringify(listed()), url: bar().dataset.url, moved, message };
    window.htmx.ajax("POST", bar().dataset.preview, { target: "#save", swap: "outerHTML", values });
  }, WAIT_MS);
};

const set = (cell, registered) => {
  if (registered === isSaved(cell)) wanted.delete(keyOf(cell));
  else wanted.set(keyOf(cell), registered);
  keep();
  show(cell);
  preview();
};

const toggle = (cell) => set(cell, cell.getAttribute("aria-pressed") !== "true");

const focusOn = (cell) => {
  for (const one of cells()) one.tabIndex = one === cell ? 0 : -1;
  cell.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
};

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const target = (cell, event) => {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("button.cell")]);
  const y = rows.findIndex((row) => row.includes(cell));
  const x = rows[y].indexOf(cell);
  if (event.key === "Home") return rows[event.ctrlKey ? 0 : y][0];
  if (event.key === "End") return rows[event.ctrlKey ? rows.length - 1 : y].at(-1);
  const [dy, dx] = MOVES[event.key];
  return rows[y + dy]?.[x + dx];
};

if (bar()) {
  for (const cell of cells()) {
    cell.dataset.saved = cell.getAttribute("aria-pressed");
    cell.dataset.name = cell.getAttribute("aria-label").replace(/: [^:]*(: [^:]*)?$/, "");
    if (wanted.get(keyOf(cell)) === isSaved(cell)) wanted.delete(keyOf(cell));
    show(cell);
  }
  const first = cells()[0];
  if (first) first.tabIndex = 0;
  keep();
  if (wanted.size) preview();

  table?.addEventListener("click", (event) => {
    const cell = event.target.closest("button.cell");
    if (!cell) return;
    focusOn(cell);
    toggle(cell);
  });

  table?.addEventListener("keydown", (event) => {
    const cell = event.target.closest("button.cell");
    if (!cell || event.altKey || event.metaKey) return;
    if (event.key in MOVES || event.key === "Home" || event.key === "End") {
      const next = target(cell, event);
      if (next) focusOn(next);
    } else if (event.key === "Escape") set(cell, isSaved(cell));
    else return;
    event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-discard-cells]")) return;
    wanted.clear();
    keep();
    cells().forEach(show);
    preview();
    cells().find((one) => one.tabIndex === 0)?.focus();
  });

  // Cells that another person has saved meanwhile change nothing any more.
  document.addEventListener("htmx:afterSwap", () => {
    const left = bar().dataset.left;
    if (!left) return;
    const found = JSON.parse(left);
    const keys = new Set([...found.register, ...found.remove].map((one) => `${one.application} ${one.api}`));
    for (const key of [...wanted.keys()]) if (!keys.has(key)) wanted.delete(key);
    keep();
  });
}
