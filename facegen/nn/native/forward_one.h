// Forward for one frame, where registers hold channels. What counts is how much is read, so the two maps stay apart:
// the weights are applied to the coarse vertices that a tile reads, the L C' numbers of each are unpooled, and every
// fine vertex is a sum along its spiral of L of them, without a product and with one index of 16 bits for each.
#pragma once

#include "common.h"

namespace {

template <typename real>
struct One {
    const real* x;          // (V_coarse, C, T)
    const real* weight;     // (L, C, C')
    const real* bias;       // (C')
    const int32_t* halo;    // coarse vertices that each tile reads, one tile after the other
    const int32_t* start;   // where a tile's begin in `halo`; one more at the end
    const int32_t* mixed;   // where a tile's unpooled vertices begin in `rows`; one more at the end
    const int32_t* rows;    // where each unpooled vertex's entries begin; one more at the end
    const int16_t* local;   // (entries) row of the tile's table that an entry reads
    const real* values;     // (entries)
    const int16_t* spiral;  // (V_fine, L) rows of the tile's table
    const int64_t* place;   // (V_fine) row of `fine` that belongs to a fine vertex
    real* fine;             // (V_fine, C', stride), of which T frames are written
    int64_t frames, stride, in_channels, out_channels, length, items, tile, tiles;
    int64_t width() const {
        const int64_t lanes = Lanes<real>::count;
        return (length * out_channels + lanes - 1) / lanes * lanes;
    }
    int64_t longest() const {
        int64_t most = 0;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t here = start[t + 1] - start[t] + mixed[t + 1] - mixed[t];
            if (here > most) most = here;
        }
        return most + 1;
    }
    int64_t end(int64_t t) const { return (t + 1) * tile < items ? (t + 1) * tile : items; }
};

// VECTORS registers of what the weights, (C, width), make of VERTICES vertices, into a row of the table for each.
template <typename real, int VERTICES, int VECTORS>
inline void weigh(const One<real>& w, const int32_t* vertex, int64_t frame, const real* weight, real* to) {
    typedef typename Lanes<real>::type vec;
    const int64_t width = w.width(), frames = w.frames;
    const real* x[VERTICES];
    for (int i = 0; i < VERTICES; i++) x[i] = w.x + vertex[i] * w.in_channels * frames + frame;
    vec sum[VERTICES][VECTORS] = {};
    for (int64_t c = 0; c < w.in_channels; c++, weight += width) {
        vec row[VECTORS];
        for (int k = 0; k < VECTORS; k++) row[k] = load(weight + k * Lanes<real>::count);
        for (int i = 0; i < VERTICES; i++)
            for (int k = 0; k < VECTORS; k++) sum[i][k] += x[i][c * frames] * row[k];
    }
    for (int i = 0; i < VERTICES; i++)
        for (int k = 0; k < VECTORS; k++) store(to + i * width + k * Lanes<real>::count, sum[i][k]);
}

template <typename real, int VECTORS>
inline void weigh_all(const One<real>& w, int64_t t, int64_t frame, const real* weight, real* to) {
    const int64_t width = w.width();
    int32_t i = w.start[t];
    for (; i + 4 <= w.start[t + 1]; i += 4, to += 4 * width) weigh<real, 4, VECTORS>(w, w.halo + i, frame, weight, to);
    for (; i < w.start[t + 1]; i++, to += width) weigh<real, 1, VECTORS>(w, w.halo + i, frame, weight, to);
}

// A fine vertex that is a mixture of coarse ones: VECTORS registers of its row.
template <typename real, int VECTORS>
inline void unpool(const One<real>& w, int32_t row, const real* table, real* to) {
    typedef typename Lanes<real>::type vec;
    const int64_t width = w.width();
    vec sum[VECTORS] = {};
    for (int32_t k = w.rows[row]; k < w.rows[row + 1]; k++)
        for (int i = 0; i < VECTORS; i++)
            sum[i] += w.values[k] * load(table + w.local[k] * width + i * Lanes<real>::count);
    for (int i = 0; i < VECTORS; i++) store(to + i * Lanes<real>::count, sum[i]);
}

// The sum along a spiral. WIDTH channels are read, of which the first CHANNELS are meant; what lies behind the table is
// there to be read too.
template <typename real, int WIDTH, int CHANNELS>
inline void sum_spiral(const One<real>& w, int64_t v, int64_t first, const real* table, real* out) {
    typedef real vec __attribute__((vector_size(WIDTH * sizeof(real)), aligned(sizeof(real)), may_alias));
    const int64_t width = w.width(), channels = w.out_channels;
    const int16_t* row = w.spiral + v * w.length;
    vec sum{};
    for (int64_t j = 0; j < w.length; j++)
        sum += *reinterpret_cast<const vec*>(table + row[j] * width + j * channels + first);
    for (int c = 0; c < CHANNELS; c++) out[(first + c) * w.stride] = sum[c] + w.bias[first + c];
}

template <typename real>
void one_frame(const One<real>& w, int64_t t, int64_t frame, const real* weight, real* table) {
    constexpr int64_t lanes = Lanes<real>::count;
    const int64_t width = w.width(), coarse = w.start[t + 1] - w.start[t];
    std::memset(table, 0, width * sizeof(real));  // row 0, for where a spiral has nothing
    int64_t r = 0;
    for (; r + 2 * lanes <= width; r += 2 * lanes) weigh_all<real, 2>(w, t, frame, weight + r, table + width + r);
    for (; r < width; r += lanes) weigh_all<real, 1>(w, t, frame, weight + r, table + width + r);
    real* to = table + (1 + coarse) * width;
    for (int32_t row = w.mixed[t]; row < w.mixed[t + 1]; row++, to += width) {
        r = 0;
        for (; r + 2 * lanes <= width; r += 2 * lanes) unpool<real, 2>(w, row, table + r, to + r);
        for (; r < width; r += lanes) unpool<real, 1>(w, row, table + r, to + r);
    }
    for (int64_t v = t * w.tile; v < w.end(t); v++) {
        real* out = w.fine + w.place[v] * w.out_channels * w.stride + frame;
        int64_t c = 0;
        constexpr int some = lanes < 8 ? lanes : 8;
        for (; c + some <= w.out_channels; c += some) sum_spiral<real, some, some>(w, v, c, table, out);
        for (; c + 3 <= w.out_channels; c += 3) sum_spiral<real, 4, 3>(w, v, c, table, out);
        for (; c < w.out_channels; c++) sum_spiral<real, 1, 1>(w, v, c, table, out);
    }
}

template <typename real>
void all_one(const One<real>& w, int64_t threads) {
    const int64_t width = w.width();
    std::vector<real> weight(w.in_channels * width);  // (C, width): for each feature all that it is multiplied with
    for (int64_t j = 0; j < w.length; j++)
        for (int64_t c = 0; c < w.in_channels; c++)
            std::memcpy(&weight[c * width + j * w.out_channels], w.weight + (j * w.in_channels + c) * w.out_channels,
                        w.out_channels * sizeof(real));
    // A thread costs some ten microseconds.
    if (w.items * width * w.frames < 1 << 18) threads = 1;
    share_out<real>(w.tiles * w.frames, threads, w.longest() * width, [&](int64_t job, real* table) {
        one_frame(w, job / w.frames, job % w.frames, weight.data(), table);
    });
}

}  // namespace
