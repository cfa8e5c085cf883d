// The face on the canvas: what the page loads of it, at first as its file has it, before the model is there.
import { ask } from "/page/link.js";

const $ = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");

export class Faces {
  constructor(view) {
    this.view = view;
    this.there = null; // the name of the face on the canvas
  }

  // The first face, where it is the one that is wanted; null is any.
  look(wanted) {
    this.looking = ask("/look").then((told) => told && [null, told.face].includes(wanted) && this.#put("/look", told.face, told)).catch(() => null);
  }

  async load(name) {
    const told = await ask(`/faces/${name}`);
    await this.looking;
    await this.#put(`/faces/${name}`, name, told);
  }

  async #put(from, name, told) {
    if (name !== this.there) {
      const get = async (part) => (await fetch(`${from}/${part}`)).arrayBuffer();
      const [file, corners] = await Promise.all(["mesh.glb", "corners.bin"].map(get));
      await this.view.load(file, new Uint32Array(corners), told);
      this.there = name;
    }
    $("face-name").textContent = told.name;
    $("shown").textContent = told.shown === told.vertices ? `${count(told.vertices)} vertices`
      : `shown with ${count(told.shown)} of ${count(told.vertices)} vertices, exported whole`;
  }
}
