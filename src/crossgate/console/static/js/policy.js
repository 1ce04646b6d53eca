// The policy editor: keys of token boxes, a draft that survives a reload, and a question before it is lost.
// What a policy is and says comes from the server; the form is the whole state.

import { done } from "./toast.js";

const form = () => document.getElementById("policy-form");
const changes = () => Number(document.getElementById("save-state")?.dataset.changes ?? 0);
const key = `draft ${location.pathname}`;
let leaving = false;

const act = (value) => {
  const target = document.getElementById("editor");
  const values = new FormData(form());
  values.set("do", value);
  return htmx.ajax("POST", target.dataset.editor, { source: target, target, swap: "outerHTML", values });
};

document.addEventListener("keydown", async (event) => {
  const input = event.target;
  if (!(input instanceof HTMLElement)) return;
  const box = input.closest("[data-tokens]");
  const adds = input.matches(".bare-input, [data-adds]");
  const isNew = input.id === "new-origin";
  if (event.key === "Enter" && isNew && !event.shiftKey) {
    event.preventDefault();
    await act("");
    document.getElementById("new-origin")?.focus();
  } else if (adds && (event.key === "Enter" || event.key === ",") && input.value.trim()) {
    event.preventDefault();
    await act("");
    document.getElementById(input.id)?.focus();
  } else if (adds && box && event.key === "Backspace" && input.value === "") {
    const tokens = box.querySelectorAll(`input[name="${box.dataset.tokens}"]`);
    const last = tokens[tokens.length - 1];
    if (!last) return;
    event.preventDefault();
    await act(`drop:${box.dataset.tokens}:${last.value}`);
    document.getElementById(input.id)?.focus();
  }
});

// What was opened stays open when the editor is drawn again.
let open = false;
document.addEventListener("htmx:beforeSwap", () => {
  open = document.getElementById("save-more")?.open ?? false;
});
document.addEventListener("htmx:afterSwap", () => {
  const more = document.getElementById("save-more");
  if (more && open) more.open = true;
});

// Several lines pasted become rows at once.
document.addEventListener("paste", (event) => {
  const text = event.clipboardData?.getData("text") ?? "";
  if (event.target.id !== "new-origin" || !text.trim().includes("\n")) return;
  event.preventDefault();
  event.target.value += text;
  act("");
});

const keep = () => {
  if (!form() || leaving) return;
  if (changes() === 0) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, JSON.stringify([...new FormData(form())].filter(([name]) => name !== "csrf")));
};
document.addEventListener("htmx:afterSettle", keep);
document.addEventListener("htmx:oobAfterSwap", keep);
document.addEventListener("change", keep);

// Only what js/session.js lets through leaves the page.
document.addEventListener("submit", (event) => {
  const act = event.submitter?.name === "do" ? event.submitter.value : "";
  if (act === "discard") sessionStorage.removeItem(key);
  if (["discard", "save", "merge"].includes(act)) leaving = true;
});

addEventListener("beforeunload", (event) => {
  if (!leaving && changes() > 0) event.preventDefault();
});

const restore = async () => {
  if (done !== null) sessionStorage.removeItem(key);
  const kept = sessionStorage.getItem(key);
  if (!kept || !form() || changes() > 0) return;
  const values = new FormData();
  for (const [name, value] of JSON.parse(kept)) values.append(name, value);
  const target = document.getElementById("editor");
  await htmx.ajax("POST", target.dataset.editor, { source: target, target, swap: "outerHTML", values });
  const note = document.createElement("p");
  note.className = "note draft-note";
  note.setAttribute("role", "status");
  note.textContent = "Your unsaved changes were kept. Discard takes them back.";
  document.getElementById("editor").prepend(note);
};
if (window.htmx) restore();
else addEventListener("DOMContentLoaded", restore);
