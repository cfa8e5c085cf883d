// About half of some triangles, of the same vertices: what a processor draws in the place of a graphics card while the face
// moves. Edges, the shortest first, become one of their ends, where neither end is part of one that has. What is apart,
// such as lips that touch, shares no edge and stays apart.

// faces: (3 F) triangles; at: (3 V) positions; fixed: (V) whether a vertex stays, as one on a seam has to.
export function halved(faces, at, fixed) {
  const edges = new Uint32Array(2 * faces.length), long = new Float32Array(faces.length);
  let count = 0;
  for (let f = 0; f < faces.length; f++) {
    const a = faces[f], b = faces[f % 3 === 2 ? f - 2 : f + 1];
    if (a > b || (fixed[a] && fixed[b])) continue; // the triangle on the other side has it the other way round
    edges[2 * count] = a;
    edges[2 * count + 1] = b;
    long[count++] = (at[3 * a] - at[3 * b]) ** 2 + (at[3 * a + 1] - at[3 * b + 1]) ** 2 + (at[3 * a + 2] - at[3 * b + 2]) ** 2;
  }
  const order = Uint32Array.from({ length: count }, (_, n) => n).sort((one, two) => long[one] - long[two]);
  const to = Uint32Array.from({ length: fixed.length }, (_, n) => n), taken = new Uint8Array(fixed.length);
  for (const edge of order) {
    const a = edges[2 * edge], b = edges[2 * edge + 1];
    if (taken[a] || taken[b]) continue;
    taken[a] = taken[b] = 1;
    if (fixed[b]) to[a] = b;
    else to[b] = a;
  }
  const left = [];
  for (let f = 0; f < faces.length; f += 3) {
    const a = to[faces[f]], b = to[faces[f + 1]], c = to[faces[f + 2]];
    if (a !== b && b !== c && c !== a) left.push(a, b, c);
  }
  return Uint32Array.from(left);
}
