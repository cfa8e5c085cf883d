// What facegen's pages need of three.js: `make three` bundles it as three.min.js, so that a page has all of it in one file.
export {
  ACESFilmicToneMapping, AgXToneMapping, AmbientLight, AnimationMixer, Box3, BufferAttribute, BufferGeometry, Clock,
  Color, DirectionalLight, DoubleSide, Float32BufferAttribute, Group, HemisphereLight, LineBasicMaterial,
  LineSegments, MathUtils, Mesh, MeshBasicMaterial, MeshPhysicalMaterial, MeshStandardMaterial, NeutralToneMapping,
  NoToneMapping, PCFSoftShadowMap, PMREMGenerator, PerspectiveCamera, Quaternion, Raycaster, SRGBColorSpace, Scene,
  Sphere, Texture, TextureLoader, Uint32BufferAttribute, VSMShadowMap, Vector2, Vector3, WebGLRenderTarget,
  WebGLRenderer, WireframeGeometry,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
export { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
