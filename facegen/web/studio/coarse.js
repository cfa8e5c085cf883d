// About half of some triangles, of the same vertices: what a processor draws in the place of a graphics card while the face
// moves. Edges become one of their ends, those first that are short and lie flat, where neither end is part of one that
// has. What is apart, such as lips that touch, shares no edge and stays apart.
const PASSES = 2, SHARE = 0.32; // of the vertices that may go in each
const FLAT = 0.03; // beside how much an edge's ends look apart: of two edges as flat, the shorter goes
const BORDER = 0.3; // of an edge of the border, in the place of both
const TURNED = 0.3; // cosine of the angle by which a triangle may turn at most

// faces: (3 F) triangles; at: (3 V) positions; looks: arrays of (3 V), normals and colours; fixed: (V) whether a vertex
// stays, as one on a seam has to.
export function halved(faces, at, looks, fixed) {
  for (let pass = 0; pass < PASSES; pass++) faces = fewer(faces, at, looks, fixed);
  return faces;
}

function fewer(faces, at, looks, fixed) {
  const around = triangles(faces, fixed.length), { edges, cost, border, used } = candidates(faces, around, at, looks, fixed);
  const order = Uint32Array.from(cost.keys()).sort((one, two) => cost[one] - cost[two]);
  const to = Uint32Array.from(fixed.keys()), taken = new Uint8Array(fixed.length);
  let most = SHARE * used;
  for (const edge of order) {
    const a = edges[2 * edge], b = edges[2 * edge + 1];
    if (taken[a] || taken[b]) continue;
    const [goes, stays] = fixed[b] || (border[b] && !border[a]) ? [a, b] : [b, a];
    if (turns(goes, stays, faces, around, to, at)) continue;
    taken[a] = taken[b] = 1;
    to[goes] = stays;
    if (--most < 0) break;
  }
  const left = [];
  for (let f = 0; f < faces.length; f += 3) {
    const a = to[faces[f]], b = to[faces[f + 1]], c = to[faces[f + 2]];
    if (a !== b && b !== c && c !== a) left.push(a, b, c);
  }
  return Uint32Array.from(left);
}

// The triangles around each vertex: those of v are `list` from begin[v] to begin[v + 1], by their first corners.
function triangles(faces, count) {
  const begin = new Uint32Array(count + 1), list = new Uint32Array(faces.length);
  for (const vertex of faces) begin[vertex + 1] += 1;
  for (let v = 0; v < count; v++) begin[v + 1] += begin[v];
  const next = begin.slice();
  faces.forEach((vertex, f) => (list[next[vertex]++] = f - (f % 3)));
  return { begin, list };
}

function candidates(faces, around, at, looks, fixed) {
  const border = new Uint8Array(fixed.length), edges = [], cost = [];
  const end = (f) => faces[f % 3 === 2 ? f - 2 : f + 1];
  const alone = faces.map((a, f) => Number(!runs(end(f), a, faces, around)));
  alone.forEach((is, f) => is && (border[faces[f]] = border[end(f)] = 1));
  let used = 0;
  for (let v = 0; v < fixed.length; v++) used += around.begin[v + 1] > around.begin[v] && !fixed[v];
  for (let f = 0; f < faces.length; f++) {
    const a = faces[f], b = end(f);
    if ((a > b && !alone[f]) || (fixed[a] && fixed[b])) continue; // the triangle on the other side has it the other way round
    if (!alone[f] && border[a] && border[b]) continue; // it would close what is between two borders
    if ((fixed[a] && border[b]) || (fixed[b] && border[a])) continue;
    let bend = 0;
    for (const look of looks) bend += apart(a, b, look) / 2; // of normals, one minus their cosine
    edges.push(a, b);
    cost.push(apart(a, b, at) * (alone[f] ? BORDER : FLAT + bend));
  }
  return { edges, cost, border, used };
}

const apart = (a, b, at) =>
  (at[3 * a] - at[3 * b]) ** 2 + (at[3 * a + 1] - at[3 * b + 1]) ** 2 + (at[3 * a + 2] - at[3 * b + 2]) ** 2;

// Whether a triangle has the edge from a to b.
function runs(a, b, faces, { begin, list }) {
  for (let n = begin[a]; n < begin[a + 1]; n++) {
    const f = list[n];
    if ((faces[f] === a && faces[f + 1] === b) || (faces[f + 1] === a && faces[f + 2] === b) || (faces[f + 2] === a && faces[f] === b)) return true;
  }
  return false;
}

// Whether a triangle around a vertex would look elsewhere once that lies where another is.
function turns(goes, stays, faces, { begin, list }, to, at) {
  for (let n = begin[goes]; n < begin[goes + 1]; n++) {
    const f = list[n], a = to[faces[f]], b = to[faces[f + 1]], c = to[faces[f + 2]];
    if (a === b || b === c || c === a || a === stays || b === stays || c === stays) continue;
    across(a, b, c, at, before);
    across(a === goes ? stays : a, b === goes ? stays : b, c === goes ? stays : c, at, after);
    const along = before[0] * after[0] + before[1] * after[1] + before[2] * after[2];
    if (along < TURNED * Math.sqrt(squared(before) * squared(after))) return true;
  }
  return false;
}

const before = new Float64Array(3), after = new Float64Array(3);
const squared = (one) => one[0] * one[0] + one[1] * one[1] + one[2] * one[2];

function across(a, b, c, at, to) {
  const ux = at[3 * b] - at[3 * a], uy = at[3 * b + 1] - at[3 * a + 1], uz = at[3 * b + 2] - at[3 * a + 2];
  const vx = at[3 * c] - at[3 * a], vy = at[3 * c + 1] - at[3 * a + 1], vz = at[3 * c + 2] - at[3 * a + 2];
  to[0] = uy * vz - uz * vy;
  to[1] = uz * vx - ux * vz;
  to[2] = ux * vy - uy * vx;
}
