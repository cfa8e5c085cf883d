// Prints how many bytes of morph targets three.js hands to the graphics card for a .glb, asked of its own renderer's part.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, path] = process.argv;
const three = join(modules, "node_modules", "three");
const { WebGLMorphtargets } = await import(pathToFileURL(join(three, "src", "renderers", "webgl", "WebGLMorphtargets.js")));
const { GLTFLoader } = await import(pathToFileURL(join(three, "examples", "jsm", "loaders", "GLTFLoader.js")));

const bytes = await readFile(path);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const gltf = await new Promise((resolve, reject) => new GLTFLoader().parse(buffer, "", resolve, reject));
const targets = WebGLMorphtargets(null, { maxTextureSize: 16384 }, null);
let total = 0;
let vertices = 0;
gltf.scene.traverse((node) => {
  if (!node.isMesh) return;
  vertices += node.geometry.attributes.position.count;
  if (!node.morphTargetInfluences) return;
  const uniforms = {
    setValue(_, name, value) {
      if (name === "morphTargetsTexture") total += value.image.data.byteLength;
    },
  };
  targets.update(node, node.geometry, { getUniforms: () => uniforms });
});
console.log(JSON.stringify({ morph_bytes: total, vertices }));
