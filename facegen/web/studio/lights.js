// The light of facegen's pictures: what faces are lit by, from where the camera looks.
import { Color, DirectionalLight, Group, HemisphereLight } from "/page/three.min.js";

export const SKY = { above: [0.9, 0.95, 1], below: [0.45, 0.36, 0.3], strength: 1.1 };
export const LIGHTS = [[[-0.55, 0.6, 0.65], [1, 0.95, 0.88], 2.3], [[0.8, 0.05, 0.6], [0.6, 0.7, 0.85], 0.6], [[0.75, 0.55, -0.55], [0.85, 0.9, 1], 1.6]];

// Light a scene; what holds the lights is to be turned as the camera is.
export function lit(scene) {
  scene.add(new HemisphereLight(new Color(...SKY.above), new Color(...SKY.below), SKY.strength));
  const frame = new Group();
  for (const [place, color, strength] of LIGHTS) {
    const light = new DirectionalLight(new Color(...color), strength);
    light.position.set(...place);
    frame.add(light, light.target);
  }
  scene.add(frame);
  return frame;
}
