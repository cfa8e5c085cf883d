// What is shown, sent out to other programs: the switch, and where the playhead is while it is on.
import { toast } from "/page/work.js";

const $ = (id) => document.getElementById(id);
const AGAIN_MS = 200; // between two words about where it plays, from which the server goes on by itself

export class Live {
  // send(message); now(): {at, playing, range}
  constructor(send, now) {
    Object.assign(this, { send, now, told: 0 });
    $("live").onchange = () => this.turn();
    $("live-to").onchange = () => $("live").checked && this.turn();
  }

  // On or off, as the switch stands; also once the server is there again.
  turn() {
    this.send({ type: "live", to: $("live").checked ? $("live-to").value.trim() : null });
    this.shown(true);
  }

  // The playhead has moved.
  shown(at_once = false) {
    if (!$("live").checked) return;
    const { at, playing, range: [low, high] } = this.now(), time = performance.now();
    if (playing && !at_once && time - this.told < AGAIN_MS) return;
    this.told = time;
    this.send({ type: "shown", at: Math.round(at), playing: Boolean(playing), low, high });
  }

  refused(why) {
    $("live").checked = false;
    toast(`not sent: ${why}`, true);
  }
}
