// The page of a face that moves: `facegen.exporters.html` puts this, the other parts of the player, three.js and the
// animation into one file. The parts follow this one in the order face, moment, written, hands, and share its names.
import * as THREE from "./three.min.js";

const part = (id) => document.getElementById(id);
const about = JSON.parse(part("about").textContent);
const last = about.frames - 1;
const FIELD = 26; // degrees that the camera sees from top to bottom: as a portrait's lens
const COLOURS = 8; // of curves, in the style sheet

const moment = { time: 0, playing: false, loop: true, before: 0, drawn: -1 };
const held = new Map(); // weights that were put by hand, by the names of shapes
let face, pending = 0;

const page = document.documentElement.dataset;
page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
part("theme").onclick = () => (page.theme = page.theme === "dark" ? "light" : "dark");
