// A session that ends in the middle of an edit loses nothing: the page stays, says so, and goes on after a
// sign-in in another tab. The form token follows the session.

const panel = document.getElementById("session-ended");
const find = (name) => panel.querySelector(`[data-session-${name}]`);

// The session: its name and form token; null if there is none, undefined if nobody answers.
const readSession = async () => {
  try {
    const response = await fetch("/session", { cache: "no-store" });
    if (response.status === 401) return null;
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
};

const renew = (csrf) => {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": csrf }));
  for (const input of document.querySelectorAll('input[name="csrf"]')) input.value = csrf;
};

let focused = null;

const show = () => {
  focused ??= document.activeElement;
  // Everything outside of an open dialog is inert.
  (document.querySelector("dialog:modal") ?? document.body).append(panel);
  if (!panel.matches(":popover-open")) panel.showPopover();
  (find("link").hidden ? find("close") : find("link")).focus();
};

const showEnded = () => {
  find("title").textContent = "Your session has ended";
  find("text").textContent =
    "Nothing was changed, and what you typed is still here. Sign in in a new tab, then come back to this one.";
  find("link").hidden = false;
  find("close").hidden = true;
  show();
};

const showSignedIn = (name) => {
  find("title").textContent = `Signed in as ${name}`;
  find("text").textContent = "What you typed is still here. Repeat what you did last.";
  find("link").hidden = true;
  find("close").hidden = false;
  show();
};

find("close").addEventListener("click", () => {
  panel.hidePopover();
  focused?.focus();
  focused = null;
});

// Back from the tab with the sign-in.
const recheck = async () => {
  if (document.hidden || !panel.matches(":popover-open") || find("link").hidden) return;
  const session = await readSession();
  if (!session) return;
  renew(session.csrf);
  showSignedIn(session.name);
};
addEventListener("focus", recheck);
document.addEventListener("visibilitychange", recheck);

// Whether htmx sends the form when it is submitted; some forms have a trigger for what follows typing only.
const isSentByHtmx = (form) =>
  form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]") &&
  (form.getAttribute("hx-trigger") ?? "submit").includes("submit");

// Forms that replace the page: the session is read before, because afterwards the page would be gone.
const checked = new WeakSet();
const reading = new WeakSet();
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (form.method !== "post" || isSentByHtmx(form)) return;
    if (checked.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (reading.has(form)) return; // a second click sends nothing twice
    reading.add(form);
    const { submitter } = event;
    const session = await readSession();
    reading.delete(form);
    if (session === null) {
      showEnded();
      return;
    }
    if (session) renew(session.csrf);
    checked.add(form);
    // What follows typing may have taken the place of the button meanwhile.
    const gone = submitter && submitter.form !== form;
    const button = gone ? form.appendChild(Object.assign(submitter.cloneNode(), { hidden: true })) : submitter;
    form.requestSubmit(button);
    if (gone) button.remove();
    checked.delete(form); // validation or a listener may have stopped it
  },
  true,
);

// Parts that htmx asks for: nothing is swapped.
document.addEventListener("htmx:beforeSwap", async (event) => {
  const { xhr } = event.detail;
  const reason = xhr.getResponseHeader("Crossgate-Session");
  if (!reason) return;
  event.detail.shouldSwap = false;
  if (reason === "ended") showEnded();
  if (reason !== "another-session") return;
  const session = await readSession();
  if (!session) return;
  renew(session.csrf);
  showSignedIn(session.name);
});
