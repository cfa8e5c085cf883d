// What is shown when: frames that have come, the playhead, and playing without waiting.
const MOST_BYTES = 400e6; // of frames that are kept

export class Player {
  // on: {show(frame, number), ask(frames), now(number), state(playing), pace(ms between two ticks)}
  constructor(on) {
    this.on = on;
    this.at = 0;
    this.frames = 2;
    this.fps = 25;
    this.range = [0, 1];
    this.loop = true;
    this.kept = new Map();
    this.revision = 0;
    this.stats = { shown: 0, dropped: 0, missing: 0 }; // of those dropped, missing had not come in time
  }

  // A new motion: what was kept is of the old one, which stays on screen until a frame of the new one comes.
  begin(revision, frames, fps, range) {
    this.revision = revision;
    this.kept.clear();
    this.asked = false;
    [this.frames, this.fps, this.range] = [frames, fps, range];
    this.at = Math.min(this.at, frames - 1);
    if (this.playing) this.#anchor();
    this.on.now(this.at);
  }

  take(frame) {
    if (frame.revision !== this.revision) return;
    this.bytes = 8 * frame.count;
    this.kept.set(frame.number, frame);
    if (this.kept.size * this.bytes > MOST_BYTES) this.kept.delete(this.kept.keys().next().value);
    if (frame.number === Math.round(this.at) && (!this.playing || this.missed)) this.#show();
    if (!this.asked) this.#want();
  }

  // The frames that are not here, those from the playhead on first.
  #want() {
    this.asked = true;
    const [low, high] = this.range;
    const from = Math.round(this.at);
    const wanted = [];
    const most = Math.floor(MOST_BYTES / (this.bytes ?? 1e5)) - 2;
    for (let n = 0; n < this.frames && wanted.length < most; n++) {
      const within = from >= low && from <= high ? low + ((from - low + n) % (high - low + 1)) : (from + n) % this.frames;
      const number = n <= high - low ? within : (from + n) % this.frames;
      if (!this.kept.has(number)) wanted.push(number);
    }
    this.on.ask([...new Set(wanted)]);
  }

  again() {
    this.kept.clear();
    this.#want();
  }

  seek(at) {
    this.at = Math.max(0, Math.min(this.frames - 1, Math.round(at)));
    if (this.playing) this.#anchor();
    this.#show();
    if (!this.kept.has(this.at)) this.#want();
    this.on.now(this.at);
  }

  #show() {
    const frame = this.kept.get(Math.round(this.at));
    this.missed = !frame;
    if (frame) this.on.show(frame, frame.number);
    return Boolean(frame);
  }

  toggle() {
    this.playing ? this.stop() : this.play();
  }

  play() {
    if (this.at >= this.range[1] || this.at < this.range[0]) this.at = this.range[0];
    this.playing = true;
    this.#anchor();
    this.stats = { shown: 0, dropped: 0, missing: 0 }; // of those dropped, missing had not come in time
    this.on.state(true);
    this.last = this.before = undefined;
    requestAnimationFrame(() => this.#tick());
  }

  stop() {
    this.playing = false;
    this.at = Math.round(this.at);
    this.on.state(false);
    this.seek(this.at);
  }

  #anchor() {
    this.begun = performance.now();
    this.from = Math.round(this.at);
  }

  #tick() {
    if (!this.playing) return;
    const time = performance.now();
    if (this.before) this.on.pace(time - this.before);
    this.before = time;
    const [low, high] = this.range;
    let number = this.from + Math.floor(((performance.now() - this.begun) * this.fps) / 1000);
    if (number > high) {
      if (!this.loop) {
        this.at = high;
        return this.stop();
      }
      number = low + ((number - low) % (high - low + 1));
    }
    if (number !== this.last) {
      const steps = this.last === undefined || this.from !== this.lastFrom ? 1 : (number - this.last + this.frames) % this.frames;
      if (this.last !== undefined && number > this.last) this.stats.dropped += Math.max(steps - 1, 0);
      this.at = number;
      if (this.#show()) this.stats.shown += 1;
      else (this.stats.dropped += 1), (this.stats.missing += 1);
      this.last = number;
      this.lastFrom = this.from;
      if (this.missed || (this.kept.size < this.frames && !this.kept.has((number + 15) % this.frames))) this.#want();
      this.on.now(number);
    }
    requestAnimationFrame(() => this.#tick());
  }
}
