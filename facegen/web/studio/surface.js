// The face's surface: rest positions, displacements onto them, and normals of what that makes.
import { BufferAttribute } from "/page/three.min.js";
import { coarser } from "/page/coarse.js";

const MM = 1000; // the file is in metres, frames are in millimetres

export class Surface {
  // meshes: three.js meshes of the file, in order; corners: which vertex of the face each of theirs is; count: of these.
  constructor(meshes, corners, count) {
    this.count = count;
    this.rest = new Float32Array(3 * count);
    this.pose = new Float32Array(3 * count);
    this.parts = [];
    const faces = [];
    let at = 0;
    for (const mesh of meshes) {
      const { position, normal } = mesh.geometry.attributes;
      const own = corners.subarray(at, at + position.count);
      at += position.count;
      for (let v = 0; v < position.count; v++)
        for (let k = 0; k < 3; k++) {
          position.array[3 * v + k] *= MM;
          this.rest[3 * own[v] + k] = position.array[3 * v + k] + 0; // no -0, which is another pattern of bits
        }
      for (const corner of mesh.geometry.index.array) faces.push(own[corner]);
      this.parts.push({ mesh, own, position, normal, whole: mesh.geometry.index });
    }
    this.faces = Uint32Array.from(faces);
    this.light = this.#lightOf();
    this.sums = new Float32Array(3 * count);
    this.pose.set(this.rest);
  }

  // Vertices that stand at one place with one normal are one to the light, as along seams of textures. A table of hashes,
  // since a page waits for it.
  #lightOf() {
    const light = new Uint32Array(this.count), places = new Int32Array(this.rest.buffer);
    const mask = 2 ** Math.ceil(Math.log2(4 * this.count + 4)) - 1;
    const table = new Int32Array(mask + 1).fill(-1), looks = new Int8Array(3 * (mask + 1));
    for (const { own, normal: { array } } of this.parts)
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

  // Fewer triangles, or all of them again; `others` are meshes of the same parts.
  lighten(on, others) {
    this.parts.forEach((part, n) => {
      const index = on ? (part.few ??= this.#few(part)) : part.whole;
      for (const mesh of [part.mesh, others[n]]) if (mesh && mesh.geometry.index !== index) mesh.geometry.setIndex(index);
    });
  }

  // Corners of one vertex, and vertices of one place, stay: what they part must not gape.
  #few({ own, position, whole }) {
    const { light } = this, of = (this.corners ??= this.#corners());
    return new BufferAttribute(coarser(whole.array, position.array, Uint8Array.from(own, (v) => of[light[v]] > 1)), 1);
  }

  #corners() {
    const of = new Uint32Array(this.count);
    for (const { own } of this.parts) for (const v of own) of[this.light[v]] += 1;
    return of;
  }

  // steps: (3 count) Int16 of `step` mm; null is the face at rest.
  move(steps, step) {
    const { rest, pose } = this;
    if (!steps) pose.set(rest);
    else for (let i = 0; i < pose.length; i++) pose[i] = rest[i] + step * steps[i];
    this.#shade();
    for (const { own, position, normal } of this.parts) {
      const place = position.array, looks = normal.array;
      for (let v = 0, p = 0; v < own.length; v++, p += 3) {
        const from = 3 * own[v], lit = 3 * this.light[own[v]];
        place[p] = pose[from]; place[p + 1] = pose[from + 1]; place[p + 2] = pose[from + 2];
        looks[p] = this.sums[lit]; looks[p + 1] = this.sums[lit + 1]; looks[p + 2] = this.sums[lit + 2];
      }
      position.needsUpdate = normal.needsUpdate = true;
    }
  }

  #shade() {
    const { pose, faces, light, sums } = this;
    sums.fill(0);
    for (let f = 0; f < faces.length; f += 3) {
      const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
      const ux = pose[b] - pose[a], uy = pose[b + 1] - pose[a + 1], uz = pose[b + 2] - pose[a + 2];
      const vx = pose[c] - pose[a], vy = pose[c + 1] - pose[a + 1], vz = pose[c + 2] - pose[a + 2];
      const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
      for (let k = 0; k < 3; k++) {
        const s = 3 * light[faces[f + k]];
        sums[s] += x; sums[s + 1] += y; sums[s + 2] += z;
      }
    }
    for (let s = 0; s < sums.length; s += 3) {
      const long = Math.hypot(sums[s], sums[s + 1], sums[s + 2]) || 1;
      sums[s] /= long; sums[s + 1] /= long; sums[s + 2] /= long;
    }
  }
}
