// Beside the face: a tile for each expression, and what is selected, in numbers.
import { added, edited, lasting, marked, marks, removed } from "/page/events.js";

const $ = (id) => document.getElementById(id);
const percent = (value) => `${Math.round(100 * value)} %`;

export class Panel {
  constructor(history, on) {
    Object.assign(this, { history, on, chosen: [] });
    this.#number("frames", (state, value) => lasting(state, Math.max(2, Math.min(20000, Math.round(value)))));
    this.#number("fps", (state, value) => ({ ...state, fps: Math.max(1, Math.min(240, value)) }));
    this.#number("seed", (state, value) => ({ ...state, seed: Math.max(0, Math.round(value)) }));
    for (const [mark, id] of ["onset", "apex0", "apex1", "offset"].entries())
      this.#number(id, (state, value) => marked(state, this.chosen.at(-1), mark, Math.round(value)));
    $("alive").onchange = () => history.commit({ ...history.state, alive: $("alive").checked });
    $("dice").onclick = () => history.commit({ ...history.state, seed: history.state.seed + 1 });
    $("delete").onclick = () => this.delete();
    $("ease").onchange = () => this.#edit({ ease: $("ease").value });
    $("expression").onchange = () => this.#edit({ expression: $("expression").value });
    this.#slider("intensity", (state, value) => this.#strength(state, value, this.#share(state)));
    this.#slider("blend", (state, value) => this.#strength(state, this.#total(state), value));
  }

  #number(id, change) {
    $(id).addEventListener("change", () => {
      const value = Number($(id).value);
      if (Number.isFinite(value) && $(id).value !== "") this.history.commit(change(this.history.state, value));
      this.draw();
    });
  }

  #slider(id, change) {
    $(id).addEventListener("input", () => this.history.preview(change(this.history.state, Number($(id).value))));
    $(id).addEventListener("change", () => this.history.commit());
  }

  #edit(part) {
    let { state } = this.history;
    for (const index of this.chosen) state = edited(state, index, { ...state.events[index], ...part });
    this.history.commit(state);
  }

  #blended(state) {
    return this.chosen.length === 2 && this.chosen.every((index) => state.events[index]);
  }

  #total(state) {
    const strength = this.chosen.map((index) => state.events[index]?.intensity ?? 1);
    return this.#blended(state) ? Math.min(1, strength[0] + strength[1]) : strength.at(-1) ?? 1;
  }

  #share(state) {
    if (!this.#blended(state)) return 0;
    const [one, two] = this.chosen.map((index) => state.events[index].intensity);
    return one + two ? two / (one + two) : (this.share ?? 0.5);
  }

  // Two selected expressions share a strength; one has all of it.
  #strength(state, total, share) {
    this.share = share;
    const parts = this.#blended(state) ? [total * (1 - share), total * share] : [total];
    const ends = this.#blended(state) ? this.chosen : this.chosen.slice(-1);
    return ends.reduce((next, index, n) => edited(next, index, { ...next.events[index], intensity: Math.round(parts[n] * 1e4) / 1e4 }), state);
  }

  select(index, more) {
    if (more && this.chosen.length && !this.chosen.includes(index)) this.chosen = [this.chosen.at(-1), index];
    else if (!this.chosen.includes(index) || !more) this.chosen = this.chosen.includes(index) && this.chosen.length === 2 && !more ? this.chosen : [index];
    this.draw();
    this.on.selected();
  }

  delete() {
    if (!this.chosen.length) return;
    const { state } = this.history, gone = this.chosen;
    this.chosen = [];
    this.history.commit(removed(state, gone));
  }

  add(expression, blend) {
    const { state } = this.history, other = state.events[this.chosen.at(-1)];
    if (blend && other) {
      const half = Math.round((other.intensity ?? 1) * 5e3) / 1e4;
      const first = this.chosen.at(-1);
      const next = edited(state, first, { ...other, intensity: half });
      this.chosen = [first, state.events.length];
      return this.history.commit({ ...next, events: [...next.events, { ...structuredClone(other), expression, intensity: half }] });
    }
    this.chosen = [state.events.length];
    this.history.commit(added(state, expression, this.on.now()));
  }

  tiles(names) {
    $("tiles").replaceChildren(...names.map((name) => {
      const tile = Object.assign(document.createElement("button"), { type: "button", className: "tile", title: `Add ${name} at the playhead` });
      tile.dataset.expression = name;
      tile.append(Object.assign(document.createElement("div"), { className: "blank" }), name);
      tile.onclick = (event) => this.add(name, event.shiftKey);
      return tile;
    }));
    $("expression").replaceChildren(...names.map((name) => new Option(name, name)));
  }

  thumbnail(number, url) {
    const tile = $("tiles").children[number];
    tile?.firstChild.replaceWith(Object.assign(new Image(), { src: url, alt: "" }));
  }

  draw() {
    const { state } = this.history;
    this.chosen = this.chosen.filter((index) => index < state.events.length);
    const event = state.events[this.chosen.at(-1)], blended = this.#blended(state);
    $("event").hidden = !event;
    $("selected").textContent = !event ? "Nothing selected" : blended ? this.chosen.map((n) => state.events[n].expression).join(" + ") : event.expression;
    const put = (id, value) => document.activeElement !== $(id) && ($(id).value = value);
    put("frames", state.frames);
    put("fps", state.fps);
    put("seed", state.seed);
    $("alive").checked = state.alive;
    $("range-said")?.remove();
    for (const tile of $("tiles").children)
      tile.classList.toggle("on", this.chosen.some((index) => state.events[index].expression === tile.dataset.expression));
    if (!event) return;
    $("intensity").value = this.#total(state);
    $("intensity-said").textContent = percent(this.#total(state));
    $("blend-row").hidden = !blended;
    $("blend").value = this.#share(state);
    $("blend-said").textContent = percent(this.#share(state));
    $("expression").value = event.expression;
    $("ease").value = event.ease ?? "linear";
    $("marks").hidden = Boolean(event.keys);
    if (!event.keys) for (const [n, id] of ["onset", "apex0", "apex1", "offset"].entries()) put(id, marks(event)[n]);
  }
}
