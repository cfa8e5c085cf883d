// The surface as it is drawn: with all its triangles, or with fewer and the vertices that these need.
import { BufferAttribute, BufferGeometry } from "/page/three.min.js";
import { halved } from "/page/coarse.js";

export class Level {
  // parts: [{ geometry, own, colors }] of each mesh: which vertex of the face each of its corners is, and the colours of its
  // file; faces: (3 F) vertices of the face, the triangles around these; light: (count) the vertex whose normal each has.
  constructor(parts, faces, light) {
    Object.assign(this, { parts, faces, light });
    this.triangles = parts.reduce((sum, { geometry }) => sum + geometry.index.count / 3, 0);
    const lit = litBy(parts, light);
    this.lit = Uint32Array.from(lit.keys()).filter((vertex) => lit[vertex]);
  }

  // With about half of the triangles. seam(vertex): whether it stays.
  halved(seam) {
    const parts = this.parts.map(({ geometry, own, colors }, n) => {
      const { position, normal } = this.stills[n].attributes, looks = [normal.array, ...(colors ? [plain(colors)] : [])];
      return packed(geometry, own, colors, halved(geometry.index.array, position.array, looks, Uint8Array.from(own, seam)));
    });
    // The normals are those of the whole surface: of fewer triangles, light would change with their number.
    const { faces, light } = this, lit = litBy(parts, light), around = [];
    for (let f = 0; f < faces.length; f += 3)
      if (lit[light[faces[f]]] || lit[light[faces[f + 1]]] || lit[light[faces[f + 2]]]) around.push(faces[f], faces[f + 1], faces[f + 2]);
    return new Level(parts, Uint32Array.from(around), light);
  }

  // pose: (3 count) mm; sums: as many, where normals are made.
  move(pose, sums) {
    this.#shade(pose, sums);
    for (const { own, geometry: { attributes: { position, normal } } } of this.parts) {
      const place = position.array, looks = normal.array;
      for (let v = 0, p = 0; v < own.length; v++, p += 3) {
        const from = 3 * own[v], lit = 3 * this.light[own[v]];
        place[p] = pose[from]; place[p + 1] = pose[from + 1]; place[p + 2] = pose[from + 2];
        looks[p] = sums[lit]; looks[p + 1] = sums[lit + 1]; looks[p + 2] = sums[lit + 2];
      }
      position.needsUpdate = normal.needsUpdate = true;
    }
  }

  #shade(pose, sums) {
    const { faces, light, lit } = this;
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
    for (const vertex of lit) {
      const s = 3 * vertex, long = Math.sqrt(sums[s] ** 2 + sums[s + 1] ** 2 + sums[s + 2] ** 2) || 1;
      sums[s] /= long; sums[s + 1] /= long; sums[s + 2] /= long;
    }
  }

  // Colours of strain: (count) bytes, null for none.
  paint(strain) {
    for (const part of this.parts) {
      const { own, geometry } = part, paint = (part.paint ??= new BufferAttribute(new Float32Array(3 * own.length), 3));
      for (let v = 0, p = 0; v < own.length; v++) {
        const red = strain ? strain[own[v]] / 255 : 0;
        paint.array[p++] = 0.55 + 0.4 * red;
        paint.array[p++] = 0.55 * (1 - red);
        paint.array[p++] = 0.6 * (1 - red);
      }
      paint.needsUpdate = true;
      geometry.setAttribute("color", paint);
    }
  }

  // Colours of the file again.
  bare() {
    for (const { geometry, colors } of this.parts)
      if (colors) geometry.setAttribute("color", colors);
      else geometry.deleteAttribute("color");
  }

  dispose() {
    for (const geometry of [...this.parts.map((part) => part.geometry), ...this.stills]) geometry.dispose();
  }
}

// (count) whether a vertex's normal is needed.
function litBy(parts, light) {
  const lit = new Uint8Array(light.length);
  for (const { own } of parts) for (const vertex of own) lit[light[vertex]] = 1;
  return lit;
}

// (3 V) colours in [0, 1], without whatever follows red, green and blue.
function plain(colors) {
  const found = new Float32Array(3 * colors.count);
  for (let v = 0; v < colors.count; v++) found.set([colors.getX(v), colors.getY(v), colors.getZ(v)], 3 * v);
  return found;
}

// A part of what the triangles `index` need alone, in the order in which they need it: neighbours lie together.
function packed(geometry, own, colors, index) {
  const to = new Int32Array(own.length).fill(-1), from = [];
  const renumbered = index.map((corner) => (to[corner] < 0 && (to[corner] = from.push(corner) - 1), to[corner]));
  const made = new BufferGeometry().setIndex(new BufferAttribute(renumbered, 1));
  const few = ({ array, itemSize, normalized }) => {
    const kept = new array.constructor(itemSize * from.length);
    from.forEach((corner, v) => kept.set(array.subarray(itemSize * corner, itemSize * (corner + 1)), itemSize * v));
    return new BufferAttribute(kept, itemSize, normalized);
  };
  for (const [name, attribute] of Object.entries(geometry.attributes)) if (name !== "color") made.setAttribute(name, few(attribute));
  if (colors) made.setAttribute("color", few(colors));
  return { geometry: made, own: Uint32Array.from(from, (corner) => own[corner]), colors: made.attributes.color };
}
