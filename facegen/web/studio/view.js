// The face on the canvas: lit as in facegen's pictures, looked at from all sides, alone or beside itself at rest.
import {
  DoubleSide, GLTFLoader, Group, Mesh, MeshStandardMaterial, OrbitControls, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from "/page/three.min.js";
import { LIGHTS, lit, SKY } from "/page/lights.js";
import { LENS, placed } from "/page/looks.js";
import { Pace, SOFT } from "/page/pace.js";
import { Surface } from "/page/surface.js";
import { litAtVertices } from "/page/vertex_light.js";

const SMALL_LEVEL = 2; // of small pictures, where a processor draws

export class View {
  // seen(frame): a pose is on screen
  constructor(canvas, seen) {
    Object.assign(this, { canvas, seen });
    this.renderer = new WebGLRenderer({ canvas, antialias: !SOFT, alpha: true, powerPreference: "high-performance" });
    this.camera = new PerspectiveCamera(LENS, 1, 10, 20000);
    this.scene = new Scene();
    this.still = new Scene();
    this.frames = [this.scene, this.still].map(lit);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => ((this.stirred = true), this.draw()));
    this.pace = new Pace({ changed: () => this.#resized(), rested: () => this.rest() });
    this.wire = this.compare = this.strain = false;
    new ResizeObserver(() => (this.#resized(), this.now())).observe(canvas);
  }

  async load(file, corners, face) {
    const made = await new GLTFLoader().parseAsync(file, "");
    const meshes = [];
    made.scene.traverse((each) => each.isMesh && meshes.push(each));
    if (this.group) {
      this.scene.remove(this.group);
      this.still.remove(this.stillGroup);
      this.surface.dispose();
    }
    for (const mesh of meshes) {
      mesh.material.side = DoubleSide;
      mesh.frustumCulled = false;
      mesh.userData.material = mesh.userData.worn = mesh.material;
    }
    this.pace.fresh();
    this.surface = new Surface(meshes, corners, face.shown);
    this.pose = this.next = null;
    this.group = new Group().add(...meshes);
    this.stillGroup = new Group();
    meshes.forEach((mesh, n) => {
      const still = new Mesh(this.surface.level.stills[n], mesh.material);
      still.frustumCulled = false;
      this.stillGroup.add(still);
    });
    this.scene.add(this.group);
    this.still.add(this.stillGroup);
    this.focus = face.focus.map((corner) => new Vector3(...corner));
    this.look("front");
    this.dress();
  }

  // The camera to one of the views that keys have.
  look(name) {
    if (!this.focus) return;
    this.side = name;
    placed(this.camera, this.controls, this.focus, name, this.#aspect());
    this.draw();
  }

  // A pose, on screen with the next drawing.
  show(frame) {
    if (!this.surface || (frame && frame.count !== this.surface.count)) return;
    this.next = frame;
    this.stirred = true;
    this.draw();
  }

  #move(frame) {
    this.surface.move(frame?.steps, frame?.step);
    if (this.strain) this.surface.paint(frame?.strain);
  }

  dress() {
    if (!this.surface) return;
    if (this.strain) this.surface.paint(this.pose?.strain);
    for (const mesh of this.surface.meshes) {
      this.plain ??= new MeshStandardMaterial({ vertexColors: true, roughness: 0.75, side: DoubleSide });
      const material = this.strain ? this.plain : mesh.userData.material;
      mesh.userData.worn = material;
      material.wireframe = this.wire;
    }
    this.#lighten();
    this.draw();
  }

  setStrain(on) {
    this.strain = on;
    if (!on) this.surface?.bare();
    this.dress();
  }

  #aspect() {
    return (this.canvas.clientWidth || 1) / (this.compare ? 2 : 1) / (this.canvas.clientHeight || 1);
  }

  #resized() {
    this.renderer.setPixelRatio(this.pace.ratio);
    this.renderer.setSize(this.canvas.clientWidth, this.canvas.clientHeight, false);
    this.#lighten();
  }

  #lighten() {
    if (this.surface) this.#few(this.wire ? 0 : this.pace.level); // of wires, all are shown
  }

  // Draw with fewer triangles, lit at their corners alone, or with all there is, at level 0.
  #few(level) {
    const { meshes } = this.surface, stills = this.stillGroup.children;
    if (this.surface.lighten(level, stills) && this.strain) this.surface.paint(this.pose?.strain);
    meshes.forEach((mesh, n) => {
      const { worn, material } = mesh.userData;
      mesh.material = level ? litAtVertices(worn, LIGHTS, SKY) : worn;
      stills[n].material = level ? litAtVertices(material, LIGHTS, SKY) : material;
    });
  }

  draw() {
    this.waiting ??= requestAnimationFrame(() => this.now());
  }

  // Draw at once what waits for it.
  due() {
    if (this.waiting !== undefined) this.now();
  }

  // Draw at once.
  now() {
    cancelAnimationFrame(this.waiting);
    this.waiting = undefined;
    if (!this.surface || !this.canvas.clientWidth) return;
    const begun = performance.now(), { next, stirred } = this;
    this.next = null;
    this.stirred = false;
    if (stirred) this.pace.moves();
    if (next) this.#move((this.pose = next));
    this.#render();
    if (SOFT && !this.pace.level) {
      this.pace.took(this.#settled() - begun);
      this.#prepare();
    }
    this.drawn = true;
    if (next) this.seen(next);
  }

  // Make what is drawn while it moves, before a hand would wait for it.
  #prepare() {
    requestIdleCallback(() => this.surface.prepare(this.pace.coarse) && this.#prepare());
  }

  // When all is drawn.
  #settled() {
    const gl = this.renderer.getContext();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now();
  }

  // Draw with all there is.
  rest() {
    this.pace.rest();
    this.draw();
  }

  #render() {
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
  }

  // Pictures of poses from the front, as data URLs.
  pictures(frames, edge) {
    const { renderer, camera, compare, side } = this, { ratio } = this.pace;
    const held = [camera.position.clone(), this.controls.target.clone(), camera.quaternion.clone()];
    const wide = Math.min(edge, this.canvas.clientWidth, this.canvas.clientHeight), tall = this.canvas.height;
    this.compare = false;
    this.look("front");
    Object.assign(camera, { aspect: 1 }).updateProjectionMatrix();
    for (const each of this.frames) each.quaternion.copy(camera.quaternion);
    renderer.setViewport(0, 0, wide, wide);
    renderer.setScissor(0, 0, wide, wide);
    renderer.setScissorTest(true);
    this.#few(SOFT && !this.wire ? SMALL_LEVEL : 0);
    const made = frames.map((frame) => {
      this.surface.move(frame.steps, frame.step);
      renderer.render(this.scene, camera);
      const small = Object.assign(document.createElement("canvas"), { width: edge, height: edge });
      small.getContext("2d").drawImage(this.canvas, 0, tall - wide * ratio, wide * ratio, wide * ratio, 0, 0, edge, edge);
      return small.toDataURL();
    });
    Object.assign(this, { compare, side });
    camera.position.copy(held[0]);
    this.controls.target.copy(held[1]);
    camera.quaternion.copy(held[2]);
    this.controls.update();
    this.#lighten();
    this.#move(this.pose);
    this.stirred = false;
    this.now(); // what is on the canvas is not the face
    return made;
  }

  // Where a vertex of the face is on the canvas, in pixels from its top left.
  where(vertex) {
    const { pose } = this.surface;
    const at = new Vector3(pose[3 * vertex], pose[3 * vertex + 1], pose[3 * vertex + 2]).project(this.camera);
    return [((at.x + 1) / 2) * this.canvas.clientWidth, ((1 - at.y) / 2) * this.canvas.clientHeight];
  }
}
