// How finely the face is drawn: with all it has at rest, and with less while it moves where that takes too long.
const SLOW_MS = 30; // of one drawing, or between two of them
const AIM_MS = 10; // of one drawing while it moves: the page, its server and the browser need the rest of a frame
const CORNER_LIT = 0.5; // of the time of a drawing, lit at corners in the place of pixels
const SMALLEST_RATIO = 0.5, SOFT_RATIO = 0.75; // pixels for each of the page's; the second where a processor draws them
const KEPT = 0.45; // of triangles, where they are halved
const MORE = 2; // levels at most, beyond what was expected
const REST_MS = 250; // after the last movement

// Whether a processor draws in the place of a graphics card, for which smooth edges and all pixels are too much.
export const SOFT = (() => {
  const probe = document.createElement("canvas").getContext("webgl2");
  const about = probe?.getExtension("WEBGL_debug_renderer_info");
  const name = about ? probe.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
})();

export class Pace {
  // changed(): `ratio` or `level`, how often triangles are halved, is another; rested(): the face is to be drawn with all.
  constructor(on) {
    this.on = on;
    this.ratio = this.sharp = SOFT ? SOFT_RATIO : Math.min(devicePixelRatio, 2);
    this.level = 0;
    this.more = 0; // levels that it took beyond what was expected
    this.cost = 0; // ms of a drawing with all it has, where a processor draws
    this.playing = false; // rests meanwhile at no frame, however long that is there
  }

  // Another face, of which nothing is known.
  fresh() {
    this.cost = this.more = 0;
    this.rest();
  }

  // A processor took so long to draw all there is.
  took(ms) {
    this.cost = ms;
  }

  // The level that is drawn while it moves; triangles, not pixels, are what a processor takes long to draw.
  get coarse() {
    if (this.cost <= SLOW_MS) return 0;
    return Math.ceil(Math.log((this.cost * CORNER_LIT) / AIM_MS) / Math.log(1 / KEPT)) + this.more;
  }

  // The face is about to be drawn as it moves.
  moves() {
    if (!this.coarse) return;
    const ratio = Math.max(SMALLEST_RATIO, this.sharp * Math.sqrt(SLOW_MS / this.cost));
    this.#become(Math.min(this.ratio, ratio), Math.max(this.level, this.coarse));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.playing || this.on.rested(), REST_MS);
  }

  // So long after the tick before, while it plays.
  ticked(ms) {
    this.mean = 0.8 * (this.mean ?? ms) + 0.2 * ms;
    if (this.mean <= SLOW_MS) return;
    this.mean = SLOW_MS / 2;
    if (this.coarse && this.more < MORE) this.more += 1;
    else this.#become(Math.max(this.ratio * 0.8, SMALLEST_RATIO), this.level);
  }

  rest() {
    clearTimeout(this.timer);
    this.#become(this.sharp, 0);
  }

  #become(ratio, level) {
    if (level === this.level && Math.abs(ratio - this.ratio) < 0.01) return;
    [this.ratio, this.level] = [ratio, level];
    this.on.changed();
  }
}
