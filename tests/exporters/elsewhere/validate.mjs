// Prints the Khronos validator's report on a .glb or .gltf as JSON.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const { validateBytes } = createRequire(join(process.argv[2], "package.json"))("gltf-validator");
const path = process.argv[3];
const report = await validateBytes(new Uint8Array(await readFile(path)), {
  externalResourceFunction: async (uri) => new Uint8Array(await readFile(join(dirname(path), decodeURIComponent(uri)))),
});
console.log(JSON.stringify(report));
