// Keys as everywhere where motion is edited; each is listed by `?`.
export const KEYS = [
  ["Space", "play, stop"], ["← →", "a frame back, on (Shift: ten)"], ["Home End", "first, last frame"],
  ["I O", "set where playing begins, ends"], ["L", "loop"], ["Delete", "remove what is selected"],
  ["Ctrl+Z", "undo"], ["Ctrl+Shift+Z", "redo"], ["1 2 3", "front, three-quarter, side"],
  ["W N S", "wireframe, beside the neutral, strain"], ["← → on a handle", "move it by a frame (Shift: ten)"],
  ["Shift+← → on an event", "stretch it"], ["Alt+drag an event", "stretch it"], ["Shift+click a tile", "blend it with the selected one"],
  ["Ctrl+O", "open a face, a timeline or a take"], ["Ctrl+E", "export"], ["?", "these keys"],
];

const writes = (target) => target.matches?.("input:not([type=range]):not([type=checkbox]), textarea, select");

// act: by name, what each key does.
export function listen(act) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const held = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const command = held ? { z: event.shiftKey ? "redo" : "undo", y: "redo", o: "open", e: "export" }[key] : undefined;
    if (held && !command) return;
    if (writes(event.target) && !(held && key === "e")) return;
    const slides = event.target.matches?.("input[type=range]");
    if (slides && key.startsWith("Arrow")) return;
    if (key === " " && event.target.matches?.("input[type=checkbox]")) return; // which it turns on and off
    const plain = {
      " ": "play", ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last", i: "in", o: "out", l: "loop",
      Delete: "delete", Backspace: "delete", 1: "front", 2: "three-quarter", 3: "side", w: "wire", n: "compare", s: "strain", "?": "help",
    }[key];
    const name = command ?? plain;
    if (!name) return;
    event.preventDefault();
    act[name](event.shiftKey);
  });
}
