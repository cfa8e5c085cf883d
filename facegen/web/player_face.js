// Of the player: the face, its lights and the camera.

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
