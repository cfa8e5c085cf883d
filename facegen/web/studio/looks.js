// From where the face is looked at.
import { Vector3 } from "/page/three.min.js";

const VIEWS = { front: [0, 3], "three-quarter": [38, 5], side: [88, 2] }; // degrees, as facegen/pictures/render.py has them
const MARGIN = 1.14;
export const LENS = 16; // degrees: a long lens does not distort a face

// Put a camera, and what turns it, where all of a box (low, high) is seen from one of VIEWS.
export function placed(camera, controls, [low, high], name, aspect) {
  const [turn, lift] = VIEWS[name].map((angle) => (angle * Math.PI) / 180);
  const middle = low.clone().add(high).multiplyScalar(0.5);
  const size = high.clone().sub(low);
  const slope = Math.tan((LENS * Math.PI) / 360);
  const wide = (Math.abs(Math.cos(turn)) * size.x + Math.abs(Math.sin(turn)) * size.z) / Math.min(aspect, 1e3);
  const far = ((MARGIN * Math.max(size.y, wide)) / (2 * slope)) + size.z / 2;
  const back = new Vector3(Math.sin(turn) * Math.cos(lift), Math.sin(lift), Math.cos(turn) * Math.cos(lift));
  camera.position.copy(middle).addScaledVector(back, far);
  camera.near = far / 50;
  camera.far = far * 20;
  camera.updateProjectionMatrix();
  controls.target.copy(middle);
  controls.update();
}
