// The face's surface: rest positions, displacements onto them, and normals of what that makes.
import { Level } from "/page/level.js";

const MM = 1000; // the file is in metres, frames are in millimetres
const FEWEST = 2600; // triangles that still show which expression it is

export class Surface {
  // meshes: three.js meshes of the file, in order; corners: which vertex of the face each of theirs is; count: of these.
  constructor(meshes, corners, count) {
    Object.assign(this, { count, meshes });
    this.rest = new Float32Array(3 * count);
    this.pose = new Float32Array(3 * count);
    this.sums = new Float32Array(3 * count);
    const parts = [], faces = [];
    let at = 0;
    for (const { geometry } of meshes) {
      const { position, color } = geometry.attributes, { array } = geometry.index;
      const own = corners.subarray(at, at + position.count);
      at += position.count;
      for (let v = 0; v < position.count; v++)
        for (let k = 0; k < 3; k++) {
          position.array[3 * v + k] *= MM;
          this.rest[3 * own[v] + k] = position.array[3 * v + k] + 0; // no -0, which is another pattern of bits
        }
      for (const corner of array) faces.push(own[corner]);
      parts.push({ geometry, own, colors: color });
    }
    this.light = this.#lightOf(parts);
    this.level = new Level(parts, Uint32Array.from(faces), this.light);
    this.levels = [this.level];
    this.pose.set(this.rest);
    this.#still(this.level);
  }

  // Vertices that stand at one place with one normal are one to the light, as along seams of textures. A table of hashes,
  // since a page waits for it.
  #lightOf(parts) {
    const light = new Uint32Array(this.count), places = new Int32Array(this.rest.buffer);
    const mask = 2 ** Math.ceil(Math.log2(4 * this.count + 4)) - 1;
    const table = new Int32Array(mask + 1).fill(-1), looks = new Int8Array(3 * (mask + 1));
    for (const { own, geometry: { attributes: { normal: { array } } } } of parts)
      for (let v = 0; v < own.length; v++) {
        const p = 3 * own[v], [x, y, z] = [0, 1, 2].map((k) => Math.round(array[3 * v + k] * 50));
        const differs = (at) => {
          const q = 3 * table[at], n = 3 * at;
          return places[q] !== places[p] || places[q + 1] !== places[p + 1] || places[q + 2] !== places[p + 2]
            || looks[n] !== x || looks[n + 1] !== y || looks[n + 2] !== z;
        };
        let at = (Math.imul(places[p], 73856093) ^ Math.imul(places[p + 1], 19349663) ^ Math.imul(places[p + 2], 83492791)
          ^ Math.imul(x + 128 * y + 16384 * z, 2654435)) >>> 7 & mask;
        while (table[at] >= 0 && differs(at)) at = (at + 1) & mask;
        if (table[at] < 0) {
          table[at] = own[v];
          looks.set([x, y, z], 3 * at);
        }
        light[own[v]] = table[at];
      }
    return light;
  }

  // Draw with all triangles, 0, or with about half of them so many times, as far as that can be seen through; made at the
  // first time. `stills` are meshes of the same parts, at rest. Whether it was another.
  lighten(number, stills) {
    const level = this.made(number);
    stills.forEach((mesh, n) => (mesh.geometry = level.stills[n]));
    if (level === this.level) return false;
    this.level = level;
    this.meshes.forEach((mesh, n) => (mesh.geometry = level.parts[n].geometry));
    level.move(this.pose, this.sums);
    return true;
  }

  // Make the next of so many levels; whether there are more.
  prepare(number) {
    const { length } = this.levels;
    if (length <= number) this.made(length);
    return this.levels.length > length;
  }

  // Corners of one vertex, and vertices of one place, stay: what they part must not gape.
  made(number) {
    while (this.levels.length <= number && this.levels.at(-1).triangles > 2 * FEWEST) {
      const of = (this.corners ??= this.#corners());
      const level = this.levels.at(-1).halved((vertex) => of[this.light[vertex]] > 1);
      this.#still(level);
      this.levels.push(level);
    }
    return this.levels[Math.min(number, this.levels.length - 1)];
  }

  #still(level) {
    level.move(this.rest, this.sums);
    level.stills = level.parts.map(({ geometry }) => geometry.clone());
  }

  #corners() {
    const of = new Uint32Array(this.count);
    for (const { own } of this.levels[0].parts) for (const v of own) of[this.light[v]] += 1;
    return of;
  }

  // steps: (3 count) Int16 of `step` mm; null is the face at rest.
  move(steps, step) {
    const { rest, pose } = this;
    if (!steps) pose.set(rest);
    else for (let i = 0; i < pose.length; i++) pose[i] = rest[i] + step * steps[i];
    this.level.move(pose, this.sums);
  }

  // In the colours of strain, (count) bytes, or in those of the file.
  paint(strain) {
    this.level.paint(strain);
  }

  bare() {
    for (const level of this.levels) level.bare();
  }

  dispose() {
    for (const level of this.levels) level.dispose();
  }
}
