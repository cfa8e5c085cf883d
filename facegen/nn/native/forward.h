// Forward: the fine vertices are cut into tiles. For a tile and as many frames as fit one register, the weights are
// first applied to the coarse vertices that the tile reads, into memory that stays in the cache; then every fine vertex
// is summed in registers and written once, where it belongs. The last frames take registers no wider than they need.
#pragma once

#include "common.h"

namespace {

// W_j f(u) for one coarse vertex, CHANNELS of its channels: into `spread` (L C', lanes), or added to it.
template <typename real, int WIDTH, int CHANNELS>
inline void apply_taps(const Work<real>& w, const real* x, int64_t first, int64_t count, real* spread) {
    typedef typename Lanes<real, WIDTH>::type vec;
    const int64_t rows = w.taps_rows(), step = w.in_channels;  // copies: what is stored below might else alias them
    const real* weight = w.taps + first;
    vec features[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) features[c] = load<real, WIDTH>(x + (first + c) * w.frames, count);
    for (int64_t r = 0; r < rows; r++, weight += step) {
        vec* to = reinterpret_cast<vec*>(spread + r * Lanes<real, WIDTH>::count);
        vec sum = first ? *to : vec{};
        for (int c = 0; c < CHANNELS; c++) sum += weight[c] * features[c];
        *to = sum;
    }
}

// The sum over a fine vertex's entries, CHANNELS of its channels.
template <typename real, int WIDTH, int CHANNELS>
inline void sum_entries(const Work<real>& w, int64_t v, int64_t first, int64_t count, const real* spread, real* out) {
    typedef typename Lanes<real, WIDTH>::type vec;
    constexpr int64_t lanes = Lanes<real, WIDTH>::count;
    const int32_t stop = w.rows[v + 1];
    const int64_t step = w.out_channels * lanes;
    vec sum[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) sum[c] = vec{} + w.bias[first + c];
    for (int32_t k = w.rows[v]; k < stop; k++) {
        const real* from = spread + w.local[k] * step + first * lanes;
        for (int c = 0; c < CHANNELS; c++) sum[c] += w.values[k] * *reinterpret_cast<const vec*>(from + c * lanes);
    }
    if (w.after.any()) {
        const int64_t at = w.place[v] * w.out_channels + first;
        for (int c = 0; c < CHANNELS; c++)
            sum[c] = w.after.of(sum[c], vec{} + w.after.shift_of(at + c), vec{} + w.after.gain_of(at + c));
    }
    out += first * w.stride;
    if (count == lanes && w.past_caches)
        for (int c = 0; c < CHANNELS; c++) store_past_caches<real, WIDTH>(out + c * w.stride, sum[c]);
    else
        for (int c = 0; c < CHANNELS; c++) store<real, WIDTH>(out + c * w.stride, sum[c], count);
}

// One tile, of `count` frames that fit a register of WIDTH bytes.
template <typename real, int WIDTH>
void one_tile(const Work<real>& w, int64_t t, int64_t frame, int64_t count, real* spread) {
    for (int32_t i = w.start[t]; i < w.start[t + 1]; i++) {
        const real* x = w.x + w.halo[i] * w.in_channels * w.frames + frame;
        real* to = spread + (i - w.start[t]) * w.taps_rows() * Lanes<real, WIDTH>::count;
        int64_t c = 0;
        constexpr int some = REGISTERS / 2;
        for (; c + some <= w.in_channels; c += some) apply_taps<real, WIDTH, some>(w, x, c, count, to);
        for (; c + 8 <= w.in_channels; c += 8) apply_taps<real, WIDTH, 8>(w, x, c, count, to);
        for (; c < w.in_channels; c++) apply_taps<real, WIDTH, 1>(w, x, c, count, to);
    }
    for (int64_t v = t * w.tile; v < w.end(t); v++) {
        real* out = w.fine + w.place[v] * w.out_channels * w.stride + frame;
        int64_t c = 0;
        for (; c + 8 <= w.out_channels; c += 8) sum_entries<real, WIDTH, 8>(w, v, c, count, spread, out);
        for (; c + 3 <= w.out_channels; c += 3) sum_entries<real, WIDTH, 3>(w, v, c, count, spread, out);
        for (; c < w.out_channels; c++) sum_entries<real, WIDTH, 1>(w, v, c, count, spread, out);
    }
    if (w.past_caches) finish_past_caches();
}

template <typename real>
void all_forward(const Work<real>& w, int64_t threads) {
    constexpr int64_t lanes = Lanes<real>::count;
    const int64_t blocks = (w.frames + lanes - 1) / lanes;
    // A thread costs some ten microseconds.
    if (w.rows[w.items] * w.out_channels * w.frames < 1 << 20) threads = 1;
    share_out<real>(w.tiles * blocks, threads, w.longest() * w.taps_rows() * lanes, [&](int64_t job, real* spread) {
        const int64_t frame = job % blocks * lanes, count = w.frames - frame < lanes ? w.frames - frame : lanes;
        no_wider<real>(count, [&](auto width) { one_tile<real, width()>(w, job / blocks, frame, count, spread); });
    });
}

}  // namespace
