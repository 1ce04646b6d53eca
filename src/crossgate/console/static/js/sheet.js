// Sheets: a link with [data-sheet] opens its page as a dialog over the list. Closing gives the focus back to it.

let opener = null;

const dialogs = document.getElementById("dialogs");

const nextRow = (link) => {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(link) || row.querySelector("[aria-current]") || row.matches("[aria-current]"));
  const row = at < 0 ? null : (rows[at + 1] ?? rows[at - 1]);
  return row?.closest("a[href]") ?? row?.querySelector("a[href]") ?? null;
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-sheet]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !dialogs || !window.htmx) return;
  event.preventDefault();
  opener = link;
  htmx.ajax("GET", link.getAttribute("href"), { target: "#dialogs", swap: "innerHTML" });
});

const prepare = (dialog) => {
  const next = dialog.querySelector("input[name=next]");
  const row = opener && nextRow(opener);
  if (next && !next.value && row) next.value = row.getAttribute("href");
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener?.focus();
  });
  dialog.showModal();
  dialog.querySelector("input[type=radio]:checked, input[type=text], .button.primary")?.focus();
};

document.addEventListener("htmx:afterSettle", () => {
  const dialog = dialogs?.querySelector("dialog[data-sheet-dialog]:not([open])");
  if (dialog) prepare(dialog);
});

document.addEventListener("click", (event) => {
  const dialog = event.target.closest("dialog[data-sheet-dialog]");
  if (!dialog || !(event.target === dialog || event.target.closest("[data-close-sheet]"))) return;
  event.preventDefault();
  dialog.close();
});
