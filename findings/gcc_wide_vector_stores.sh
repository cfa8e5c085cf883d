#!/bin/sh
# GCC 12.2: on AVX2 a store of a 64-byte vector takes the way over the stack and general registers; Clang's does not.
#
# Done: a loop that adds the product of two rows to a third was written with GCC's vector extension and compiled with
# -O3 -march=x86-64-v3, once for vectors of 32 bytes (a register of AVX2) and once for 64 (two of them), by g++ 12.2 and
# by the clang++ 18 of ziglang 0.13.0. The documentation of the extension says that types wider than what the processor
# has are synthesised from narrower modes.
# Expected: two loads, two products and two stores of 32 bytes where there was one of each.
# Seen, for 64 bytes by g++: sums are made in two registers, written to the stack, read back from there in 8 and 16 bytes,
# put together again (vpinsrq) and stored in 16 bytes; a load that begins inside a store still under way waits for it.
#     g++      32 bytes: 0 accesses to the stack, 0 vpinsrq
#     g++      64 bytes: 8 accesses to the stack, 1 vpinsrq
#     clang++  64 bytes: 0 accesses to the stack, 0 vpinsrq
# A loop like this then takes several times as long as with vectors of 32 bytes. What helps: vectors as wide as the
# registers that each compiled variant has.
# First seen with Debian's g++ 12.2.0, in November 2026. Needs g++ and pip on x86-64.
# Exits with 0 as long as it is so, 1 once it has changed, 2 where it could not be tried.
set -u
at=$(mktemp -d) || exit 2
trap 'rm -rf "$at"' EXIT
cd "$at" || exit 2
command -v g++ >/dev/null || exit 2
python3 -m venv venv && venv/bin/pip install --quiet ziglang==0.13.0 || exit 2
cat > add.cpp <<'SOURCE'
typedef float vec __attribute__((vector_size(BYTES), aligned(4), may_alias));

void add(float* total, const float* one, const float* other, long rows) {
    for (long r = 0; r < rows; r++) {
        const long at = r * (BYTES / 4);
        vec sum = *reinterpret_cast<const vec*>(total + at);
        sum += *reinterpret_cast<const vec*>(one + at) * *reinterpret_cast<const vec*>(other + at);
        *reinterpret_cast<vec*>(total + at) = sum;
    }
}
SOURCE
count() { grep -c -- "$1" "$2" || true; }
stack() { count '(%rsp)' "$1"; }
g++ --version | head -1
for bytes in 32 64; do
    flags="-O3 -DBYTES=$bytes -S add.cpp"
    g++ -march=x86-64-v3 $flags -o g$bytes.s || exit 2
    venv/bin/python -m ziglang c++ -target x86_64-linux-gnu -mcpu=x86_64_v3 $flags -o c$bytes.s 2>err || { cat err; exit 2; }
    for by in g c; do
        echo "$([ $by = g ] && echo g++ || echo clang++) $bytes bytes: $(stack $by$bytes.s) accesses to the stack, $(count vpinsrq $by$bytes.s) vpinsrq"
    done
done
[ "$(stack g32.s)" -eq 0 ] && [ "$(stack g64.s)" -gt 0 ] && [ "$(count vpinsrq g64.s)" -gt 0 ] && [ "$(stack c64.s)" -eq 0 ]
