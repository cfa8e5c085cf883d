// The page: what each part of it tells the others.
import { acting } from "/page/acts.js";
import { Drops } from "/page/drops.js";
import { lasting } from "/page/events.js";
import { Faces } from "/page/faces.js";
import { History } from "/page/history.js";
import { APEX, ask, CURVES, Link } from "/page/link.js";
import { Lanes } from "/page/lanes.js";
import { Live } from "/page/live.js";
import { Panel } from "/page/panel.js";
import { Player } from "/page/player.js";
import { View } from "/page/view.js";
import { Out, toast, watched } from "/page/work.js";

const $ = (id) => document.getElementById(id);
const KEPT = "facegen-studio", THUMBNAIL = 160;
const FIRST = { frames: 100, fps: 25, events: [], alive: false, seed: 0, face: null, name: "timeline", in: null, out: null };

const held = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
const history = new History(held?.state ?? FIRST);
history.past = held?.past ?? [];
const renamed = new Map(); // a face's name before the server was started again, and now
let server = null, revision = 0, sent = "", shownFace = null, apexes = [], link = null, out = null;
const nowFace = (name) => (renamed.has(name) ? nowFace(renamed.get(name)) : name);

const view = new View($("canvas"), ({ revision, number }) => (player.seen = { revision, number }));
const player = new Player({
  show: (frame) => view.show(frame),
  ask: (frames) => link?.send({ type: "frames", frames, strain: view.strain }),
  now: (at) => {
    lanes.head(at);
    live.shown();
    const { frames, fps } = history.state;
    $("now").textContent = `${at} / ${frames - 1}  ·  ${(at / fps).toFixed(2)} s`;
  },
  tick: (ms) => {
    view.pace.ticked(ms);
    view.due(); // together with the page, which the browser then puts together once
  },
  state: (playing) => {
    $("play").textContent = playing ? "Stop" : "Play";
    view.pace.playing = playing;
    if (!playing) view.rest();
    live.shown(true);
  },
});
const panel = new Panel(history, { now: () => player.at, selected: () => lanes.draw() });
const lanes = new Lanes($("lanes"), $("ruler"), history, {
  seek: (at) => player.seek(at),
  select: (index, more) => panel.select(index, more),
  chosen: () => panel.chosen,
});

const faces = new Faces(view);
const drops = new Drops(history, panel, () => server?.expressions);
const live = new Live((message) => link?.send(message), () => player);

function range({ frames, in: low, out: high }) {
  const from = Math.min(low ?? 0, frames - 1);
  return [from, Math.max(from, Math.min(high ?? frames - 1, frames - 1))];
}

function changed(state, settled) {
  panel.draw();
  lanes.draw();
  $("undo").disabled = !history.past.length;
  $("redo").disabled = !history.future.length;
  if (settled) keep();
  if (server && nowFace(state.face) !== shownFace) loadFace(nowFace(state.face));
  else send(state, settled);
}
history.listeners.push(changed);

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ state: history.state, past: history.past.slice(-200), first: server?.face ?? held?.first }));
  } catch {} // a timeline that is too large for it is lost by a reload, and nothing else
}

// Have the server make what is on the page, where that is not what it made last.
function send(state, settled) {
  player.range = range(state);
  if (!server || !shownFace) return;
  const { frames, fps, events, alive, seed } = state;
  const asked = JSON.stringify([{ frames, fps, events, alive, seed }, shownFace, link.number, settled && alive]);
  if (asked === sent) return settled && player.settle();
  sent = asked;
  revision += 1;
  player.begin(revision, frames, fps, range(state), settled);
  const at = Math.round(player.at);
  link.send({ type: "clip", revision, face: shownFace, state: { frames, fps, events, alive, seed }, at, settled, strain: view.strain });
}

function resend() {
  sent = "";
  send(history.state, true);
}

async function loadFace(name) {
  if (loadFace.doing === name) return;
  loadFace.doing = name;
  try {
    await faces.load(name);
    shownFace = name;
    apexes = [];
    resend();
    link.send({ type: "apexes", face: name });
  } catch (error) {
    toast(error.message, true);
  } finally {
    loadFace.doing = null;
  }
}

function numbers(message) {
  if (message.kind === CURVES) {
    if (message.revision === revision) lanes.setCurves(message);
  } else if (message.kind === APEX) {
    apexes[message.number] = message;
    if (message.number === server.expressions.length - 1) thumbnails();
  } else {
    player.take(message);
  }
}

function thumbnails() {
  const known = apexes.filter((apex) => apex.count === view.surface?.count);
  if (!known.length || !$("canvas").clientWidth) return;
  view.pictures(known, THUMBNAIL).forEach((url, n) => panel.thumbnail(known[n].number, url));
}

function said(message) {
  if (message.type === "refused" && message.revision === revision) toast(message.why, true);
  if (message.type === "again") resend();
  if (message.type === "live") live.refused(message.why);
}

// The server is there, for the first time or again.
async function up() {
  const before = server;
  try {
    server = await ask("/state");
  } catch (error) {
    return toast(error.message, true);
  }
  $("banner").hidden = true;
  link.number = (link.number ?? 0) + 1;
  if (!before) {
    lanes.known = server.expressions;
    panel.tiles(server.expressions);
    $("seed-row").hidden = false;
    out = new Out(server.formats, () => ({ face: shownFace, state: history.state }), (name) => (history.state.name = name || "timeline"));
    if (!held) history.state = { ...FIRST, fps: server.fps, frames: Math.max(24, Math.round(4 * server.fps)) };
    history.state = lasting(history.state, history.state.frames);
  }
  let wanted = nowFace(history.state.face) ?? server.face;
  const first = before?.face ?? held?.first; // of a server before this one, under the name that it had there
  if (wanted && wanted === first && first !== server.face) {
    renamed.set(first, server.face);
    wanted = server.face;
  }
  if (before && before.mark !== server.mark) shownFace = null;
  if (wanted && wanted !== server.face && !(await ask(`/faces/${wanted}`).catch(() => null))) {
    const files = drops.files.get(wanted);
    const found = files ? await drops.fitted(files) : server.face;
    if (!files && found) toast("the face that was dropped is gone with the server; drop it again to go on with it", true);
    renamed.set(wanted, found ?? server.face);
    wanted = found ?? server.face;
  }
  if (!wanted && server.fitting) wanted = (await watched(server.fitting, "Fitting the template").catch((error) => toast(error.message, true)))?.result;
  if (history.state.face !== null && nowFace(history.state.face) !== wanted) renamed.set(nowFace(history.state.face), wanted);
  if (!wanted) {
    $("face-name").textContent = "no face; drop one anywhere";
    return changed(history.state, true);
  }
  if (history.state.face === null) history.state = { ...history.state, face: wanted };
  shownFace = null;
  changed(history.state, true);
  live.turn();
}

function down() {
  if (!server) return;
  $("banner").hidden = false;
  $("banner").textContent = "The studio's server has stopped. Start it again in its terminal: this page goes on where it is, your timeline is safe here.";
}

acting({ history, player, panel, view, range: () => range(history.state), resend, out: () => out });
new ResizeObserver(() => lanes.draw()).observe($("ruler"));
faces.look(history.state.face);
link = new Link({ numbers, said, up, down });
globalThis.studio = { history, player, view, panel, get revision() { return revision; }, get face() { return shownFace; } };
