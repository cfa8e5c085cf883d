# `make demo` and `make test` set up everything on a fresh machine: .venv once, then the work.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHOWN := $(VENV)/.shown
TRAINS := $(VENV)/.trains
SET_UP := $(VENV)/.set-up
PIP = $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
# openmesh comes as source: it needs a C++ compiler and cmake, and with cmake 4 the policy that its build files ask for.
BUILT = CMAKE_POLICY_VERSION_MINIMUM=3.5 $(PIP)
# All that the first pictures need beside facegen and its compiled forms: a small part of what it depends on, no torch.
FIRST = numpy scipy pyyaml tqdm lazy-loader pillow embreex imageio-ffmpeg

.PHONY: demo test tests fuzz audit bench long-runs types lint docs package built-package tried-package lowest blender triton arm elsewhere browser false-faces lids own-face six six-skin six-sheet usual photos leaning draws styles readers studio studio-clip studio-pictures three pretrained scale clean

# The first pictures need little; what training needs is fetched and built once they are there.
demo: $(SHOWN)
	$(BIN)/facegen demo --out demo --first
	@$(MAKE) --no-print-directory $(TRAINS)
	$(BIN)/facegen demo --out demo

# Types are checked by one process, beside the first of the tests.
test: lint
	@$(MAKE) --no-print-directory -j2 types tests

# One thread for each test process: two processes that both want both cores only slow each other down.
tests: $(SET_UP)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --durations=20

# pyright fetches its checker when it first runs; without a way to it there is nothing to run.
types: $(SET_UP)
	@if $(BIN)/pyright --version >/dev/null 2>&1; then $(BIN)/pyright --project pyproject.toml --pythonpath $(BIN)/python; else \
	  echo "pyright could not be fetched: types are not checked" >&2; fi

lint: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# A fuzzer that is guided by coverage over the readers that are written here, for ten minutes. What it finds lies in
# .venv/fuzz, and belongs into tests/faults/found.
fuzz: $(SET_UP)
	$(PIP) atheris==3.0.0
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m faults.fuzz 600 $(VENV)/fuzz

# Known faults of what users install, where pip-audit can be had and reaches its data, and under which licences it comes.
audit: $(SET_UP)
	$(BIN)/python tests/licences.py
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && \
	  $(VENV)/audit/bin/python -m pip install --disable-pip-version-check --quiet pip-audit==2.10.1; } || \
	  echo "pip-audit could not be installed: known faults were not looked for" >&2
	@! test -x $(VENV)/audit/bin/pip-audit || $(BIN)/python tests/known_faults.py $(VENV)/audit/bin/pip-audit

# Speed over time: ratios of this machine and commit, added to benchmarks/history.jsonl and drawn for docs/speed.md; some
# minutes, of an idle machine.
bench: $(SET_UP)
	$(BIN)/python tests/benchmark/history.py

# Memory, descriptors and threads of one process over 1,000 animations and 100,000 frames that are sent, and what 10,000
# frames take in three formats; some minutes.
long-runs: $(SET_UP)
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python tests/benchmark/long_runs.py

# The pages of docs/ as a site, in site/. The code is read, not imported: what builds the site is all that is installed.
docs: $(VENV)/docs/.set-up
	$(VENV)/docs/bin/zensical build --clean --strict

$(VENV)/docs/.set-up: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)/docs
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' > $(VENV)/docs/wanted.txt
	$(VENV)/docs/bin/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -r $(VENV)/docs/wanted.txt
	@touch $@

# The package as a stranger meets it; after a failure the folder is left to look into.
package:
	@at=$$(mktemp -d) && $(MAKE) --no-print-directory built-package tried-package AT=$$at DIST=$$at/dist && rm -rf $$at

# The sdist, and the wheel that is built from it, in $(DIST).
built-package:
	$(PYTHON) -m venv $(AT)/tools
	$(AT)/tools/bin/python -m pip install --disable-pip-version-check --quiet build==1.6.1 twine==7.0.0 "readme-renderer[md]==46.0"
	$(AT)/tools/bin/python -m build --outdir $(DIST) .
	$(AT)/tools/bin/python -m twine check --strict $(DIST)/*

# Wheels of $(DIST) are looked into, and the one for this Python is installed where nothing else is and run from
# another folder, the way from faces to a clip; then tests out of the sdist run against that installation. No compiler is
# in reach while it is installed, and openmesh, which needs one, is there only while a corpus is prepared and for tests.
tried-package: export PYTHONPATH :=
tried-package: PIP = $(AT)/empty/bin/python -m pip --disable-pip-version-check --quiet
tried-package: BARE = env PATH=$(AT)/empty/bin CC=none CXX=none
tried-package: OPENMESH = CMAKE_POLICY_VERSION_MINIMUM=3.5 $(PIP) install -c constraints.txt openmesh
tried-package: SMALL = --data.workers=0 --trainer.accelerator=cpu --trainer.max_epochs=1 --trainer.enable_progress_bar=false
tried-package:
	for wheel in $(DIST)/*.whl; do $(PYTHON) tests/wheel_contents.py "$$wheel" $(DIST)/*.tar.gz || exit; done
	$(PYTHON) -m venv $(AT)/empty
	$(PIP) download --no-deps --no-index --find-links $(DIST) --only-binary :all: --dest $(AT)/wheel facegen
	$(BARE) $(PIP) install -c constraints.txt $(AT)/wheel/*.whl
	$(PIP) check
	mkdir $(AT)/work && tar -xzf $(DIST)/*.tar.gz -C $(AT)/work
	cd $(AT)/work && ../empty/bin/python -c 'from facegen.nn import native; assert native.library, "no compiled form"'
	cd $(AT)/work && ../empty/bin/facegen --help > help.txt
	cd $(AT)/work && ! ../empty/bin/facegen prepare synthetic --vertices 420 --out none 2> said.txt
	cd $(AT)/work && grep "CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install openmesh$$" said.txt
	$(OPENMESH)
	cd $(AT)/work && ../empty/bin/facegen prepare synthetic --subjects 4 --vertices 420 --frames 10 14 --fps 10 --depth 3 --out corpus
	$(PIP) uninstall -y openmesh
	cd $(AT)/work && ../empty/bin/facegen inspect corpus
	cd $(AT)/work && WANDB_MODE=offline $(BARE) ../empty/bin/facegen fit --model=SpiralGenerator '--model.channels=[16, 8, 8]' --data.corpus=corpus $(SMALL) \
	  --trainer.logger=CSVLogger --trainer.logger.save_dir=. --trainer.logger.name=null --trainer.logger.version=run
	cd $(AT)/work && ../empty/bin/facegen inspect run/checkpoints/last.ckpt
	cd $(AT)/work && ../empty/bin/facegen export corpus --expression happy --out happy.glb
	cd $(AT)/work && $(BARE) ../empty/bin/facegen animate happy.glb --model run/checkpoints/last.ckpt --expression sad --frames 8 --out sad.glb
	$(OPENMESH)
	$(PIP) install -c constraints.txt pytest hypothesis plyfile pygltflib pillow trimesh
	cd $(AT)/work/facegen-* && ../../empty/bin/pytest tests/mesh tests/motion tests/nn/test_native.py

# The oldest versions that pyproject.toml allows, in an environment of their own: on Linux some gigabytes, since torch's
# wheel there is the one for CUDA.
lowest: $(VENV)/lowest/.set-up
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(VENV)/lowest/bin/python -m pytest -n 2

$(VENV)/lowest/.set-up: pyproject.toml constraints-lowest.txt $(wildcard facegen/nn/native/*.cpp facegen/nn/native/*.h)
	$(PYTHON) -m venv $(VENV)/lowest
	CMAKE_POLICY_VERSION_MINIMUM=3.5 $(VENV)/lowest/bin/python -m pip install --disable-pip-version-check --quiet -c constraints-lowest.txt -e '.[prepare,video,photo,usd,abc,packed,onnx,live,studio,dev]'
	@touch $@

# Blender as a Python module, 1.4 GB, for the tests that open exported files in it; it wants an older numpy than facegen.
blender: $(SET_UP)
	$(BIN)/python -m venv $(VENV)/blender
	$(VENV)/blender/bin/python -m pip install --disable-pip-version-check --quiet bpy==5.0.1
	$(BIN)/python -m pytest tests/exporters/test_elsewhere.py tests/rigging/test_played.py

# The kernels for NVIDIA's cards, without a card: by Triton's interpreter, and what its compiler makes of them; two minutes.
# Triton takes a gigabyte and is used by nothing else here, so it lies apart where torch has not brought it.
triton: $(SET_UP)
	$(BIN)/python -c 'import triton' 2>/dev/null || test -d $(VENV)/triton || $(PIP) --no-deps --target $(VENV)/triton triton==3.9.0
	OMP_NUM_THREADS=1 PYTHONPATH=$(VENV)/triton TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/nn/test_triton.py
	OMP_NUM_THREADS=1 PYTHONPATH=$(VENV)/triton TRITON_INTERPRET=0 $(BIN)/python -m pytest tests/nn/test_triton.py

# The compiled forms on ARM, by an emulator; it says which packages of Debian that needs. Some minutes, 1 GB in .venv/arm.
arm: $(SET_UP)
	sh tests/nn/arm.sh $(VENV)/arm $(BIN)/python

# The table of docs/formats.md, asked of the tools themselves; it fails where the page holds another. Blender is part of
# it where `make blender` has been, and is named as missing where not.
elsewhere: $(SET_UP)
	@$(BIN)/python tests/exporters/elsewhere/table.py

# onnxruntime-web and three-vrm, 180 MB, for the tests that run exported models and play a .vrma in headless Chromium,
# and how long a frame of a model takes there.
browser: $(SET_UP)
	mkdir -p $(VENV)/browser && cp tests/engines/browser/package.json $(VENV)/browser
	npm install --prefix $(VENV)/browser --silent --no-audit --no-fund --no-package-lock
	$(BIN)/python -m pytest tests/engines/test_browser.py tests/exporters/test_vrma_played.py
	PYTHONPATH=tests $(BIN)/python tests/engines/browser/speed.py

# The table from which it is told what is a face (docs/own-face.md), a quarter of an hour; with more heads where the data
# are: make false-faces DATA="../ICT-FaceKit ../MakeHuman".
false-faces: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/detection/false_faces.py $(DATA)

# How deep lids cross eyeballs in 1,000 random states (docs/animate.md), some minutes; of more heads where the data are:
# make lids DATA="../ICT-FaceKit ../MakeHuman".
lids: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/alive/crossings.py 1000 $(DATA)

# How truly motion is carried onto heads with shapes of their own (docs/own-face.md), with bounds; some minutes, where
# the data are: make own-face DATA="../ICT-FaceKit ../MakeHuman".
own-face: $(SET_UP)
	$(BIN)/python tests/benchmark/own_face_bounds.py $(DATA)

# Whether the model that comes with facegen moves 100 drawn people and three heads as FACS says, by a detector that knows
# nothing of it (docs/model-card.md), a quarter of an hour; what it does to skin of other heads, as long; the sheet of
# them: make six DATA="../ICT-FaceKit ../MakeHuman"; and who of its training's people stands for them all,
# with the data in an hour by how the heads show them too.
six: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/six.py $(DATA)

six-skin: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/six_skin.py $(DATA)

six-sheet: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/six_sheet.py $(DATA)

usual: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/usual.py $(DATA)

# How near `facegen photo` comes to rendered people of all of ICT-FaceKit's modes, by one, two and three pictures
# (docs/photo.md), some minutes: make photos DATA=../ICT-FaceKit.
photos: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/photos.py $(DATA)

# What the detector errs by, which `facegen photo` knows, on 1,500 rendered people: half an hour of one core.
leaning: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/benchmark/learn_leaning.py $(DATA)

# What to draw a take by, tried behind one trained generator of performances (docs/study.md), an hour of one core:
# make draws DATA="runs/ict_performance/version_0/checkpoints/last.ckpt corpora/ict_takes".
draws: $(SET_UP)
	$(BIN)/python tests/models/draws.py $(DATA)

# How much of a style other takes tell, and how much of that is made (docs/study.md), some minutes:
# make styles DATA="runs/ict_performance/version_0/checkpoints/last.ckpt corpora/ict_takes".
styles: $(SET_UP)
	$(BIN)/python tests/models/styles.py $(DATA)

# The same by how many people teach to read styles, half an hour of one core: make readers DATA=../ICT-FaceKit.
readers: $(SET_UP)
	$(BIN)/python tests/models/readers.py $(DATA)

# What of the studio takes minutes: every format saved by its button, a mesh of 500,000 vertices, a photograph.
studio: $(SET_UP)
	$(BIN)/python -m pytest tests/studio/whole.py

# The README's clip of the studio, docs/pictures/studio.webp, by a browser without a screen.
studio-clip: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/studio/clip.py

# The model that comes with facegen, made again: make pretrained ICT_FACEKIT=../ICT-FaceKit, a clone with all identity
# modes. An hour and a quarter of two cores, 45 GB of disk in corpora/. It prints the digests; docs/model-card.md has those of today.
ICT_FACEKIT ?= ../ICT-FaceKit
pretrained: $(SET_UP)
	test -d corpora/ict_face || $(BIN)/facegen prepare ict_facekit --root $(ICT_FACEKIT) --subjects 752 \
	  --test-subjects 36 --val-subjects 20 --region face --acting habitual --takes-per-expression 2 --out corpora/ict_face
	$(BIN)/facegen fit --config configs/pretrained.yaml --trainer.logger CSVLogger \
	  --trainer.logger.save_dir runs --trainer.logger.name pretrained --trainer.logger.version made
	$(BIN)/python -m facegen.training.packing runs/pretrained/made/checkpoints/last.ckpt $(ICT_FACEKIT)

# What a frame costs to prepare and store at the paper's size, for docs/scale.md; a quarter of an hour, 4 GB aside:
# make scale ICT_FACEKIT=../ICT-FaceKit
scale: $(SET_UP)
	$(BIN)/python tests/benchmark/scale.py $(ICT_FACEKIT)

# The pictures of docs/studio.md, docs/pictures/studio-*.webp, by a browser without a screen.
studio-pictures: $(SET_UP)
	PYTHONPATH=tests $(BIN)/python tests/studio/pictures.py

# three.js as facegen's pages have it, in one file; what it takes of it is in facegen/web/three_parts.js. Needs npm.
three:
	@at=$$(mktemp -d) && cp facegen/web/three_parts.js $$at && cd $$at && echo '{"type": "module"}' > package.json && \
	  npm install --silent --no-audit --no-fund three@0.187.0 esbuild@0.25.12 && \
	  npx esbuild three_parts.js --bundle --minify --format=esm --legal-comments=eof --outfile=three.min.js && \
	  cp three.min.js $(CURDIR)/facegen/web/ && cp node_modules/three/LICENSE $(CURDIR)/facegen/web/three.LICENSE.txt && rm -rf $$at

define require-tools
	@command -v $(or $(CXX),g++) >/dev/null 2>&1 || { \
	  echo "facegen needs a C++ compiler to build openmesh: apt install g++ (Debian, Ubuntu), dnf install gcc-c++ (Fedora), xcode-select --install (macOS)" >&2; exit 2; }
	@command -v cmake >/dev/null 2>&1 || { \
	  echo "facegen needs cmake to build openmesh: apt install cmake (Debian, Ubuntu), dnf install cmake (Fedora), brew install cmake (macOS)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "facegen needs Python 3.11 to 3.13, $(PYTHON) is another; name one: make PYTHON=python3.12" >&2; exit 2; }
endef
NEEDED := pyproject.toml constraints.txt $(wildcard facegen/nn/native/*.cpp facegen/nn/native/*.h)

# Without --no-compile pip makes bytecode of all that it installs; what is imported makes its own.
$(SHOWN): $(NEEDED)
	$(require-tools)
	@echo "setting up $(VENV) for the first pictures, a minute or two; what training needs comes after them"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile $(FIRST)
	$(PIP) --no-compile --no-deps -e .
	@# Where the compiled forms could not be built, torch does their work.
	@$(BIN)/python -c 'import sys; from facegen.nn import native; sys.exit(native.library is None)' || $(PIP) --no-compile -e '.[video]'
	@touch $@

$(TRAINS): $(NEEDED)
	@echo "setting up $(VENV) for training, some minutes"
	$(BUILT) --no-compile -e '.[prepare,video]'
	@touch $@

$(SET_UP): $(NEEDED)
	$(require-tools)
	$(PYTHON) -m venv $(VENV)
	$(BUILT) --no-compile -e '.[prepare,video,photo,usd,abc,packed,onnx,live,cluster,studio,dev]'
	@# Tests open .glb in the Khronos validator and in three.js where there is npm, and do without where there is none.
	@! command -v npm >/dev/null 2>&1 || { mkdir -p $(VENV)/elsewhere && cp tests/exporters/elsewhere/package.json $(VENV)/elsewhere && \
	  npm install --prefix $(VENV)/elsewhere --silent --no-audit --no-fund --no-package-lock; } || \
	  echo "npm could not install the glTF validator and three.js: the tests that ask for them will be skipped" >&2
	@touch $@ $(SHOWN) $(TRAINS)

clean:
	rm -rf $(VENV) demo
