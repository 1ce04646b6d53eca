// The import page: a chosen or dropped file is read into the text area; a long call says how long it has run.

const LIMIT = 16 * 2 ** 20;
const form = document.querySelector("[data-import]");

if (form) {
  const status = form.querySelector("[data-import-status]");
  const area = form.querySelector("textarea");
  const zone = form.querySelector("[data-drop]");

  const read = async (file) => {
    if (!file) return;
    if (file.size > LIMIT) {
      status.textContent = `${file.name} is larger than 16 MiB. Split it into smaller documents.`;
      return;
    }
    area.value = await file.text();
    status.textContent = `Read ${file.name}, ${file.size.toLocaleString("en")} bytes.`;
    area.focus();
  };

  form.querySelector("[data-file-into]").addEventListener("change", (event) => read(event.target.files[0]));

  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    read(event.dataTransfer.files[0]);
  });

  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("aria-busy")) {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    const what = event.submitter?.dataset.long ?? "Planning";
    const began = Date.now();
    setInterval(() => {
      status.textContent = `${what}… ${Math.round((Date.now() - began) / 1000)} s`;
    }, 1000);
  });

  // Back from the next page, the form is ready again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
