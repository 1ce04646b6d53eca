// The secret of a one-time link is in the fragment, which no server sees. It is removed from the address and
// the history before anything else, and posted. Without a sign that a person opened the link, the button waits
// for a click: a page of another site could open its own link here.

// A link that is pasted over this page changes the fragment only, and loads nothing.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#once=")) location.reload();
});

const form = document.getElementById("link-form");
const secret = new URLSearchParams(location.hash.slice(1)).get("once");
if (secret) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.once.value = secret;
  form.hidden = false;
  if (form.dataset.automatic !== undefined) form.requestSubmit();
  else form.querySelector("button").focus();
} else {
  // After a link on another site, browsers do not send the cookie; for a script of this page they do.
  const goOn = document.querySelector("[data-next]").dataset.next;
  const hasProblem = document.querySelector('[role="alert"]') !== null;
  if (!hasProblem && (await fetch("/session", { cache: "no-store" })).ok) location.replace(goOn);
}
