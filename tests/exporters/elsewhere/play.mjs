// Prints where three.js has the vertices of a .glb, at times in seconds, as JSON: a list of meshes for each time.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, path, ...times] = process.argv;
const three = join(modules, "node_modules", "three");
const THREE = await import(pathToFileURL(join(three, "build", "three.module.js")));
const { GLTFLoader } = await import(pathToFileURL(join(three, "examples", "jsm", "loaders", "GLTFLoader.js")));

const bytes = await readFile(path);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const gltf = await new Promise((resolve, reject) => new GLTFLoader().parse(buffer, "", resolve, reject));
const mixer = new THREE.AnimationMixer(gltf.scene);
for (const clip of gltf.animations) mixer.clipAction(clip).play();
const shown = times.map((time) => {
  mixer.setTime(Number(time));
  gltf.scene.updateMatrixWorld(true);
  const meshes = [];
  gltf.scene.traverse((node) => {
    if (!node.isMesh) return;
    const vertex = new THREE.Vector3();
    meshes.push(
      Array.from({ length: node.geometry.attributes.position.count }, (_, v) =>
        node.getVertexPosition(v, vertex).applyMatrix4(node.matrixWorld).toArray(),
      ),
    );
  });
  return meshes;
});
console.log(JSON.stringify(shown));
