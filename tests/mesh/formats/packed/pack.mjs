// Makes draco.glb and meshopt.glb of plain.glb; run where npm has put @gltf-transform/functions, draco3dgltf and
// meshoptimizer. The other two: gltfpack -i plain.glb -o gltfpack.glb -cc -kn
//                                gltfpack -i plain.glb -o gltfpack_khr.glb -ce khr -cc -kn -km -ke -vpf
import { NodeIO } from "@gltf-transform/core";
import { ALL_EXTENSIONS } from "@gltf-transform/extensions";
import { draco, meshopt } from "@gltf-transform/functions";
import draco3d from "draco3dgltf";
import { MeshoptDecoder, MeshoptEncoder } from "meshoptimizer";

await Promise.all([MeshoptEncoder.ready, MeshoptDecoder.ready]);
const io = new NodeIO().registerExtensions(ALL_EXTENSIONS).registerDependencies({
  "draco3d.encoder": await draco3d.createEncoderModule(),
  "meshopt.encoder": MeshoptEncoder,
});
const steps = { draco: draco({ method: "edgebreaker" }), meshopt: meshopt({ encoder: MeshoptEncoder, level: "high" }) };
for (const [name, step] of Object.entries(steps)) {
  const document = await io.read("plain.glb");
  await document.transform(step);
  await io.write(`${name}.glb`, document);
}
