// Materials that are lit at vertices, for a processor that draws in the place of a graphics card while the face moves: the
// light of three.js's standard material, found for each vertex in the place of each pixel.
import { MeshBasicMaterial } from "/page/three.min.js";

const glsl = (numbers) => `vec3(${numbers.map((number) => number.toFixed(4)).join(", ")})`;
const made = new WeakMap();

// lights: [place beside the camera, colour, strength] of each; sky: {above, below, strength} of what comes from all around.
export function litAtVertices(material, lights, sky) {
  if (!made.has(material)) made.set(material, basic(material, lights, sky));
  return made.get(material);
}

function basic(material, lights, sky) {
  const { map, color, vertexColors, alphaTest, transparent, opacity, side } = material;
  const light = new MeshBasicMaterial({ map, color, vertexColors, alphaTest, transparent, opacity, side });
  light.onBeforeCompile = (shader) => {
    shader.uniforms.rough = { value: Math.max(material.roughness ?? 1, 0.045) };
    shader.uniforms.metal = { value: material.metalness ?? 0 };
    shader.vertexShader = shader.vertexShader.replace("void main() {", HEAD + "void main() {")
      .replace("#include <fog_vertex>", `#include <fog_vertex>\n${atVertex(lights, sky)}`);
    shader.fragmentShader = shader.fragmentShader.replace("void main() {", "varying vec3 lit, shine;\nvoid main() {")
      .replace("vec3 outgoingLight = reflectedLight.indirectDiffuse;", "vec3 outgoingLight = diffuseColor.rgb * lit + shine;");
  };
  light.customProgramCacheKey = () => "lit at vertices";
  return light;
}

// BRDF_GGX of three.js, with the reflectance of what is no metal.
const HEAD = `
varying vec3 lit, shine;
uniform float rough, metal;
float shineOf(vec3 to, vec3 eye, vec3 n) {
  float a = rough * rough, a2 = a * a;
  vec3 h = normalize(to + eye);
  float nl = max(dot(n, to), 0.0), nv = max(dot(n, eye), 0.0), nh = max(dot(n, h), 0.0), vh = max(dot(eye, h), 0.0);
  float d = nh * nh * (a2 - 1.0) + 1.0;
  float v = 0.5 / max(nl * sqrt(a2 + (1.0 - a2) * nv * nv) + nv * sqrt(a2 + (1.0 - a2) * nl * nl), 1e-6);
  return (0.04 + 0.96 * pow(1.0 - vh, 5.0)) * v * a2 / (3.141593 * d * d) * nl;
}
`;

const atVertex = (lights, { above, below, strength }) => `
  vec3 eye = normalize(-mvPosition.xyz), n = normalize(normalMatrix * normal);
  float up = 0.5 + 0.5 * dot(n, mat3(viewMatrix) * vec3(0.0, 1.0, 0.0));
  lit = mix(${glsl(below)}, ${glsl(above)}, up) * ${strength.toFixed(4)};
  shine = vec3(0.0);
  ${lights.map(([place, color, power]) => `{
    vec3 to = normalize(${glsl(place)}), of = ${glsl(color.map((part) => part * power))};
    lit += of * max(dot(n, to), 0.0);
    shine += of * shineOf(to, eye, n);
  }`).join("\n  ")}
  lit *= (1.0 - metal) / 3.141593;
`;
