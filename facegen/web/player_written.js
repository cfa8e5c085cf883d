// Of the player: what is written beside the face.

function tell() {
  const frame = frameNow();
  if (part("shapes").open) tellShapes();
  if (frame === moment.drawn) return;
  moment.drawn = frame;
  const shown = about.curves.filter(({ values }) => values[frame] >= 0.005);
  const label = shown.map(({ name, values }) => `${name} ${values[frame].toFixed(2)}`).join(", ") || "rest";
  const place = last < 1 ? "" : `frame ${frame} of ${last}, ${(frame / about.fps).toFixed(2)} s`;
  part("now").textContent = about.curves.length ? `${place} · ${label}` : place;
  part("frame").value = frame;
  part("frame").setAttribute("aria-valuetext", part("now").textContent);
}

function tellShapes() {
  for (const slider of part("sliders").querySelectorAll("input")) {
    const { mesh, index } = face.shapes.get(slider.name)[0], weight = mesh.morphTargetInfluences[index];
    if (slider !== document.activeElement) slider.value = weight;
    slider.previousElementSibling.value = weight.toFixed(2);
    slider.parentElement.className = held.has(slider.name) ? "held" : "";
  }
}

function drawCurves() {
  const curves = part("curves");
  curves.setAttribute("viewBox", `0 -0.08 ${last} 1.16`);
  about.curves.forEach(({ name, values }, number) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", values.map((value, frame) => `${frame},${1 - value}`).join(" "));
    const entry = document.createElement("li");
    entry.textContent = name;
    for (const each of [line, entry]) each.setAttribute("class", `c${number % COLOURS}`);
    curves.append(line);
    part("legend").append(entry);
  });
}

function drawSliders() {
  part("shapes").hidden = !face.shapes.size;
  part("count").textContent = `(${face.shapes.size})`;
  for (const name of face.shapes.keys()) {
    const [label, said, shown, slider] = ["label", "span", "output", "input"].map((tag) => document.createElement(tag));
    said.textContent = name;
    Object.assign(slider, { type: "range", name, min: 0, max: 1, step: 0.01, value: 0 });
    slider.oninput = () => {
      held.set(name, slider.valueAsNumber);
      part("release").disabled = false;
      want();
    };
    label.append(said, shown, slider);
    part("sliders").append(label);
  }
  part("shapes").ontoggle = want;
  part("release").onclick = () => {
    held.clear();
    part("release").disabled = true;
    for (const { mesh, index, opened } of [...face.shapes.values()].flat()) mesh.morphTargetInfluences[index] = opened;
    face.action?.stop().play(); // the mixer writes only what has changed since it wrote last: it begins anew
    want();
  };
}
