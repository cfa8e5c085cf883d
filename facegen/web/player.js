// The page of a face that moves: `facegen.exporters.html` puts it, three.js and the animation into one file.
import * as THREE from "./three.min.js";

const part = (id) => document.getElementById(id);
const about = JSON.parse(part("about").textContent);
const last = about.frames - 1;
const FIELD = 26; // degrees that the camera sees from top to bottom: as a portrait's lens
const COLOURS = 8; // of curves, in the style sheet

const moment = { time: 0, playing: false, loop: true, before: 0, drawn: -1 };
const held = new Map(); // weights that were put by hand, by the names of shapes
let face, pending = 0;

const page = document.documentElement.dataset;
page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
part("theme").onclick = () => (page.theme = page.theme === "dark" ? "light" : "dark");

// The face, its lights and the camera -----------------------------------------------------------------------------

function bytesOf(text) {
  const plain = atob(text), bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes.buffer;
}

async function openFace(canvas) {
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.toneMapping = THREE.NeutralToneMapping;
  const buffer = bytesOf(part("asset").textContent);
  part("asset").remove();
  const gltf = await new Promise((done, fail) => new THREE.GLTFLoader().parse(buffer, "", done, fail));
  const scene = new THREE.Scene(), camera = new THREE.PerspectiveCamera(FIELD, 1, 0.01, 100);
  // Faces that their files have lying or looking elsewhere stand and look to the front.
  const upright = new THREE.Group(), [x, y, z] = about.turn;
  upright.matrixAutoUpdate = false;
  upright.matrix.set(...x, 0, ...y, 0, ...z, 0, 0, 0, 0, 1);
  upright.add(gltf.scene);
  scene.add(upright, lights());
  const controls = new THREE.OrbitControls(camera, canvas);
  const mixer = new THREE.AnimationMixer(gltf.scene);
  const clip = gltf.animations.find((each) => each.name === about.animation);
  const action = clip ? mixer.clipAction(clip).play() : null;
  return { renderer, scene, camera, controls, mixer, action, shapes: shapesOf(gltf.scene), moved: false };
}

// A key from the person's left above, a fill and a rim from behind, as seen by who looks at the face.
function lights() {
  const group = new THREE.Group();
  group.add(new THREE.HemisphereLight(0xffffff, 0x8d8680, 1.3));
  for (const [power, ...at] of [[2.4, 2, 2.5, 3], [0.6, -3, 0.5, 2], [1.2, -1.5, 2, -3]]) {
    const light = new THREE.DirectionalLight(0xffffff, power);
    light.position.set(...at);
    group.add(light);
  }
  return group;
}

// By name, the places that show a shape and the weight with which the file opens.
function shapesOf(root) {
  const found = new Map();
  root.traverse((mesh) => {
    for (const [name, index] of Object.entries(mesh.morphTargetDictionary ?? {})) {
      if (!found.has(name)) found.set(name, []);
      found.get(name).push({ mesh, index, opened: mesh.morphTargetInfluences[index] });
    }
  });
  return found;
}

function look(degrees) {
  const { camera, controls } = face, [low, high] = about.box.map((each) => new THREE.Vector3(...each));
  const middle = low.clone().lerp(high, 0.5), size = high.sub(low);
  const wide = Math.hypot(size.x, size.z), tan = Math.tan((FIELD / 2) * (Math.PI / 180));
  const away = 1.1 * Math.max(size.y, wide / camera.aspect) / 2 / tan + size.z / 2;
  const turn = degrees * (Math.PI / 180);
  Object.assign(camera, { near: away / 100, far: away * 100 });
  camera.position.set(Math.sin(turn) * away, 0, Math.cos(turn) * away).add(middle);
  camera.updateProjectionMatrix();
  controls.target.copy(middle);
  controls.update();
  face.moved = degrees !== 0;
  want();
}

function fit() {
  const { clientWidth: width, clientHeight: height } = part("face");
  if (!width || !height) return;
  face.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  face.renderer.setSize(width, height, false);
  face.camera.aspect = width / height;
  face.camera.updateProjectionMatrix();
  if (face.moved) want();
  else look(0);
}

// A moment of it --------------------------------------------------------------------------------------------------

const frameNow = () => Math.min(Math.round(moment.time * about.fps), last);

function want() {
  pending ||= requestAnimationFrame(draw);
}

function draw(now) {
  pending = 0;
  if (moment.playing) forward(Math.min(now - moment.before, 100) / 1000);
  moment.before = now;
  if (face.action) {
    face.action.time = moment.time;
    face.mixer.update(0);
  }
  for (const [name, weight] of held) put(name, weight);
  face.renderer.render(face.scene, face.camera);
  tell();
  if (moment.playing) want();
}

function forward(seconds) {
  const end = last / about.fps;
  moment.time += seconds;
  if (moment.time >= end && !moment.loop) play(false);
  if (moment.time >= end) moment.time = moment.loop ? moment.time % end : end;
}

function put(name, weight) {
  for (const { mesh, index } of face.shapes.get(name)) mesh.morphTargetInfluences[index] = weight;
}

function go(frame) {
  moment.time = Math.max(0, Math.min(frame, last)) / about.fps;
  want();
}

function play(yes) {
  if (last < 1) return;
  if (yes && !moment.loop && frameNow() === last) moment.time = 0;
  moment.playing = yes;
  moment.before = performance.now();
  part("play").textContent = yes ? "❚❚" : "▶";
  part("play").setAttribute("aria-label", yes ? "Pause" : "Play");
  want();
}

// What is written beside it ---------------------------------------------------------------------------------------

function tell() {
  const frame = frameNow();
  if (part("shapes").open) tellShapes();
  if (frame === moment.drawn) return;
  moment.drawn = frame;
  const shown = about.curves.filter(({ values }) => values[frame] >= 0.005);
  const label = shown.map(({ name, values }) => `${name} ${values[frame].toFixed(2)}`).join(", ") || "rest";
  const place = last < 1 ? "" : `frame ${frame} of ${last}, ${(frame / about.fps).toFixed(2)} s`;
  part("now").textContent = about.curves.length ? `${place} · ${label}` : place;
  part("frame").value = frame;
  part("frame").setAttribute("aria-valuetext", part("now").textContent);
}

function tellShapes() {
  for (const slider of part("sliders").querySelectorAll("input")) {
    const { mesh, index } = face.shapes.get(slider.name)[0], weight = mesh.morphTargetInfluences[index];
    if (slider !== document.activeElement) slider.value = weight;
    slider.previousElementSibling.value = weight.toFixed(2);
    slider.parentElement.className = held.has(slider.name) ? "held" : "";
  }
}

function drawCurves() {
  const curves = part("curves");
  curves.setAttribute("viewBox", `0 -0.08 ${last} 1.16`);
  about.curves.forEach(({ name, values }, number) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", values.map((value, frame) => `${frame},${1 - value}`).join(" "));
    const entry = document.createElement("li");
    entry.textContent = name;
    for (const each of [line, entry]) each.setAttribute("class", `c${number % COLOURS}`);
    curves.append(line);
    part("legend").append(entry);
  });
}

function drawSliders() {
  part("shapes").hidden = !face.shapes.size;
  part("count").textContent = `(${face.shapes.size})`;
  for (const name of face.shapes.keys()) {
    const [label, said, shown, slider] = ["label", "span", "output", "input"].map((tag) => document.createElement(tag));
    said.textContent = name;
    Object.assign(slider, { type: "range", name, min: 0, max: 1, step: 0.01, value: 0 });
    slider.oninput = () => {
      held.set(name, slider.valueAsNumber);
      part("release").disabled = false;
      want();
    };
    label.append(said, shown, slider);
    part("sliders").append(label);
  }
  part("shapes").ontoggle = want;
  part("release").onclick = () => {
    held.clear();
    part("release").disabled = true;
    for (const { mesh, index, opened } of [...face.shapes.values()].flat()) mesh.morphTargetInfluences[index] = opened;
    face.action?.stop().play(); // the mixer writes only what has changed since it wrote last: it begins anew
    want();
  };
}

// Hands -----------------------------------------------------------------------------------------------------------

function listen() {
  const scrubber = part("frame");
  let resumes = false;
  scrubber.max = last;
  scrubber.addEventListener("pointerdown", () => {
    resumes = moment.playing;
    play(false);
  });
  scrubber.addEventListener("input", () => go(scrubber.valueAsNumber));
  for (const end of ["pointerup", "pointercancel"]) scrubber.addEventListener(end, () => {
    if (resumes) play(true);
    resumes = false;
  });
  part("play").onclick = () => play(!moment.playing);
  part("loop").onclick = () => part("loop").setAttribute("aria-pressed", (moment.loop = !moment.loop));
  for (const [id, degrees] of [["front", 0], ["between", 40], ["side", 90]]) part(id).onclick = () => look(degrees);
  part("keys").onclick = () => part("help").showModal();
  face.controls.addEventListener("start", () => (face.moved = true));
  face.controls.addEventListener("change", want);
  new ResizeObserver(fit).observe(part("face"));
  addEventListener("keydown", press);
}

const steps = { ArrowLeft: () => frameNow() - 1, ArrowRight: () => frameNow() + 1, Home: () => 0, End: () => last };
const buttons = { l: "loop", 1: "front", 2: "between", 3: "side", d: "theme", "?": "keys" };

function press(event) {
  const on = event.target, scrubber = part("frame");
  if (event.ctrlKey || event.metaKey || event.altKey || part("help").open) return;
  if (event.key === " " && !on.closest("button, summary")) play(!moment.playing);
  else if (event.key in steps && (on === scrubber || on.tagName !== "INPUT") && last > 0) {
    play(false);
    go(steps[event.key]());
  } else if (event.key.toLowerCase() in buttons) part(buttons[event.key.toLowerCase()]).click();
  else return;
  event.preventDefault();
}

try {
  face = await openFace(part("face"));
  part("timeline").hidden = last < 1;
  drawCurves();
  drawSliders();
  listen();
  fit();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  page.ready = "yes";
} catch (error) {
  part("trouble").hidden = false;
  part("trouble").textContent = "This face cannot be shown here: the browser needs WebGL 2, which may be switched off in its settings.";
  console.error(error);
}
