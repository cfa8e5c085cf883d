// The timeline as wide as the page: a lane an expression, its label as a curve, events with handles to drag.
import { marked, marks, moved, span, stretched, valued } from "/page/events.js";

const NAMES = ["onset", "apex begins", "apex ends", "offset"];
const SVG = "http://www.w3.org/2000/svg";
const percent = (value) => `${100 * value}%`;
const made = (tag, classes, more = {}) => Object.assign(document.createElement(tag), { className: classes, ...more });

export class Lanes {
  // history: of the page; select(index, more): when one is taken; chosen(): indices; took(files, expression, index)
  constructor(root, ruler, history, on) {
    Object.assign(this, { root, ruler, history, on, curves: null, known: [] });
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) root.addEventListener(end, () => this.#up());
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", ({ target }) => {
      const at = target.closest("[data-event]");
      if (at && !this.drag && !this.drawing) this.on.select(Number(at.dataset.event), false);
    });
    for (const kind of ["dragover", "dragleave"])
      root.addEventListener(kind, (event) => event.target.closest(".track")?.classList.toggle("over", kind === "dragover"));
    let seeking = false;
    ruler.addEventListener("pointerdown", (event) => {
      seeking = true;
      ruler.setPointerCapture(event.pointerId);
      this.on.seek(this.frameAt(event, ruler));
    });
    ruler.addEventListener("pointermove", (event) => seeking && this.on.seek(this.frameAt(event, ruler)));
    for (const end of ["pointerup", "pointercancel"]) ruler.addEventListener(end, () => (seeking = false));
  }

  frameAt(event, track) {
    const box = track.getBoundingClientRect();
    return Math.round(((event.clientX - box.left) / box.width) * (this.history.state.frames - 1));
  }

  draw() {
    const { state } = this.history, last = state.frames - 1;
    const focus = document.activeElement?.dataset?.name;
    const names = this.known.filter((name) => state.events.some((event) => event.expression === name));
    const unknown = state.events.map((event) => event.expression).filter((name) => !names.includes(name));
    const shown = [...names, ...new Set(unknown)];
    if (!shown.length && this.known.length) shown.push(this.known[0]);
    const lanes = shown.map((name) => this.#lane(name, state, last));
    this.root.replaceChildren(...lanes);
    this.#ruler(state, last);
    this.drawing = true; // what had the focus has it again, which selects nothing
    if (focus) this.root.querySelector(`[data-name="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    this.drawing = false;
    this.head(this.at ?? 0);
  }

  #lane(name, state, last) {
    const lane = made("div", "lane", { role: "group", ariaLabel: `Lane of ${name}` });
    const track = made("div", "track");
    track.dataset.expression = name;
    lane.append(made("span", "", { textContent: name }), track);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${Math.max(last, 1)} 1`);
    svg.setAttribute("preserveAspectRatio", "none");
    const line = document.createElementNS(SVG, "polygon");
    line.setAttribute("class", "label");
    svg.append(line);
    track.append(svg);
    line.dataset.column = this.known.indexOf(name);
    this.#curve(line, last);
    state.events.forEach((event, index) => {
      if (event.expression === name) this.#event(track, event, index, last);
    });
    track.append(made("div", "head"));
    return lane;
  }

  #curve(line, last) {
    const column = Number(line.dataset.column), { curves } = this;
    if (!curves || column < 0) return;
    const points = [`0,1`];
    for (let t = 0; t < curves.frames; t++) points.push(`${t},${1 - 0.94 * curves.values[t * curves.count + column]}`);
    line.setAttribute("points", [...points, `${last},1`].join(" "));
  }

  setCurves(curves) {
    this.curves = curves;
    for (const line of this.root.querySelectorAll(".label")) this.#curve(line, this.history.state.frames - 1);
  }

  #event(track, event, index, last) {
    const [low, high] = span(event), on = this.on.chosen().includes(index);
    const bar = made("button", `event${on ? " on" : ""}`, { type: "button" });
    bar.ariaLabel = `${event.expression}, frames ${low} to ${high}; arrows move it, Shift and arrows stretch it`;
    bar.ariaPressed = String(on);
    Object.assign(bar.dataset, { event: index, part: "body", name: `${index} body` });
    bar.style.left = percent(low / last);
    bar.style.width = percent((high - low) / last);
    track.append(bar);
    if (event.keys && event.keys.length > 60 && !on) return;
    marks(event).forEach((frame, mark) => {
      const handle = made("button", `handle${event.keys ? " key" : mark % 3 ? " apex" : ""}`, { type: "button", role: "slider" });
      handle.setAttribute("aria-label", `${event.expression}: ${event.keys ? `key ${mark + 1}` : NAMES[mark]}`);
      handle.setAttribute("aria-valuemin", 0);
      handle.setAttribute("aria-valuemax", last);
      handle.setAttribute("aria-valuenow", frame);
      handle.setAttribute("aria-valuetext", `frame ${frame}${event.keys ? `, ${event.keys[mark][1]}` : ""}`);
      handle.title = `${event.keys ? "key" : NAMES[mark]}: frame ${frame}`;
      Object.assign(handle.dataset, { event: index, part: mark, name: `${index} ${mark}` });
      handle.style.left = percent(frame / last);
      if (event.keys) handle.style.top = percent(1 - 0.94 * event.keys[mark][1] * (event.intensity ?? 1));
      track.append(handle);
    });
  }

  #ruler(state, last) {
    const steps = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000];
    const step = steps.find((each) => (last / each) * 46 < this.ruler.clientWidth) ?? 10000;
    const ticks = [];
    for (let frame = 0; frame <= last; frame += step) {
      const tick = made("span", "", { textContent: frame });
      tick.style.left = percent(frame / last);
      ticks.push(tick);
    }
    this.ruler.querySelector("#ticks").replaceChildren(...ticks);
    const range = this.ruler.querySelector("#range"), low = state.in ?? 0, high = state.out ?? last;
    range.style.left = percent(low / last);
    range.style.width = percent((high - low) / last);
    this.ruler.setAttribute("aria-valuemax", last);
  }

  head(at) {
    this.at = at;
    const right = (this.ruler.clientWidth * at) / Math.max(this.history.state.frames - 1, 1); // tracks are as wide
    for (const head of [this.ruler.querySelector(".head"), ...this.root.querySelectorAll(".head")])
      head.style.transform = `translateX(${right}px)`;
    this.ruler.setAttribute("aria-valuenow", at);
    this.ruler.setAttribute("aria-valuetext", `frame ${at}`);
  }

  #down(event) {
    const at = event.target.closest("[data-event]"), track = event.target.closest(".track");
    if (!at) return track && this.on.seek(this.frameAt(event, track));
    event.preventDefault();
    const index = Number(at.dataset.event);
    this.drag = { index, part: at.dataset.part, track, from: this.frameAt(event, track), before: this.history.state };
    this.drag.end = null;
    if (at.dataset.part === "body" && event.altKey) {
      const [low, high] = span(this.history.state.events[index]);
      this.drag.end = this.drag.from - low > high - this.drag.from;
    }
    this.box = track.getBoundingClientRect(); // before it is drawn anew, as what is selected
    const name = at.dataset.name;
    this.root.setPointerCapture(event.pointerId);
    this.on.select(index, event.shiftKey);
    this.root.querySelector(`[data-name="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  }

  #move(event) {
    if (!this.drag) return;
    const { index, part, from, before, end } = this.drag;
    const frame = Math.round(((event.clientX - this.box.left) / this.box.width) * (before.frames - 1));
    let next;
    if (part === "body") next = end === null ? moved(before, index, frame - from) : stretched(before, index, end, frame);
    else {
      next = marked(before, index, Number(part), frame);
      if (before.events[index].keys) {
        const height = (1 - (event.clientY - this.box.top) / this.box.height) / 0.94 / (before.events[index].intensity || 1);
        next = valued(next, index, Number(part), height);
      }
    }
    if (JSON.stringify(next) !== JSON.stringify(this.history.state)) this.history.preview(next);
  }

  #up() {
    if (!this.drag) return;
    this.drag = null;
    this.history.commit();
  }

  #key(event) {
    const at = event.target.closest("[data-event]");
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key], lift = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!at || (!way && !lift) || event.ctrlKey || event.metaKey) return;
    const { state } = this.history, index = Number(at.dataset.event), { part } = at.dataset;
    const chosen = state.events[index];
    let next = state;
    if (part === "body" && way) next = event.shiftKey ? stretched(state, index, true, span(chosen)[1] + way) : moved(state, index, way);
    else if (part !== "body" && way) next = marked(state, index, Number(part), marks(chosen)[Number(part)] + way * (event.shiftKey ? 10 : 1));
    else if (part !== "body" && lift && chosen.keys) next = valued(state, index, Number(part), chosen.keys[Number(part)][1] + 0.05 * lift);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.history.commit(next);
  }
}
