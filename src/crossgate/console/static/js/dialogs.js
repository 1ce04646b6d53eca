// Dialogs for what is a page of its own without scripts.
//
//   <a href="…/dismiss" data-opens="dismiss">   opens the dialog with that id in place of the page
//   data-closes                                 inside of a dialog: closes it
//
// Escape closes a dialog too, and the focus returns to what opened it: browsers do both.

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const closer = event.target.closest("dialog [data-closes]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  } else if (event.target.matches?.("dialog.choice-dialog")) {
    event.target.close();
  }
});

// After an act, the page shows the next group: its row gets the focus, so that j, k, a and d go on from there.
if (document.querySelector(".toast")) {
  document.querySelector(".rows [aria-current]")?.focus({ preventScroll: true });
}
