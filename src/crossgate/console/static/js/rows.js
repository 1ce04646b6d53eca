// Rows of a form that are added and removed one by one.
//
//   [data-rows="ID"]    a button that adds a copy of the <template id="ID"> before its own row
//   [data-remove-row]   a button that removes its <li>; the row before gets the focus
//   [data-choices]      where a search puts check boxes; those that are checked move to the list [data-chosen]

const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-rows]");
  if (add) {
    const list = document.getElementById(add.dataset.into);
    list.append(document.getElementById(add.dataset.rows).content.cloneNode(true));
    window.htmx.process(list.lastElementChild);
    list.lastElementChild.querySelector("input").focus();
  }
  const remove = event.target.closest("[data-remove-row]");
  if (remove) {
    const row = remove.closest("li");
    const list = row.parentElement;
    const next = row.previousElementSibling ?? row.nextElementSibling;
    row.remove();
    next?.querySelector("input")?.focus();
    changed(list);
  }
});

document.addEventListener("change", (event) => {
  const choices = event.target.closest("[data-choices]");
  if (!choices || !event.target.checked) return;
  const chosen = document.querySelector("[data-chosen]");
  const known = [...chosen.querySelectorAll("input")].find((one) => one.value === event.target.value);
  if (known) {
    known.checked = true;
    event.target.closest("label").remove();
  } else chosen.append(event.target.closest("label"));
  changed(chosen);
});
