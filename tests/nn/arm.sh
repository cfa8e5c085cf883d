#!/bin/sh
# The compiled forms on ARM (aarch64), built there by pip and tested, under qemu's emulator of single programs on Debian:
# sh tests/nn/arm.sh FOLDER PYTHON. PYTHON is one that has pip; FOLDER is made once, 1 GB.
#
# Debian's Python for ARM is only unpacked, no system is started and the kernel is told nothing: a virtual environment
# has the emulator as its Python. What that Python calls its own compiler is here the cross compiler, which runs as
# quickly as any program of this machine.
set -eu
cd "$(dirname "$0")/../.."
at=$(realpath -m "$1")
own=$2
python=$at/bin/python
install() { "$own" -m pip --disable-pip-version-check --quiet --python "$python" install -c "$at/constraints.txt" "$@"; }

lacking=$(for each in qemu-aarch64-static:qemu-user-static mmdebstrap:mmdebstrap aarch64-linux-gnu-g++:g++-aarch64-linux-gnu; do
    command -v "${each%:*}" >/dev/null || printf ' %s' "${each#*:}"
done)
[ -z "$lacking" ] || { echo "ARM is emulated by packages of Debian that are missing here: apt install$lacking" >&2; exit 2; }

if ! [ -e "$at/.set-up" ]; then
    rm -rf "$at"
    mkdir -p "$at/bin" "$at/root"
    mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3,libgomp1,libstdc++6 \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$at/root.tar"
    tar -xf "$at/root.tar" -C "$at/root" --exclude=./dev --no-same-owner
    rm "$at/root.tar"
    echo "home = $at/root/usr/bin" > "$at/pyvenv.cfg"
    printf '#!/bin/sh\nexec qemu-aarch64-static -L "%s" -0 "$0" "%s/usr/bin/python3" "$@"\n' "$at/root" "$at/root" > "$python"
    chmod +x "$python"
    # The last torch whose wheel for ARM comes without CUDA's gigabytes.
    sed 's/^torch==.*/torch==2.10.0/' constraints.txt > "$at/constraints.txt"
    # What the tests below import of all that facegen depends on.
    install torch numpy scipy potpourri3d pyyaml tqdm lazy-loader pytest hypothesis
    touch "$at/.set-up"
fi

install --no-deps -e .
built=$("$python" -c 'from facegen.nn import native; print(native.library._name)')
# Four numbers at a time, multiplied and added by one instruction of NEON.
aarch64-linux-gnu-objdump -d "$built" | grep -q 'fmla.*v[0-9]*\.4s' || { echo "$built does not use NEON" >&2; exit 1; }
# OpenMesh would have to be built for ARM too; the levels of a test's mesh may as well be others.
OMP_NUM_THREADS=1 "$python" -c 'import sys, pytest
from facegen.mesh import decimation, hierarchy
hierarchy.decimate = decimation.fewer
sys.exit(pytest.main(sys.argv[1:]))' -p no:cacheprovider -k "not table_1" \
    tests/nn/test_native.py tests/nn/test_layers.py
