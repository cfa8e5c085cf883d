// Prints what arrives of a file in three.js, as JSON: see table.py.
import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, path, mesh, out, ...seconds] = process.argv;
const three = join(modules, "node_modules", "three");
const THREE = await import(pathToFileURL(join(three, "build", "three.module.js")));
const loaders = join(three, "examples", "jsm", "loaders");
const loader = async (name) => new (await import(pathToFileURL(join(loaders, `${name}.js`))))[name]();
const read = async (file) => {
  const bytes = await readFile(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
};
// What pictures look like is not asked here, and there is no browser that reads them.
console.error = console.warn = () => {};
const own = new THREE.MeshBasicMaterial(); // on a mesh whose file has none
globalThis.ProgressEvent ??= Event; // which browsers have and node has not
globalThis.self ??= globalThis;

async function opened(file) {
  const suffix = extname(file);
  if (suffix === ".glb" || suffix === ".gltf") {
    const loading = await loader("GLTFLoader");
    // three.js asks for the .bin by an address; here it goes into the description.
    const bytes = await read(file);
    const whole = suffix === ".glb" ? bytes : await inlined(bytes, file);
    const gltf = await new Promise((resolve, reject) => loading.parse(whole, "", resolve, reject));
    return { scene: gltf.scene, clips: gltf.animations };
  }
  if (suffix.startsWith(".usd")) {
    const scene = (await loader("USDLoader")).parse(await read(file));
    return { scene, clips: scene.animations };
  }
  if (suffix === ".obj") return { scene: (await loader("OBJLoader")).parse(await readFile(file, "utf8")), clips: [] };
  if (suffix === ".ply") {
    const scene = new THREE.Mesh((await loader("PLYLoader")).parse(await read(file)), own);
    return { scene, clips: [] };
  }
  if (suffix === ".mdd") {
    // As three.js' own example does: a mesh that is there already gets the cache as its morph targets.
    const { morphTargets, clip } = (await loader("MDDLoader")).parse(await read(file));
    const { scene } = await opened(mesh);
    scene.traverse((node) => {
      if (!node.isMesh) return;
      if (node.geometry.attributes.position.count !== morphTargets[0].count) throw new Error("other vertices");
      node.geometry.morphAttributes.position = morphTargets;
      node.updateMorphTargets();
    });
    return { scene, clips: [clip] };
  }
  return null;
}

async function inlined(bytes, file) {
  const document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  for (const buffer of document.buffers) {
    const numbers = await readFile(join(file, "..", decodeURIComponent(buffer.uri)));
    buffer.uri = `data:application/octet-stream;base64,${numbers.toString("base64")}`;
  }
  return JSON.stringify(document);
}

let found = null;
try {
  found = await opened(path);
} catch (error) {
  await writeFile(out, JSON.stringify({ refused: String(error.message) }));
  process.exit(0);
}
if (found === null) {
  await writeFile(out, JSON.stringify({ refused: "no loader" }));
  process.exit(0);
}
const { scene, clips } = found;
const mixer = new THREE.AnimationMixer(scene);
const only = process.env.CLIP; // the name of the animation that plays; all, where none is named
const actions = clips.filter((clip) => !only || clip.name === only).map((clip) => mixer.clipAction(clip));
for (const action of actions) action.play();
const poses = seconds.map((time) => {
  mixer.setTime(Number(time));
  scene.updateMatrixWorld(true);
  const points = [];
  scene.traverse((node) => {
    if (!node.isMesh) return;
    const vertex = new THREE.Vector3();
    for (let v = 0; v < node.geometry.attributes.position.count; v++) {
      points.push(node.getVertexPosition(v, vertex).applyMatrix4(node.matrixWorld).toArray());
    }
  });
  return points;
});
const names = [];
const materials = new Set();
const unnamed = new Set();
const morphs = new Set();
let uv = false;
scene.traverse((node) => {
  if (node !== scene && node.name) names.push(node.name);
  if (!node.isMesh) return;
  for (const material of [node.material].flat()) {
    if (material.name) materials.add(material.name);
    else if (material !== own) unnamed.add(material);
  }
  for (const name of Object.keys(node.morphTargetDictionary ?? {})) morphs.add(name);
  uv ||= "uv" in node.geometry.attributes;
});
const looks = { materials: [...materials], unnamed: unnamed.size, uv };
const arrived = { poses, metres: 1, names, ...looks, morphs: [...morphs] };
await writeFile(out, JSON.stringify(arrived));
