// Dark and light: as the system has it, until somebody presses the button.

import { el } from "./dom.js";

/** The button. */
export function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  return el("button", { title: "Dark or light", "aria-label": "Dark or light", onclick: () => { root.dataset.theme = now() === "dark" ? "light" : "dark"; } }, "◐");
}
