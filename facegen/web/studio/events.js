// What may be done to a timeline: plain functions from one state to the next.
const SHARES = [0.06, 0.34, 0.64, 0.94]; // as facegen/motion/label.py spreads phases
const LENGTH_SECONDS = 2.4;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

export const marks = (event) => event.keys ? event.keys.map(([frame]) => frame) : [event.onset, ...event.apex, event.offset];
export const span = (event) => [Math.min(...marks(event)), Math.max(...marks(event))];

const placed = (event, frames) =>
  event.keys
    ? { ...event, keys: event.keys.map(([, value], n) => [frames[n], value]) }
    : { ...event, onset: frames[0], apex: [frames[1], frames[2]], offset: frames[3] };

export function edited(state, index, event) {
  return { ...state, events: state.events.map((each, n) => (n === index ? event : each)) };
}

// One expression from `at` on, as long as there is room.
export function added(state, expression, at, more = {}) {
  const length = clamp(Math.round(LENGTH_SECONDS * state.fps), 3, state.frames - 1);
  const start = clamp(at, 0, state.frames - 1 - length);
  const [onset, first, last, offset] = SHARES.map((share) => start + Math.round(((share - SHARES[0]) / (SHARES[3] - SHARES[0])) * length));
  const event = { expression, onset, apex: [first, last], offset, intensity: 1, ease: "smooth", ...more };
  return { ...state, events: [...state.events, event] };
}

export function removed(state, chosen) {
  return { ...state, events: state.events.filter((_, n) => !chosen.includes(n)) };
}

// One mark to a frame, between its neighbours.
export function marked(state, index, mark, frame) {
  const event = state.events[index], all = marks(event), gap = event.keys ? 1 : 0;
  const low = mark ? all[mark - 1] + gap : 0;
  const high = mark < all.length - 1 ? all[mark + 1] - gap : state.frames - 1;
  return edited(state, index, placed(event, all.map((each, n) => (n === mark ? clamp(frame, low, high) : each))));
}

// A key's value.
export function valued(state, index, key, value) {
  const event = state.events[index];
  const keys = event.keys.map(([frame, had], n) => [frame, n === key ? Math.round(clamp(value, 0, 1) * 1e3) / 1e3 : had]);
  return edited(state, index, { ...event, keys });
}

// The whole event by some frames, as far as there is room.
export function moved(state, index, by) {
  const event = state.events[index], [low, high] = span(event);
  const step = clamp(by, -low, state.frames - 1 - high);
  return edited(state, index, placed(event, marks(event).map((frame) => frame + step)));
}

// The whole event stretched so that its first or last mark comes to a frame.
export function stretched(state, index, end, frame) {
  const event = state.events[index], [low, high] = span(event), all = marks(event), least = all.length - 1;
  const to = end ? clamp(frame, low + least, state.frames - 1) : clamp(frame, 0, high - least);
  const [from, until] = end ? [low, to] : [to, high];
  const scaled = all.map((each) => Math.round(from + ((each - low) / Math.max(high - low, 1)) * (until - from)));
  if (event.keys) for (let n = 1; n < scaled.length; n++) scaled[n] = Math.max(scaled[n], scaled[n - 1] + 1);
  if (Math.max(...scaled) > state.frames - 1) return state;
  return edited(state, index, placed(event, scaled));
}

// Another length; what lies beyond its end is squeezed in.
export function lasting(state, frames) {
  const end = frames - 1;
  const events = state.events.map((event) => {
    const [low, high] = span(event);
    if (high <= end) return event;
    let all = marks(event).map((frame) => Math.round(frame * (end / high)));
    if (event.keys) {
      const seen = new Set();
      const keys = event.keys.map(([, value], n) => [all[n], value]).filter(([frame]) => !seen.has(frame) && seen.add(frame));
      return { ...event, keys };
    }
    return low > high ? event : placed(event, all);
  });
  return { ...state, frames, events, in: state.in === null ? null : Math.min(state.in, end), out: state.out === null ? null : Math.min(state.out, end) };
}
