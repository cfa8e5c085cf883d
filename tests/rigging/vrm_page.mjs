// Sends what a VRM shows of a .vrma at times: the values of expressions, the weights of its targets, turns of the head.
import * as THREE from "./js/three.module.js";
import { GLTFLoader } from "./js/GLTFLoader.js";
import { VRMCoreLoaderPlugin } from "./js/three-vrm-core.module.js";
import { createVRMAnimationClip, VRMAnimationLoaderPlugin } from "./js/three-vrm-animation.module.js";

const said = [];
console.warn = (...words) => said.push(words.join(" "));
const loader = new GLTFLoader();
loader.register((parser) => new VRMCoreLoaderPlugin(parser));
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const { vrmCore: vrm } = (await loader.loadAsync("me.vrm")).userData;
const [animation] = (await loader.loadAsync("me.vrma")).userData.vrmAnimations;
const mixer = new THREE.AnimationMixer(vrm.scene);
mixer.clipAction(createVRMAnimationClip(animation, vrm)).play();
const shown = [];
for (const time of TIMES) {
  mixer.setTime(time);
  vrm.update(0);
  const values = Object.fromEntries(vrm.expressionManager.expressions.map((each) => [each.expressionName, each.weight]));
  let targets = {};
  vrm.scene.traverse((node) => {
    for (const [name, at] of Object.entries(node.morphTargetDictionary ?? {})) targets[name] = node.morphTargetInfluences[at];
  });
  shown.push({ values, targets, head: vrm.humanoid.getNormalizedBoneNode("head").quaternion.toArray() });
}
await fetch("/sent", { method: "POST", body: JSON.stringify({ said, shown }) });
