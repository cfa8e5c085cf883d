// Prints what three-vrm-animation reads in a .vrma, as JSON: tracks of expressions, of the head and of the gaze.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, path] = process.argv;
const three = join(modules, "node_modules", "three");
const { GLTFLoader } = await import(pathToFileURL(join(three, "examples", "jsm", "loaders", "GLTFLoader.js")));
const { VRMAnimationLoaderPlugin } = await import(
  pathToFileURL(join(modules, "node_modules/@pixiv/three-vrm-animation/lib/three-vrm-animation.module.js"))
);

const said = [];
console.warn = (...words) => said.push(words.join(" "));
const bytes = await readFile(path);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const loader = new GLTFLoader();
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const gltf = await new Promise((resolve, reject) => loader.parse(buffer, "", resolve, reject));
const [played] = gltf.userData.vrmAnimations;
const values = (tracks) => Object.fromEntries([...tracks].map(([name, track]) => [name, [...track.values]]));
console.log(JSON.stringify({
  said,
  duration: played.duration,
  custom: values(played.expressionTracks.custom),
  preset: values(played.expressionTracks.preset),
  head: [...(played.humanoidTracks.rotation.get("head")?.values ?? [])],
  gaze: [...(played.lookAtTrack?.values ?? [])],
}));
