// The toast says what the last act did. Its revision leaves the address bar, so that a reload or a shared link
// does not say it again.

const toast = document.querySelector("[data-toast]");

if (toast) {
  const url = new URL(location.href);
  url.searchParams.delete("done");
  history.replaceState(history.state, "", url);
  toast.querySelector("[data-close-toast]").addEventListener("click", () => toast.remove());
}
