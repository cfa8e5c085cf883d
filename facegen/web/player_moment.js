// Of the player: a moment of the animation, which goes on while it plays.

const frameNow = () => Math.min(Math.round(moment.time * about.fps), last);

function want() {
  pending ||= requestAnimationFrame(draw);
}

function draw(now) {
  pending = 0;
  if (moment.playing) forward(Math.min(now - moment.before, 100) / 1000);
  moment.before = now;
  if (face.action) {
    face.action.time = moment.time;
    face.mixer.update(0);
  }
  for (const [name, weight] of held) put(name, weight);
  face.renderer.render(face.scene, face.camera);
  tell();
  if (moment.playing) want();
}

function forward(seconds) {
  const end = last / about.fps;
  moment.time += seconds;
  if (moment.time >= end && !moment.loop) play(false);
  if (moment.time >= end) moment.time = moment.loop ? moment.time % end : end;
}

function put(name, weight) {
  for (const { mesh, index } of face.shapes.get(name)) mesh.morphTargetInfluences[index] = weight;
}

function go(frame) {
  moment.time = Math.max(0, Math.min(frame, last)) / about.fps;
  want();
}

function play(yes) {
  if (last < 1) return;
  if (yes && !moment.loop && frameNow() === last) moment.time = 0;
  moment.playing = yes;
  moment.before = performance.now();
  part("play").textContent = yes ? "❚❚" : "▶";
  part("play").setAttribute("aria-label", yes ? "Pause" : "Play");
  want();
}
