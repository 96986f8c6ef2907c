// The keyboard.

/** Keys and what they do. */
export const SHORTCUTS = [
  ["j, ↓", "next"],
  ["k, ↑", "previous"],
  ["Enter", "read it: scroll with the keyboard"],
  ["Tab", "through everything that can be pressed"],
  ["v", "incidents or findings"],
  ["/", "search"],
  ["Esc", "leave the search or this window"],
  ["?", "this help"],
];

/** Calls `acts` when their key is pressed. */
export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key === "Escape") return acts.leave();
    if (typing) return;
    const inList = !event.target.closest?.(".detail");
    const act = {
      j: acts.next, k: acts.previous, "/": acts.search, "?": acts.help, v: acts.view,
      ...(inList ? { ArrowDown: acts.next, ArrowUp: acts.previous, Enter: event.target.matches?.("button:not(.item), summary, a") ? undefined : acts.open } : {}),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}
