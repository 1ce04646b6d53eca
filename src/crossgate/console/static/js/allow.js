// The form in which a refusal is allowed: the proven pattern is taken in place, and a button that cannot act
// says why. While a verdict is computed, the old one is grey; after a while it says so.

const CHECKING_MS = 300;
let checking = 0;

const formOf = (element) => element.closest("dialog, .sheet-page")?.querySelector("[data-allow-form]");

const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

document.addEventListener("click", (event) => {
  const take = event.target.closest("a[data-take]");
  const form = take && formOf(take);
  if (form) {
    event.preventDefault();
    form.elements.kind.value = "regex";
    form.elements.value.value = take.dataset.take;
    form.elements.value.focus();
    changed(form.elements.value);
  }
  const format = event.target.closest("a[data-format]");
  if (format && formOf(format)) {
    event.preventDefault();
    const owner = formOf(format);
    const field = owner.elements.format ?? owner.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "format" }));
    field.value = format.dataset.format;
    changed(owner);
  }
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-allow-form]")) return;
  if (event.target.hasAttribute("data-stale")) {
    // What is on the page is not yet what is typed: first show it, then make it.
    event.preventDefault();
    event.target.toggleAttribute("data-submit", true);
    return;
  }
  const button = document.querySelector(`button[form="${event.target.id}"]`);
  if (button?.getAttribute("aria-disabled") !== "true") return;
  event.preventDefault();
  button.focus();
});

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-allow-form]");
  if (!form) return;
  if (event.target.name === "application" && event.target.value) form.elements.new_application.value = "";
  const field = event.target.closest(".option-body") && event.target.closest(".option").querySelector("input[name=what]");
  if (field) field.checked = true;
  form.toggleAttribute("data-stale", true);
  clearTimeout(checking);
  checking = setTimeout(() => {
    const verdict = form.querySelector("#pattern-verdict .verdict span");
    if (verdict) verdict.textContent = "Checking…";
  }, 150 + CHECKING_MS);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("[data-allow-form]");
  if (!form) return;
  clearTimeout(checking);
  form.removeAttribute("data-stale");
  const value = form.elements.value;
  const unsafe = form.querySelector("#pattern-verdict .is-bad") !== null;
  if (form.hasAttribute("data-submit")) {
    form.removeAttribute("data-submit");
    setTimeout(() => form.requestSubmit());
  }
  if (value) {
    value.classList.toggle("invalid", unsafe);
    value.setAttribute("aria-invalid", String(unsafe));
  }
});
