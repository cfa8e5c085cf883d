// What keys and buttons do.
import { KEYS, listen } from "/page/keys.js";

const $ = (id) => document.getElementById(id);
const BUTTONS = ["undo", "redo", "help", "export", "open", "play", "first", "last", "loop", "wire", "compare", "strain"];

function press(id, on) {
  $(id).setAttribute("aria-pressed", String(on));
  return on;
}

// range(): of frames that are played; resend(): ask for all frames anew; out(): the dialog that exports, once it is there
export function acting({ history, player, panel, view, range, resend, out }) {
  const commit = (part) => history.commit({ ...history.state, ...part });
  const act = {
    play: () => player.toggle(),
    back: (far) => player.seek(player.at - (far ? 10 : 1)),
    on: (far) => player.seek(player.at + (far ? 10 : 1)),
    first: () => player.seek(range()[0]),
    last: () => player.seek(range()[1]),
    in: () => commit({ in: Math.round(player.at), out: history.state.out !== null && history.state.out < player.at ? null : history.state.out }),
    out: () => commit({ out: Math.round(player.at), in: history.state.in !== null && history.state.in > player.at ? null : history.state.in }),
    loop: () => (player.loop = press("loop", !player.loop)),
    delete: () => panel.delete(),
    undo: () => history.undo(),
    redo: () => history.redo(),
    front: () => view.look("front"),
    "three-quarter": () => view.look("three-quarter"),
    side: () => view.look("side"),
    wire: () => ((view.wire = press("wire", !view.wire)), view.dress()),
    compare: () => ((view.compare = press("compare", !view.compare)), view.look(view.side)),
    strain: () => (view.setStrain(press("strain", !view.strain)), resend()),
    open: () => $("file").click(),
    export: () => out()?.open(),
    help: () => $("keys").showModal(),
  };
  for (const id of BUTTONS) $(id).onclick = () => act[id]();
  $("set-in").onclick = act.in;
  $("set-out").onclick = act.out;
  for (const button of document.querySelectorAll("[data-view]")) button.onclick = () => view.look(button.dataset.view);
  const listed = ([key, does]) => [["dt", key], ["dd", does]].map(([tag, textContent]) => Object.assign(document.createElement(tag), { textContent }));
  $("keys-list").replaceChildren(...KEYS.flatMap(listed));
  listen(act);
}
