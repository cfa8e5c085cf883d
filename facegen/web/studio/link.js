// The way to the server: frames come over a WebSocket, everything else by requests that answer with JSON.
export const FRAME = 1, APEX = 2, CURVES = 3;
const HEAD_BYTES = 24, RETRY_MS = 700;

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the studio's server does not answer; is it still running in its terminal?");
  }
  const said = await answer.json().catch(() => ({ error: "the studio does not know this any more; reload the page" }));
  if (!answer.ok) throw new Error(said.error ?? "the studio refuses this");
  return said;
}

export const tell = (path, message) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });

// One message of numbers, as facegen/studio/clip.py packs it.
export function unpacked(buffer) {
  const head = new DataView(buffer, 0, HEAD_BYTES);
  const [kind, revision, number, count] = [0, 4, 8, 12].map((at) => head.getUint32(at, true));
  if (kind === CURVES) return { kind, revision, frames: number, count, values: new Float32Array(buffer, HEAD_BYTES) };
  const steps = new Int16Array(buffer, HEAD_BYTES, 3 * count);
  const strain = head.getUint32(20, true) ? new Uint8Array(buffer, HEAD_BYTES + 6 * count, count) : null;
  return { kind, revision, number, count, step: head.getFloat32(16, true), steps, strain };
}

export class Link {
  // on: {numbers, said, up, down}
  constructor(on) {
    this.on = on;
    this.open();
  }

  open() {
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/frames`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.on.up();
    this.socket.onmessage = ({ data }) =>
      typeof data === "string" ? this.on.said(JSON.parse(data)) : this.on.numbers(unpacked(data));
    this.socket.onclose = () => {
      this.on.down();
      setTimeout(() => this.open(), RETRY_MS);
    };
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
