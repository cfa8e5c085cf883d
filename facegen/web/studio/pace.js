// How finely the face is drawn: with all it has at rest, and with less while it moves where that takes too long.
const SLOW_MS = 30; // of one drawing, or between two of them
const SMALLEST_RATIO = 0.4, SOFT_RATIO = 0.75; // pixels for each of the page's; the second where a processor draws them
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
  // changed(): `ratio` or `light`, fewer triangles, is another; rested(): the face is to be drawn with all it has.
  constructor(on) {
    this.on = on;
    this.ratio = this.sharp = SOFT ? SOFT_RATIO : Math.min(devicePixelRatio, 2);
    this.light = false;
    this.cost = 0; // ms of a drawing with all it has, where a processor draws
  }

  // A processor took so long to draw all there is.
  took(ms) {
    this.cost = ms;
  }

  // The face is about to be drawn as it moves.
  moves() {
    if (this.cost <= SLOW_MS) return;
    this.#become(Math.max(SMALLEST_RATIO, this.sharp * Math.sqrt(SLOW_MS / this.cost)), true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.on.rested(), REST_MS);
  }

  // So long after the tick before, while it plays.
  ticked(ms) {
    this.mean = 0.8 * (this.mean ?? ms) + 0.2 * ms;
    if (this.mean <= SLOW_MS) return;
    this.mean = SLOW_MS / 2;
    this.#become(Math.max(this.ratio * 0.8, SMALLEST_RATIO), this.light);
  }

  rest() {
    clearTimeout(this.timer);
    this.#become(this.sharp, false);
  }

  #become(ratio, light) {
    if (light === this.light && (light ? ratio >= this.ratio : Math.abs(ratio - this.ratio) < 0.01)) return;
    [this.ratio, this.light] = [ratio, light];
    this.on.changed();
  }
}
