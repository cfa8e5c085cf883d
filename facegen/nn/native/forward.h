// Forward: the fine vertices are cut into tiles. For a tile and as many frames as fit one register, the weights are
// first applied to the coarse vertices that the tile reads, into memory that stays in the cache; then every fine vertex
// is summed in registers and written once, where it belongs.
#pragma once

#include "common.h"

namespace {

// W_j f(u) for one coarse vertex, CHANNELS of its channels: into `spread` (L C', lanes), or added to it.
template <typename real, int CHANNELS>
inline void apply_taps(const Work<real>& w, const real* x, int64_t first, int64_t count, real* spread) {
    typedef typename Lanes<real>::type vec;
    const int64_t rows = w.taps_rows(), step = w.in_channels;  // copies: what is stored below might else alias them
    const real* weight = w.taps + first;
    vec features[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) features[c] = load(x + (first + c) * w.frames, count);
    for (int64_t r = 0; r < rows; r++, weight += step) {
        vec* to = reinterpret_cast<vec*>(spread + r * Lanes<real>::count);
        vec sum = first ? *to : vec{};
        for (int c = 0; c < CHANNELS; c++) sum += weight[c] * features[c];
        *to = sum;
    }
}

// The sum over a fine vertex's entries, CHANNELS of its channels.
template <typename real, int CHANNELS>
inline void sum_entries(const Work<real>& w, int64_t v, int64_t first, int64_t count, const real* spread, real* out) {
    typedef typename Lanes<real>::type vec;
    const int32_t stop = w.rows[v + 1];
    const int64_t step = w.out_channels * Lanes<real>::count;
    vec sum[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) sum[c] = vec{} + w.bias[first + c];
    for (int32_t k = w.rows[v]; k < stop; k++) {
        const real* from = spread + w.local[k] * step + first * Lanes<real>::count;
        for (int c = 0; c < CHANNELS; c++)
            sum[c] += w.values[k] * *reinterpret_cast<const vec*>(from + c * Lanes<real>::count);
    }
    for (int c = 0; c < CHANNELS; c++) store(out + (first + c) * w.stride, sum[c], count);
}

template <typename real>
void one_tile(const Work<real>& w, int64_t t, int64_t frame, real* spread) {
    const int64_t lanes = Lanes<real>::count, count = w.frames - frame < lanes ? w.frames - frame : lanes;
    for (int32_t i = w.start[t]; i < w.start[t + 1]; i++) {
        const real* x = w.x + w.halo[i] * w.in_channels * w.frames + frame;
        real* to = spread + (i - w.start[t]) * w.taps_rows() * lanes;
        int64_t c = 0;
        constexpr int some = REGISTERS / 2;
        for (; c + some <= w.in_channels; c += some) apply_taps<real, some>(w, x, c, count, to);
        for (; c + 8 <= w.in_channels; c += 8) apply_taps<real, 8>(w, x, c, count, to);
        for (; c < w.in_channels; c++) apply_taps<real, 1>(w, x, c, count, to);
    }
    for (int64_t v = t * w.tile; v < w.end(t); v++) {
        real* out = w.fine + w.place[v] * w.out_channels * w.stride + frame;
        int64_t c = 0;
        for (; c + 8 <= w.out_channels; c += 8) sum_entries<real, 8>(w, v, c, count, spread, out);
        for (; c + 3 <= w.out_channels; c += 3) sum_entries<real, 3>(w, v, c, count, spread, out);
        for (; c < w.out_channels; c++) sum_entries<real, 1>(w, v, c, count, spread, out);
    }
}

template <typename real>
void all_forward(const Work<real>& w, int64_t threads) {
    const int64_t lanes = Lanes<real>::count, blocks = (w.frames + lanes - 1) / lanes;
    // A thread costs some ten microseconds.
    if (w.rows[w.items] * w.out_channels * w.frames < 1 << 20) threads = 1;
    // Where there are fewer tiles than threads, frames are shared out too.
    const int64_t groups = w.tiles < 2 * threads ? (blocks < 2 * threads ? blocks : 2 * threads) : 1;
    share_out<real>(w.tiles * groups, threads, w.longest() * w.taps_rows() * lanes, [&](int64_t job, real* spread) {
        for (int64_t b = job % groups; b < blocks; b += groups) one_tile(w, job / groups, b * lanes, spread);
    });
}

}  // namespace
