// The toast says what the last act did. Its revision leaves the address bar, so that a reload or a shared link
// does not say it again.

const url = new URL(location.href);

// What was done on the page before this one, as `?done=` says; null: nothing.
export const done = url.searchParams.get("done");

if (done !== null) {
  url.searchParams.delete("done");
  history.replaceState(history.state, "", url);
}

const toast = document.querySelector("[data-toast]");
toast?.querySelector("[data-close-toast]").addEventListener("click", () => toast.remove());
