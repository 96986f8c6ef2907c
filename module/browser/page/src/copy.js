// Buttons that copy a text.

import { el } from "./dom.js";

/** A button that copies what `make` gives. */
export function copy(make, label = "Copy", title = "Copy as text") {
  const button = el("button", { class: "small copy", title, onclick: async () => {
    button.textContent = await put(make()) ? "Copied" : "Not allowed here";
    setTimeout(() => { button.textContent = label; }, 1500);
  } }, label);
  return button;
}

async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from the disk has no clipboard in some browsers; a selection can be copied everywhere.
    const area = el("textarea", { class: "aside", "aria-hidden": "true" });
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
