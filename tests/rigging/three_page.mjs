// Sends where three.js has the vertices of rig.glb at times, as float32: for each time all meshes, one after the other.
import * as THREE from "./three/three.module.js";
import { GLTFLoader } from "./three/GLTFLoader.js";

const gltf = await new GLTFLoader().loadAsync("rig.glb");
const mixer = new THREE.AnimationMixer(gltf.scene);
for (const clip of gltf.animations) mixer.clipAction(clip).play();
const shown = [];
for (const time of TIMES) {
  mixer.setTime(time);
  gltf.scene.updateMatrixWorld(true);
  gltf.scene.traverse((node) => {
    if (!node.isMesh) return;
    const vertex = new THREE.Vector3();
    for (let v = 0; v < node.geometry.attributes.position.count; v++) {
      node.getVertexPosition(v, vertex).applyMatrix4(node.matrixWorld);
      shown.push(vertex.x, vertex.y, vertex.z);
    }
  });
}
await fetch("/sent", { method: "POST", body: new Float32Array(shown) });
