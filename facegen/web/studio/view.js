// The face on the canvas: lit as in facegen's pictures, looked at from all sides, alone or beside itself at rest.
import {
  BufferAttribute, Color, DirectionalLight, DoubleSide, GLTFLoader, Group, HemisphereLight, Mesh, MeshStandardMaterial,
  OrbitControls, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from "/page/three.min.js";
import { Surface } from "/page/surface.js";

const VIEWS = { front: [0, 3], "three-quarter": [38, 5], side: [88, 2] }; // degrees, as facegen/pictures/render.py has them
const LENS = 16; // degrees: a long lens does not distort a face
const MARGIN = 1.14;
const SLOW_MS = 30, SMALLEST_RATIO = 0.4; // between two drawings, above which they get fewer pixels while it moves
const SOFT_RATIO = 0.75; // of pixels, where no graphics card draws them

// Whether a processor draws in the place of a graphics card, for which smooth edges and all pixels are too much.
const SOFT = (() => {
  const probe = document.createElement("canvas").getContext("webgl2");
  const about = probe?.getExtension("WEBGL_debug_renderer_info");
  const name = about ? probe.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
})();
const LIGHTS = [[[-0.55, 0.6, 0.65], [1, 0.95, 0.88], 2.3], [[0.8, 0.05, 0.6], [0.6, 0.7, 0.85], 0.6], [[0.75, 0.55, -0.55], [0.85, 0.9, 1], 1.6]];

export class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, antialias: !SOFT, alpha: true, powerPreference: "high-performance" });
    this.camera = new PerspectiveCamera(LENS, 1, 10, 20000);
    this.scene = new Scene();
    this.still = new Scene();
    for (const scene of [this.scene, this.still]) this.#lit(scene);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => this.draw());
    this.ratio = this.sharp = SOFT ? SOFT_RATIO : Math.min(devicePixelRatio, 2);
    this.wire = this.compare = this.strain = false;
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  #lit(scene) {
    scene.add(new HemisphereLight(new Color(0.9, 0.95, 1), new Color(0.45, 0.36, 0.3), 1.1));
    const frame = new Group();
    for (const [place, color, strength] of LIGHTS) {
      const light = new DirectionalLight(new Color(...color), strength);
      light.position.set(...place);
      frame.add(light, light.target);
    }
    scene.add(frame);
    (this.frames ??= []).push(frame);
  }

  async load(file, corners, face) {
    const made = await new GLTFLoader().parseAsync(file, "");
    const meshes = [];
    made.scene.traverse((each) => each.isMesh && meshes.push(each));
    if (this.group) {
      this.scene.remove(this.group);
      this.still.remove(this.stillGroup);
      for (const { mesh } of this.surface.parts) mesh.geometry.dispose();
    }
    for (const mesh of meshes) {
      mesh.material.side = DoubleSide;
      mesh.frustumCulled = false;
      mesh.userData.material = mesh.material;
    }
    this.surface = new Surface(meshes, corners, face.shown);
    this.surface.move(null, 0);
    this.group = new Group().add(...meshes);
    this.stillGroup = new Group();
    for (const mesh of meshes) {
      const still = new Mesh(mesh.geometry.clone(), mesh.material);
      still.frustumCulled = false;
      this.stillGroup.add(still);
    }
    this.scene.add(this.group);
    this.still.add(this.stillGroup);
    this.focus = face.focus.map((corner) => new Vector3(...corner));
    this.painted = null;
    this.look("front");
    this.dress();
  }

  // The camera to one of VIEWS.
  look(name) {
    if (!this.focus) return;
    this.side = name;
    const [turn, lift] = VIEWS[name].map((angle) => (angle * Math.PI) / 180);
    const middle = this.focus[0].clone().add(this.focus[1]).multiplyScalar(0.5);
    const size = this.focus[1].clone().sub(this.focus[0]);
    const slope = Math.tan((LENS * Math.PI) / 360);
    const aspect = this.#aspect();
    const wide = (Math.abs(Math.cos(turn)) * size.x + Math.abs(Math.sin(turn)) * size.z) / Math.min(aspect, 1e3);
    const far = ((MARGIN * Math.max(size.y, wide)) / (2 * slope)) + size.z / 2;
    const back = new Vector3(Math.sin(turn) * Math.cos(lift), Math.sin(lift), Math.cos(turn) * Math.cos(lift));
    this.camera.position.copy(middle).addScaledVector(back, far);
    this.camera.near = far / 50;
    this.camera.far = far * 20;
    this.camera.updateProjectionMatrix();
    this.controls.target.copy(middle);
    this.controls.update();
    this.draw();
  }

  show(frame) {
    if (!this.surface || (frame && frame.count !== this.surface.count)) return;
    this.surface.move(frame?.steps, frame?.step);
    if (this.strain) this.#paint(frame?.strain);
    this.draw();
  }

  dress() {
    if (!this.surface) return;
    for (const { mesh } of this.surface.parts) {
      this.plain ??= new MeshStandardMaterial({ vertexColors: true, roughness: 0.75, side: DoubleSide });
      const material = this.strain ? this.plain : mesh.userData.material;
      if (this.strain && !mesh.geometry.attributes.color) this.#paint(null);
      mesh.material = material;
      material.wireframe = this.wire;
    }
    this.draw();
  }

  #paint(strain) {
    for (const { mesh, own } of this.surface.parts) {
      const had = mesh.geometry.attributes.color;
      if (had && had !== mesh.userData.paint) mesh.userData.own = had;
      const paint = (mesh.userData.paint ??= new BufferAttribute(new Float32Array(3 * own.length), 3));
      for (let v = 0; v < own.length; v++) {
        const part = strain ? strain[own[v]] / 255 : 0;
        paint.array.set([0.55 + 0.4 * part, 0.55 * (1 - part), 0.6 * (1 - part)], 3 * v);
      }
      paint.needsUpdate = true;
      mesh.geometry.setAttribute("color", paint);
    }
  }

  setStrain(on) {
    this.strain = on;
    if (!on)
      for (const { mesh } of this.surface?.parts ?? []) {
        if (mesh.userData.own) mesh.geometry.setAttribute("color", mesh.userData.own);
        else mesh.geometry.deleteAttribute("color");
      }
    this.dress();
  }

  #aspect() {
    return (this.canvas.clientWidth || 1) / (this.compare ? 2 : 1) / (this.canvas.clientHeight || 1);
  }

  #resize() {
    this.renderer.setPixelRatio(this.ratio);
    this.renderer.setSize(this.canvas.clientWidth, this.canvas.clientHeight, false);
    this.now();
  }

  draw() {
    this.waiting ??= requestAnimationFrame(() => this.now());
  }

  // Draw at once.
  now() {
    cancelAnimationFrame(this.waiting);
    this.waiting = undefined;
    if (!this.surface || !this.canvas.clientWidth) return;
    const { renderer, canvas } = this;
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    this.camera.aspect = this.#aspect();
    this.camera.updateProjectionMatrix();
    for (const frame of this.frames) frame.quaternion.copy(this.camera.quaternion);
    renderer.setScissorTest(true);
    const views = this.compare ? [[this.still, 0, wide / 2], [this.scene, wide / 2, wide / 2]] : [[this.scene, 0, wide]];
    for (const [scene, left, width] of views) {
      renderer.setViewport(left, 0, width, high);
      renderer.setScissor(left, 0, width, high);
      renderer.render(scene, this.camera);
    }
    this.drawn = true;
  }

  // Fewer pixels where it takes `ms` from one drawing to the next while it moves, all of them again at rest.
  pace(ms, moving) {
    this.mean = 0.8 * (this.mean ?? ms) + 0.2 * ms;
    const wanted = !moving ? this.sharp : this.mean > SLOW_MS ? Math.max(this.ratio * 0.8, SMALLEST_RATIO) : this.ratio;
    if (Math.abs(wanted - this.ratio) < 0.01) return;
    this.ratio = wanted;
    this.mean = SLOW_MS / 2;
    this.#resize();
  }

  // A picture of a pose from the front, as a data URL.
  picture(frame, edge) {
    const { renderer, camera } = this;
    const held = [camera.position.clone(), this.controls.target.clone(), camera.quaternion.clone()];
    const compare = this.compare;
    const side = this.side;
    this.compare = false;
    this.surface.move(frame?.steps, frame?.step);
    this.look("front");
    this.side = side;
    camera.aspect = 1;
    camera.updateProjectionMatrix();
    for (const each of this.frames) each.quaternion.copy(camera.quaternion);
    const wide = Math.min(edge, this.canvas.clientWidth, this.canvas.clientHeight);
    renderer.setViewport(0, 0, wide, wide);
    renderer.setScissor(0, 0, wide, wide);
    renderer.setScissorTest(true);
    renderer.render(this.scene, camera);
    const small = document.createElement("canvas");
    small.width = small.height = edge;
    const ratio = this.ratio, tall = this.canvas.height;
    small.getContext("2d").drawImage(this.canvas, 0, tall - wide * ratio, wide * ratio, wide * ratio, 0, 0, edge, edge);
    this.compare = compare;
    camera.position.copy(held[0]);
    this.controls.target.copy(held[1]);
    camera.quaternion.copy(held[2]);
    this.controls.update();
    return small.toDataURL();
  }

  // Where a vertex of the face is on the canvas, in pixels from its top left.
  where(vertex) {
    const { pose } = this.surface;
    const at = new Vector3(pose[3 * vertex], pose[3 * vertex + 1], pose[3 * vertex + 2]).project(this.camera);
    return [((at.x + 1) / 2) * this.canvas.clientWidth, ((1 - at.y) / 2) * this.canvas.clientHeight];
  }
}
