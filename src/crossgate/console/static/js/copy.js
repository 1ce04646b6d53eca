// Copy buttons: [data-copy] copies its value, [data-copy-from="ID"] an element's text,
// [data-copy-curl="GET /v1/…"] the call as a curl command for this host.

const curl = (call) => {
  const [method, path] = call.split(" ", 2);
  const flag = method === "GET" ? "" : ` -X ${method}`;
  return `curl${flag} -H "Authorization: Bearer $CROSSGATE_TOKEN" '${location.origin}${path.replaceAll("'", "%27")}'`;
};

const textOf = (button) => {
  if (button.dataset.copyCurl) return curl(button.dataset.copyCurl);
  if (button.dataset.copyFrom) return document.getElementById(button.dataset.copyFrom).textContent;
  return button.dataset.copy;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-curl]");
  if (!button) return;
  await navigator.clipboard.writeText(textOf(button));
  const before = button.getAttribute("aria-label");
  button.dataset.copied = "";
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    delete button.dataset.copied;
    if (before === null) button.removeAttribute("aria-label");
    else button.setAttribute("aria-label", before);
  }, 1500);
});
