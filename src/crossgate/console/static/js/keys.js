// Keys of all pages. Elements say what they are for:
//
//   data-key="a"        the link, button or field that the key `a` uses: it is clicked, a field gets the focus.
//                       One inside of the row with the focus comes before others.
//   data-row            a row for `j` and `k`; its first link or button gets the focus
//   data-go="r"         a link for `g` and then `r`
//
// No key does anything while somebody types, or together with Ctrl, Alt or Meta. In an open dialog, only its
// own elements are used. Single keys can be turned off in the help (WCAG 2.2, 2.1.4).

const OFF = "crossgate-keys-off";
const SECOND_KEY_MS = 1500;
const help = document.getElementById("keys-help");
let goUntil = 0;

const isOff = () => {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
};

const isTyping = (event) =>
  event.isComposing ||
  event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

const isVisible = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;

const scope = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;

const find = (selector) => {
  const row = document.activeElement?.closest("[data-row]");
  const near = row && scope().contains(row) ? [...row.querySelectorAll(selector)] : [];
  return [...near, ...scope().querySelectorAll(selector)].find(isVisible);
};

const use = (element) => {
  if (element.matches("input:not([type=submit]), textarea, select")) {
    element.focus();
    element.select?.();
  } else element.click();
};

const step = (by) => {
  const rows = [...scope().querySelectorAll("[data-row]")].filter(isVisible);
  if (!rows.length) return false;
  const current = document.activeElement?.closest("[data-row]");
  const selected = rows.findIndex((row) => row === current || (!current && row.querySelector("[aria-current]")));
  const next = rows[selected < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, selected + by))];
  const target = next.matches("a, button, [tabindex]") ? next : next.querySelector("a, button, [tabindex]");
  target?.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
};

const press = (key) => {
  if (Date.now() < goUntil) {
    goUntil = 0;
    const link = document.querySelector(`a[data-go="${CSS.escape(key)}"]`);
    if (link) link.click();
    return Boolean(link);
  }
  if (key === "g") {
    goUntil = Date.now() + SECOND_KEY_MS;
    return true;
  }
  if (key === "?" && help) {
    help.showModal();
    return true;
  }
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  const element = find(`[data-key="${CSS.escape(key)}"]`);
  if (element) use(element);
  return Boolean(element);
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isOff() || isTyping(event) || event.key.length !== 1) return;
  if (press(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-help]")) help?.showModal();
  else if (event.target === help || event.target.closest("[data-close-keys]")) help?.close();
});

const choice = help?.querySelector("[data-keys-off]");
if (choice) {
  choice.checked = isOff();
  choice.addEventListener("change", () => {
    try {
      localStorage.setItem(OFF, choice.checked ? "1" : "0");
    } catch {
      // Without storage, the choice lasts as long as the browser says.
    }
  });
}
