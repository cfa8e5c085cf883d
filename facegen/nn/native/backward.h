// Backward: the coarse vertices are cut into tiles. For a tile and as many frames as fit one register, the gradients of
// the fine vertices that it reads are brought together; those of the spread features follow by the transposed matrix,
// and of them, at once, the gradients of the coarse features and of the weights.
#pragma once

#include "common.h"

namespace {

constexpr int TOGETHER = 8;  // coarse vertices at once, so that sums over them are written once and not eight times
constexpr int AHEAD = 8;  // fine vertices whose gradients are asked for before they are read: a tenth less at that level

// CHANNELS channels of the sum over a row's entries.
template <typename real, int WIDTH, int CHANNELS>
inline void sum_row(const Work<real>& w, int64_t row, int64_t first, const real* grads, real* spread) {
    typedef typename Lanes<real, WIDTH>::type vec;
    const int64_t step = w.out_channels * Lanes<real, WIDTH>::count;
    const int32_t stop = w.rows[row + 1];
    vec sum[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) sum[c] = vec{};
    for (int32_t k = w.rows[row]; k < stop; k++) {
        const real* from = grads + w.local[k] * step + first * Lanes<real, WIDTH>::count;
        for (int c = 0; c < CHANNELS; c++) sum[c] += w.values[k] * load<real, WIDTH>(from + c * Lanes<real, WIDTH>::count);
    }
    for (int c = 0; c < CHANNELS; c++) store<real, WIDTH>(spread + (first + c) * Lanes<real, WIDTH>::count, sum[c]);
}

// CHANNELS channels of a coarse vertex's gradient.
template <typename real, int WIDTH, int CHANNELS>
inline void gather_taps(const Work<real>& w, int64_t first, int64_t count, const real* spread, real* grad_x) {
    typedef typename Lanes<real, WIDTH>::type vec;
    const int64_t rows = w.taps_rows(), step = w.in_channels;
    const real* weight = w.taps + first;
    vec sum[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) sum[c] = vec{};
    for (int64_t r = 0; r < rows; r++, weight += step) {
        const vec one = load<real, WIDTH>(spread + r * Lanes<real, WIDTH>::count);
        for (int c = 0; c < CHANNELS; c++) sum[c] += weight[c] * one;
    }
    for (int c = 0; c < CHANNELS; c++) store<real, WIDTH>(grad_x + (first + c) * w.frames, sum[c], count);
}

// Add TOGETHER vertices' part of the weights' gradient, frames still apart.
template <typename real, int WIDTH>
inline void add_taps(const Work<real>& w, const real* spread, const real* features, real* total) {
    typedef typename Lanes<real, WIDTH>::type vec;
    const int64_t lanes = Lanes<real, WIDTH>::count, rows = w.taps_rows(), channels = w.in_channels;
    for (int64_t r = 0; r < rows; r++) {
        vec one[TOGETHER];
        for (int u = 0; u < TOGETHER; u++) one[u] = load<real, WIDTH>(spread + (u * rows + r) * lanes);
        for (int64_t c = 0; c < channels; c++) {
            real* const to = total + (r * channels + c) * Lanes<real>::count;
            vec sum = load<real, WIDTH>(to);
            for (int u = 0; u < TOGETHER; u++) sum += one[u] * load<real, WIDTH>(features + (u * channels + c) * lanes);
            store<real, WIDTH>(to, sum);
        }
    }
}

// One tile, of `count` frames from `frame` on that fit a register of WIDTH bytes; weights' gradients are added to `total`.
template <typename real, int WIDTH>
void frames_back(const Work<real>& w, int64_t t, int64_t frame, int64_t count, real* total, real* memory) {
    const int64_t lanes = Lanes<real, WIDTH>::count, rows = w.taps_rows(), channels = w.in_channels;
    real* const spread = memory;
    real* const features = spread + TOGETHER * rows * lanes;
    real* const grads = features + TOGETHER * channels * lanes;
    for (int32_t i = w.start[t]; i < w.start[t + 1]; i++) {
        const real* from = w.fine + w.place[w.halo[i]] * w.out_channels * w.stride + frame;
        real* to = grads + (i - w.start[t]) * w.out_channels * lanes;
        if (i + AHEAD < w.start[t + 1]) {
            const real* next = w.fine + w.place[w.halo[i + AHEAD]] * w.out_channels * w.stride + frame;
            for (int64_t c = 0; c < w.out_channels; c++) __builtin_prefetch(next + c * w.stride);
        }
        for (int64_t c = 0; c < w.out_channels; c++)
            store<real, WIDTH>(to + c * lanes, load<real, WIDTH>(from + c * w.stride, count));
    }
    for (int64_t first = t * w.tile; first < w.end(t); first += TOGETHER) {
        const int64_t some = w.end(t) - first < TOGETHER ? w.end(t) - first : TOGETHER;
        // Places that no vertex takes stay zero and add nothing.
        if (some < TOGETHER) std::memset(spread, 0, TOGETHER * (rows + channels) * lanes * sizeof(real));
        for (int64_t u = 0; u < some; u++) {
            const real* x = w.x + (first + u) * channels * w.frames + frame;
            for (int64_t c = 0; c < channels; c++)
                store<real, WIDTH>(features + (u * channels + c) * lanes, load<real, WIDTH>(x + c * w.frames, count));
            for (int64_t j = 0; j < w.length; j++) {
                real* to = spread + (u * rows + j * w.out_channels) * lanes;
                const int64_t row = (first + u) * w.length + j;
                int64_t c = 0;
                for (; c + 8 <= w.out_channels; c += 8) sum_row<real, WIDTH, 8>(w, row, c, grads, to);
                for (; c + 3 <= w.out_channels; c += 3) sum_row<real, WIDTH, 3>(w, row, c, grads, to);
                for (; c < w.out_channels; c++) sum_row<real, WIDTH, 1>(w, row, c, grads, to);
            }
            real* back = w.grad_x + (first + u) * channels * w.frames + frame;
            const real* from = spread + u * rows * lanes;
            int64_t c = 0;
            for (; c + 8 <= channels; c += 8) gather_taps<real, WIDTH, 8>(w, c, count, from, back);
            for (; c < channels; c++) gather_taps<real, WIDTH, 1>(w, c, count, from, back);
        }
        add_taps<real, WIDTH>(w, spread, features, total);
    }
}

template <typename real>
void one_tile_back(const Work<real>& w, int64_t t, real* memory) {
    const int64_t lanes = Lanes<real>::count, numbers = w.taps_rows() * w.in_channels;
    std::memset(memory, 0, numbers * lanes * sizeof(real));
    real *const total = memory, *const rest = memory + numbers * lanes;
    for (int64_t frame = 0; frame < w.frames; frame += lanes) {
        const int64_t count = w.frames - frame < lanes ? w.frames - frame : lanes;
        no_wider<real>(count, [&](auto width) { frames_back<real, width()>(w, t, frame, count, total, rest); });
    }
    real* to = w.grad_taps + t * numbers;
    for (int64_t i = 0; i < numbers; i++) {
        real sum = 0;
        for (int64_t lane = 0; lane < lanes; lane++) sum += total[i * lanes + lane];
        to[i] = sum;
    }
}

template <typename real>
void all_backward(const Work<real>& w, int64_t threads) {
    const int64_t rows = w.taps_rows(), vectors =
        rows * w.in_channels + TOGETHER * (rows + w.in_channels) + w.longest() * w.out_channels;
    share_out<real>(w.tiles, threads, vectors * Lanes<real>::count,
                    [&](int64_t t, real* memory) { one_tile_back(w, t, memory); });
}

}  // namespace
