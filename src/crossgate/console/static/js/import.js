// The import page: a chosen or dropped file goes into the text area if it is UTF-8, and is sent as it is if not;
// a long call says how long it has run.

const LIMIT = 16 * 2 ** 20;

const watchFile = (form) => {
  const status = form.querySelector("[data-import-status]");
  const area = form.querySelector("textarea");
  const zone = form.querySelector("[data-drop]");
  const input = form.querySelector("[data-file-into]");
  const name = form.querySelector("[data-import-name]");
  const field = input.name;

  const forgetKept = () => {
    form.querySelector('input[name="kept"]')?.remove();
    form.querySelector("[data-import-kept]")?.parentElement.remove();
  };

  // What stands in the text area counts; only a file that cannot stand there is sent as a file.
  const read = async (file) => {
    if (!file) return;
    if (file.size > LIMIT) {
      input.value = "";
      status.textContent = `${file.name} is larger than 16 MiB. Split it into smaller documents.`;
      return;
    }
    const bytes = await file.arrayBuffer();
    let text = null;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      // not UTF-8
    }
    forgetKept();
    name.value = file.name;
    const size = `${file.size.toLocaleString("en")} bytes`;
    if (text === null || text.includes("\0")) {
      area.value = "";
      input.name = field;
      const chosen = new DataTransfer();
      chosen.items.add(file);
      input.files = chosen.files;
      status.textContent = `${file.name}, ${size}, is sent as it is.`;
    } else {
      area.value = text;
      input.removeAttribute("name");
      status.textContent = `Read ${file.name}, ${size}.`;
      area.focus();
    }
  };

  input.addEventListener("change", () => read(input.files[0]));
  area.addEventListener("input", () => {
    // Typing takes the place of a file.
    input.value = "";
    input.removeAttribute("name");
  });

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
};

const watchSubmit = (form) => {
  const status = form.querySelector("[data-import-status]");
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
};

const forms = document.querySelectorAll("[data-import]");
for (const form of forms) watchSubmit(form);
if (forms.length) {
  watchFile(forms[0]);
  // Back from the next page, the forms are ready again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
