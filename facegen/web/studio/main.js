// The page: what each part of it tells the others.
import { listen, KEYS } from "/page/keys.js";
import { lasting } from "/page/events.js";
import { History } from "/page/history.js";
import { APEX, ask, CURVES, Link } from "/page/link.js";
import { Lanes } from "/page/lanes.js";
import { Live } from "/page/live.js";
import { Panel } from "/page/panel.js";
import { Player } from "/page/player.js";
import { View } from "/page/view.js";
import { form, Out, toast, watched } from "/page/work.js";

const $ = (id) => document.getElementById(id);
const KEPT = "facegen-studio", THUMBNAIL = 160;
const MESH = /\.(obj|ply|glb|gltf|vrm|jpe?g|png|webp)$/i, TIMELINE = /\.ya?ml$/i, TAKE = /\.csv$/i;
const FIRST = { frames: 100, fps: 25, events: [], alive: false, seed: 0, face: null, name: "timeline", in: null, out: null };

const held = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
const history = new History(held?.state ?? FIRST);
history.past = held?.past ?? [];
const dropped = new Map(); // by a face's name, its files, should the server forget it
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
  pace: (ms) => view.pace.ticked(ms),
  state: (playing) => {
    $("play").textContent = playing ? "Stop" : "Play";
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
    sessionStorage.setItem(KEPT, JSON.stringify({ state: history.state, past: history.past.slice(-200) }));
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
    const face = await ask(`/faces/${name}`);
    const [file, corners] = await Promise.all(["mesh.glb", "corners.bin"].map(async (part) => (await fetch(`/faces/${name}/${part}`)).arrayBuffer()));
    await view.load(file, new Uint32Array(corners), face);
    shownFace = name;
    $("face-name").textContent = face.name;
    const count = (number) => number.toLocaleString("en");
    $("shown").textContent = face.shown === face.vertices ? `${count(face.vertices)} vertices`
      : `shown with ${count(face.shown)} of ${count(face.vertices)} vertices, exported whole`;
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
  if (before && before.mark !== server.mark) shownFace = null;
  if (wanted && wanted !== server.face && !(await ask(`/faces/${wanted}`).catch(() => null))) {
    const files = dropped.get(wanted);
    const found = files ? await fitted(files) : server.face;
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

async function fitted(files) {
  const { job } = await ask("/faces", form(files));
  const told = await watched(job, "Fitting the template");
  if (!told) return null;
  dropped.set(told.result, files);
  return told.result;
}

async function take(files, lane) {
  if (!files.length || !server) return;
  try {
    const meshes = files.filter((file) => MESH.test(file.name));
    if (meshes.length || !files.every((file) => TIMELINE.test(file.name) || TAKE.test(file.name))) {
      const face = await fitted(files);
      if (face) history.commit({ ...history.state, face });
    } else if (TIMELINE.test(files[0].name)) {
      const timeline = await ask("/timelines", form(files.slice(0, 1)));
      panel.chosen = [];
      history.commit({ ...history.state, ...timeline, in: null, out: null, name: files[0].name.replace(TIMELINE, "") });
    } else {
      const { keys } = await ask(`/takes?fps=${history.state.fps}`, form(files.slice(0, 1)));
      const expression = lane ?? history.state.events[panel.chosen.at(-1)]?.expression ?? server.expressions[0];
      const event = { expression, keys, intensity: 1, ease: "linear" };
      const others = history.state.events.filter((each) => each.expression !== expression);
      panel.chosen = [others.length];
      history.commit({ ...history.state, frames: Math.max(history.state.frames, keys.at(-1)[0] + 1), events: [...others, event] });
    }
  } catch (error) {
    toast(error.message, true);
  }
}

function press(id, on) {
  $(id).setAttribute("aria-pressed", String(on));
  return on;
}

const act = {
  play: () => player.toggle(),
  back: (far) => player.seek(player.at - (far ? 10 : 1)),
  on: (far) => player.seek(player.at + (far ? 10 : 1)),
  first: () => player.seek(range(history.state)[0]),
  last: () => player.seek(range(history.state)[1]),
  in: () => history.commit({ ...history.state, in: Math.round(player.at), out: history.state.out !== null && history.state.out < player.at ? null : history.state.out }),
  out: () => history.commit({ ...history.state, out: Math.round(player.at), in: history.state.in !== null && history.state.in > player.at ? null : history.state.in }),
  loop: () => (player.loop = press("loop", !player.loop)),
  delete: () => panel.delete(),
  undo: () => history.undo(),
  redo: () => history.redo(),
  front: () => view.look("front"),
  "three-quarter": () => view.look("three-quarter"),
  side: () => view.look("side"),
  wire: () => (view.wire = press("wire", !view.wire), view.dress()),
  compare: () => (view.compare = press("compare", !view.compare), view.look(view.side)),
  strain: () => (view.setStrain(press("strain", !view.strain)), resend()),
  open: () => $("file").click(),
  export: () => out?.open(),
  help: () => $("keys").showModal(),
};

for (const id of ["undo", "redo", "help", "export", "open", "play", "first", "last", "loop", "wire", "compare", "strain"]) $(id).onclick = () => act[id]();
$("set-in").onclick = act.in;
$("set-out").onclick = act.out;
for (const button of document.querySelectorAll("[data-view]")) button.onclick = () => view.look(button.dataset.view);
$("file").onchange = () => (take([...$("file").files]), ($("file").value = ""));
$("keys-list").replaceChildren(...KEYS.flatMap(([key, does]) => [["dt", key], ["dd", does]].map(([tag, textContent]) => Object.assign(document.createElement(tag), { textContent }))));
listen(act);
let over = 0;
addEventListener("dragenter", () => ($("drop").hidden = ++over < 1));
addEventListener("dragleave", () => ($("drop").hidden = --over < 1));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  over = 0;
  $("drop").hidden = true;
  take([...event.dataTransfer.files], event.target.closest?.("[data-expression]")?.dataset.expression);
});
new ResizeObserver(() => lanes.draw()).observe($("ruler"));
link = new Link({ numbers, said, up, down });
globalThis.studio = { history, player, view, panel, get revision() { return revision; }, get face() { return shownFace; } };
