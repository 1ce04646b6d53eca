// Pages that stay current. A page says what it follows, and which of its parts may change:
//
//   {% from "parts/live.html" import live with context %}
//   {{ live("refusal stats") }}           in the head of the page: what it follows (topics of GET /v1/events),
//                                         with the age of the data, "Show 3 new" and Retry
//   <ul data-live-rows="refusals">        a list, present even if it is empty;
//     <li data-row="5f1c…">…</li>         rows change in place, new ones wait, none moves and none goes away
//   <p data-live="totals">…</p>           anything else: replaced as a whole when it changed
//
// An event says only that something changed. Then the page is read again from its own URL, and what it marks
// is taken over. While the pointer is over a part that may change, or the focus is in it, all of them are held,
// so that nothing moves. Pages without topics follow the newest revision and the nodes, for their frame.
// After each change, "crossgate:live" is dispatched at the element.

const FRAME = "revision node refusal";
const EVERY_MS = 1500; // between two reads
const POLL_MS = 30000; // without events: ages go on, and a dead connection is noticed
const REOPEN_MS = [3000, 5000, 10000, 30000];

const state = document.querySelector("[data-live-topics]");
const label = state?.querySelector("[data-live-label]");
const show = state?.querySelector("[data-live-show]");
const retry = state?.querySelector("[data-live-retry]");
const topics = (state?.dataset.liveTopics || FRAME).split(" ");

let source = null;
let lastEventId = "";
let lost = false;
let signedOut = false;
let failures = 0;
let readAt = Date.now();
let newest = null; // the document that was read last
let reading = null;
let timers = {};

const duration = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
};

const hovers = matchMedia("(hover: hover)");
const isHeld = (element) =>
  element.contains(document.activeElement) || (hovers.matches && element.matches(":hover"));

// Under pointer or focus all is held: what changes above a row would move it away.
const isPageHeld = () =>
  [...document.querySelectorAll("main [data-live], main [data-live-rows]")].some(isHeld);

const parts = (root) => [...root.querySelectorAll("[data-live]")];
const lists = (root) => [...root.querySelectorAll("[data-live-rows]")];
const rowsOf = (list) => [...list.querySelectorAll("[data-row]")];

// The k-th element of a name is the k-th one in the other document.
const counterpart = (element, attribute, root) => {
  const selector = `[${attribute}="${CSS.escape(element.getAttribute(attribute))}"]`;
  const place = [...document.querySelectorAll(selector)].indexOf(element);
  return root.querySelectorAll(selector)[place];
};

const put = (old, fresh) => {
  const element = document.importNode(fresh, true);
  old.replaceWith(element);
  window.htmx?.process(element);
  element.dispatchEvent(new CustomEvent("crossgate:live", { bubbles: true }));
  return element;
};

let waiting = 0; // new rows
let held = false; // whether a change waits for the pointer or the focus to leave

const mergeList = (list, fresh, hold) => {
  const rows = rowsOf(list);
  const known = new Map(rows.map((row) => [row.dataset.row, row]));
  const freshRows = rowsOf(fresh);
  if (!rows.length && freshRows.length) {
    hold || put(list, fresh);
    held ||= hold;
    return;
  }
  for (const row of freshRows) {
    const old = known.get(row.dataset.row);
    if (!old) waiting += 1;
    else if (!old.isEqualNode(row)) {
      hold || put(old, row);
      held ||= hold;
    }
  }
};

const merge = () => {
  if (!newest) return;
  waiting = 0;
  held = false;
  const pageHeld = isPageHeld();
  for (const part of parts(document)) {
    const fresh = counterpart(part, "data-live", newest);
    if (!fresh || part.closest("[data-live-rows]") || part.isEqualNode(fresh)) continue;
    const hold = part.closest("main") ? pageHeld : isHeld(part);
    hold || put(part, fresh);
    held ||= hold;
  }
  for (const list of lists(document)) {
    const fresh = counterpart(list, "data-live-rows", newest);
    if (fresh) mergeList(list, fresh, pageHeld);
  }
  tell();
};

const showNew = () => {
  let first = null;
  for (const list of lists(document)) {
    const fresh = newest && counterpart(list, "data-live-rows", newest);
    if (!fresh) continue;
    const known = new Set(rowsOf(list).map((row) => row.dataset.row));
    const element = put(list, fresh);
    first ??= rowsOf(element).find((row) => !known.has(row.dataset.row));
  }
  merge();
  (first?.querySelector("a, button") ?? document.getElementById("main")).focus();
};

const tell = () => {
  if (!state) return;
  const age = duration(Date.now() - readAt);
  const kind = signedOut || lost ? "stale" : held ? "held" : "";
  label.className = `live ${kind}`.trim();
  const text = signedOut
    ? `Signed out, data is ${age} old`
    : lost
      ? `Connection lost, data is ${age} old`
      : held
        ? "Held while you point here"
        : `Live, updated ${age} ago`;
  if (label.textContent !== text) label.textContent = text;
  show.hidden = !waiting;
  if (waiting) show.textContent = `Show ${waiting} new`;
  retry.hidden = !(lost || signedOut);
  retry.textContent = signedOut ? "Sign in" : "Retry";
};

const loseConnection = () => {
  if (!lost) {
    lost = true;
    const note = state?.querySelector("[data-live-note]");
    if (note) note.textContent = "Connection lost";
  }
  tell();
};

const findConnection = () => {
  if (lost) {
    const note = state?.querySelector("[data-live-note]");
    if (note) note.textContent = "Connected again";
  }
  lost = false;
  failures = 0;
};

const read = async () => {
  const url = state ? location.href : "/frame";
  const response = await fetch(url, { headers: { "X-Live": "1" }, cache: "no-store" });
  if (response.redirected && new URL(response.url).pathname === "/sign-in") {
    signedOut = true;
    close();
    return;
  }
  if (!response.ok) throw new Error(String(response.status));
  newest = new DOMParser().parseFromString(await response.text(), "text/html");
  readAt = Date.now();
  findConnection();
  merge();
};

// One read at a time, not too often; what changes meanwhile is read after it.
const refresh = (atOnce = false) => {
  if (document.hidden || signedOut) return;
  if (reading) {
    reading.again = true;
    return;
  }
  clearTimeout(timers.read);
  const wait = atOnce ? 0 : Math.max(150, EVERY_MS - (Date.now() - readAt));
  timers.read = setTimeout(async () => {
    reading = { again: false };
    try {
      await read();
    } catch {
      loseConnection();
    }
    const { again } = reading;
    reading = null;
    tell();
    if (again) refresh();
  }, wait);
};

const close = () => {
  source?.close();
  source = null;
  clearTimeout(timers.reopen);
};

const open = () => {
  if (document.hidden || signedOut || source) return;
  const query = new URLSearchParams(topics.map((topic) => ["topic", topic]));
  if (lastEventId) query.set("last-event-id", lastEventId);
  const opened = new EventSource(`/events?${query}`);
  source = opened;
  opened.addEventListener("open", () => refresh(lost)); // what changed since the page was made sends no event
  for (const topic of topics) {
    opened.addEventListener(topic, (event) => {
      lastEventId = event.lastEventId || lastEventId;
      refresh();
    });
  }
  opened.addEventListener("dropped", () => refresh());
  opened.addEventListener("error", () => {
    if (source !== opened) return;
    loseConnection();
    if (opened.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    close();
    refresh(true); // a page tells why: signed out, or the server is busy
    const wait = REOPEN_MS[Math.min(failures, REOPEN_MS.length - 1)];
    failures += 1;
    timers.reopen = setTimeout(open, wait);
  });
};

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close(); // a hidden tab holds no stream
  } else {
    open();
    refresh(true);
  }
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    open();
    refresh(true);
  }
});
for (const left of ["pointerout", "focusout"]) {
  document.addEventListener(left, () => {
    if (held) setTimeout(merge, 50);
  });
}
show?.addEventListener("click", showNew);
retry?.addEventListener("click", () => {
  if (signedOut) {
    location.reload();
    return;
  }
  failures = 0;
  close();
  open();
  refresh(true);
});
setInterval(() => {
  if (document.hidden) return;
  tell();
  if (Date.now() - readAt > POLL_MS && !reading && !lost) refresh(true);
}, 1000);

open();
tell();
