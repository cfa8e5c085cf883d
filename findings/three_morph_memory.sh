#!/bin/sh
# three.js 0.187.0: primitives of a glTF mesh that share their vertices each take the memory of all of them for morphs.
#
# Done: a valid .glb was loaded in which one mesh has 4 primitives (materials) that share POSITION and the morph target,
# and differ in their indices alone, as the glTF specification allows. three.js' own WebGLMorphtargets, which fills the
# textures of morph targets, was asked for their bytes; then for the same mesh in one primitive.
# Expected: the textures are kept for each attribute, as the vertices are, and take the same in both.
# Seen: GLTFLoader shares the vertices, but the textures are kept for each geometry, that is for each primitive, with
# all vertices of its attributes, used or not:
#     1 primitive of 400 vertices: 6400 bytes of morph targets
#     4 primitives that share 400 vertices: 25600 bytes of morph targets, POSITION shared: true
# A head with 12 materials takes 12 times the memory of graphics. What helps: vertices of its own for each primitive.
# First seen with 0.187.0, in November 2026. Needs node and npm.
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
npm init --yes >/dev/null && npm install --silent --no-audit --no-fund three@0.187.0 || exit 2
cat > ask.mjs <<'SCRIPT'
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { WebGLMorphtargets } from "./node_modules/three/src/renderers/webgl/WebGLMorphtargets.js";

const SIDE = 20;
const COUNT = SIDE * SIDE;

// A flat sheet of 20 x 20 vertices, with a target that lifts it, its triangles dealt to so many primitives.
function glb(primitives) {
  const place = new Float32Array(3 * COUNT);
  const lift = new Float32Array(3 * COUNT);
  for (let v = 0; v < COUNT; v++) {
    place.set([v % SIDE, Math.floor(v / SIDE), 0], 3 * v);
    lift.set([0, 0, 1], 3 * v);
  }
  const parts = Array.from({ length: primitives }, () => []);
  for (let row = 0; row < SIDE - 1; row++) {
    for (let column = 0; column < SIDE - 1; column++) {
      const v = row * SIDE + column;
      parts[row % primitives].push(v, v + 1, v + SIDE + 1, v, v + SIDE + 1, v + SIDE);
    }
  }
  const chunks = [Buffer.from(place.buffer), Buffer.from(lift.buffer)];
  chunks.push(...parts.map((part) => Buffer.from(new Uint32Array(part).buffer)));
  let start = 0;
  const bufferViews = chunks.map((chunk) => {
    const view = { buffer: 0, byteOffset: start, byteLength: chunk.length };
    start += chunk.length;
    return view;
  });
  const end = SIDE - 1;
  const vectors = { componentType: 5126, count: COUNT, type: "VEC3" };
  const document = {
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    materials: parts.map((_, p) => ({ name: `material ${p}` })),
    meshes: [{
      primitives: parts.map((_, p) => ({
        attributes: { POSITION: 0 }, targets: [{ POSITION: 1 }], indices: 2 + p, material: p,
      })),
    }],
    buffers: [{ byteLength: start }],
    bufferViews,
    accessors: [
      { bufferView: 0, ...vectors, min: [0, 0, 0], max: [end, end, 0] },
      { bufferView: 1, ...vectors, min: [0, 0, 1], max: [0, 0, 1] },
      ...parts.map((part, p) => ({ bufferView: 2 + p, componentType: 5125, count: part.length, type: "SCALAR" })),
    ],
  };
  const text = JSON.stringify(document);
  const json = Buffer.from(text + " ".repeat((4 - (text.length % 4)) % 4));
  const binary = Buffer.concat(chunks);
  const numbers = (...values) => Buffer.from(new Uint32Array(values).buffer);
  const length = 28 + json.length + binary.length;
  return Buffer.concat([
    numbers(0x46546c67, 2, length), numbers(json.length, 0x4e4f534a), json, numbers(binary.length, 0x004e4942), binary,
  ]);
}

async function asked(primitives) {
  const file = glb(primitives);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  const gltf = await new Promise((resolve, reject) => new GLTFLoader().parse(bytes, "", resolve, reject));
  const morphs = WebGLMorphtargets(null, { maxTextureSize: 16384 }, null);
  let total = 0;
  const positions = new Set();
  const setValue = (_, name, value) => (total += name === "morphTargetsTexture" ? value.image.data.byteLength : 0);
  gltf.scene.traverse((node) => {
    if (!node.isMesh) return;
    positions.add(node.geometry.attributes.position);
    morphs.update(node, node.geometry, { getUniforms: () => ({ setValue }) });
  });
  return { total, shared: positions.size === 1 };
}

const [one, four] = [await asked(1), await asked(4)];
console.log(`1 primitive of ${COUNT} vertices: ${one.total} bytes of morph targets`);
const shared = `POSITION shared: ${four.shared}`;
console.log(`4 primitives that share ${COUNT} vertices: ${four.total} bytes of morph targets, ${shared}`);
process.exit(four.shared && four.total === 4 * one.total ? 0 : 1);
SCRIPT
node ask.mjs
