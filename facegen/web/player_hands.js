// Of the player: what hands do, and its beginning.

function listen() {
  const scrubber = part("frame");
  let resumes = false;
  scrubber.max = last;
  scrubber.addEventListener("pointerdown", () => {
    resumes = moment.playing;
    play(false);
  });
  scrubber.addEventListener("input", () => go(scrubber.valueAsNumber));
  for (const end of ["pointerup", "pointercancel"]) scrubber.addEventListener(end, () => {
    if (resumes) play(true);
    resumes = false;
  });
  part("play").onclick = () => play(!moment.playing);
  part("loop").onclick = () => part("loop").setAttribute("aria-pressed", (moment.loop = !moment.loop));
  for (const [id, degrees] of [["front", 0], ["between", 40], ["side", 90]]) part(id).onclick = () => look(degrees);
  part("keys").onclick = () => part("help").showModal();
  face.controls.addEventListener("start", () => (face.moved = true));
  face.controls.addEventListener("change", want);
  new ResizeObserver(fit).observe(part("face"));
  addEventListener("keydown", press);
}

const steps = { ArrowLeft: () => frameNow() - 1, ArrowRight: () => frameNow() + 1, Home: () => 0, End: () => last };
const buttons = { l: "loop", 1: "front", 2: "between", 3: "side", d: "theme", "?": "keys" };

function press(event) {
  const on = event.target, scrubber = part("frame");
  if (event.ctrlKey || event.metaKey || event.altKey || part("help").open) return;
  if (event.key === " " && !on.closest("button, summary")) play(!moment.playing);
  else if (event.key in steps && (on === scrubber || on.tagName !== "INPUT") && last > 0) {
    play(false);
    go(steps[event.key]());
  } else if (event.key.toLowerCase() in buttons) part(buttons[event.key.toLowerCase()]).click();
  else return;
  event.preventDefault();
}

try {
  face = await openFace(part("face"));
  part("timeline").hidden = last < 1;
  drawCurves();
  drawSliders();
  listen();
  fit();
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  page.ready = "yes";
} catch (error) {
  part("trouble").hidden = false;
  part("trouble").textContent = "This face cannot be shown here: the browser needs WebGL 2, which may be switched off in its settings.";
  console.error(error);
}
