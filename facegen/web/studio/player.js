// What is shown when: frames that have come, the playhead, and playing without waiting.
const MOST_BYTES = 400e6; // of frames that are kept
const BATCH = 12; // frames that are asked for at a time: what is asked for next waits for no more than these
const AHEAD = 15; // frames before the playhead that should be there while it plays

export class Player {
  // on: {show(frame), ask(frames), now(number), state(playing), tick(ms since the one before)}
  constructor(on) {
    this.on = on;
    this.at = 0;
    this.frames = 2;
    this.fps = 25;
    this.range = [0, 1];
    this.loop = true;
    this.kept = new Map();
    this.coming = new Set(); // numbers of frames that were asked for
    this.revision = 0;
    this.stats = { shown: 0, dropped: 0, missing: 0 }; // of those dropped, missing had not come in time
  }

  // A new motion: what was kept is of the old one, which stays on screen until a frame of the new one comes. While a hand
  // still changes it, no more than what is seen is made.
  begin(revision, frames, fps, range, settled) {
    this.revision = revision;
    this.kept.clear();
    this.settled = settled;
    [this.frames, this.fps, this.range] = [frames, fps, range];
    this.at = Math.min(this.at, frames - 1);
    this.coming = new Set([Math.round(this.at)]); // which comes with the motion
    if (this.playing) this.#anchor();
    this.on.now(this.at);
  }

  take(frame) {
    const here = frame.number === Math.round(this.at);
    if (frame.revision !== this.revision) {
      // Of a motion that a hand has moved on from: late, and better than the one before.
      if (here && !this.playing && frame.revision > (this.seen?.revision ?? 0)) this.on.show(frame);
      return;
    }
    this.bytes = 8 * frame.count;
    this.kept.set(frame.number, frame);
    this.coming.delete(frame.number);
    if (this.kept.size * this.bytes > MOST_BYTES) this.kept.delete(this.kept.keys().next().value);
    if (here && (!this.playing || this.missed)) this.#show();
    if (!this.coming.size) this.#want();
  }

  // The motion is as it is to be: all of it is fetched.
  settle() {
    this.settled = true;
    if (!this.coming.size) this.#want();
  }

  // Some of the frames that are not here, those from the playhead on first.
  #want() {
    const [low, high] = this.range, from = Math.round(this.at);
    const most = Math.floor(MOST_BYTES / (this.bytes ?? 1e5)) - 2;
    this.coming.clear();
    if (!this.settled && !this.playing && this.kept.has(from)) return;
    const reach = this.kept.size < most ? this.frames : 2 * AHEAD; // where there is room for no more, as far as is played soon
    for (let n = 0; n < Math.min(this.frames, reach) && this.coming.size < BATCH; n++) {
      const plays = from >= low && from <= high; // what plays from here on, and only then the rest
      const number = !plays ? (from + n) % this.frames
        : n <= high - low ? low + ((from - low + n) % (high - low + 1)) : (low + n) % this.frames;
      if (!this.kept.has(number)) this.coming.add(number);
      if (!this.settled && !this.playing) break;
    }
    if (this.coming.size) this.on.ask([...this.coming]);
  }

  again() {
    this.kept.clear();
    this.#want();
  }

  seek(at) {
    this.at = Math.max(0, Math.min(this.frames - 1, Math.round(at)));
    if (this.playing) this.#anchor();
    this.#show();
    if (!this.#there(this.at)) this.#want();
    this.on.now(this.at);
  }

  #there(number) {
    return this.kept.has(number) || this.coming.has(number);
  }

  #show() {
    const frame = this.kept.get(Math.round(this.at));
    this.missed = !frame;
    if (frame) this.on.show(frame);
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
      if (!this.#there(number) || (!this.coming.size && !this.kept.has((number + AHEAD) % this.frames))) this.#want();
      this.on.now(number);
    }
    this.on.tick(time - (this.before ?? time));
    this.before = time;
    requestAnimationFrame(() => this.#tick());
  }
}
