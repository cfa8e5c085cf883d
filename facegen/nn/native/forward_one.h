// Forward for one frame, where registers hold channels. What counts is how much is read, so the two maps stay apart, and
// each tile has a table of the vertices on its spirals, unpooled. Where many channels come out, the table has what the
// weights make of each vertex, L C' numbers, and every fine vertex is a sum along its spiral of L of them, without a
// product. Where three do, it has the features themselves, which are fewer, and the weights are applied along the spiral.
#pragma once

#include "common.h"

namespace {

template <typename real>
struct One {
    const real* weight;     // (L, C, C')
    const real* bias;       // (C')
    const real* values;     // (entries) of the unpooling
    const int64_t* place;   // (V_fine) row of `fine` that belongs to a fine vertex
    const int32_t* halo;    // coarse vertices that each tile reads, one tile after the other
    const int32_t* start;   // where a tile's begin in `halo`; one more at the end
    const int32_t* mixed;   // where a tile's unpooled vertices begin in `rows`; one more at the end
    const int32_t* rows;    // where each unpooled vertex's entries begin; one more at the end
    const int16_t* local;   // (entries) row of the tile's table that an entry reads
    const int16_t* spiral;  // (V_fine, L) rows of the tile's table
    int64_t in_channels, out_channels, length, items, tile, tiles;
    After<real> after;
    const real* x;  // (V_coarse, C, T)
    real* fine;     // (V_fine, C', stride), of which T frames are written
    int64_t frames, stride;
    double scale;  // of the sums and the bias
    bool plain() const { return out_channels == OUT; }  // whether the table has features, before the weights
    int64_t width() const {                             // numbers of a row of the table
        const int64_t lanes = plain() ? NARROW : Lanes<real>::count;
        return ((plain() ? in_channels : length * out_channels) + lanes - 1) / lanes * lanes;
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

    static constexpr int OUT = 3, NARROW_BYTES = BYTES > 32 ? 32 : BYTES, NARROW = NARROW_BYTES / sizeof(real);
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

// A fine vertex that is a mixture of coarse ones: VECTORS registers, of WIDTH bytes, of its row.
template <typename real, int WIDTH, int VECTORS>
inline void unpool(const One<real>& w, int32_t row, int64_t width, const real* table, real* to) {
    typedef typename Lanes<real, WIDTH>::type vec;
    constexpr int64_t lanes = Lanes<real, WIDTH>::count;
    vec sum[VECTORS] = {};
    for (int32_t k = w.rows[row]; k < w.rows[row + 1]; k++)
        for (int i = 0; i < VECTORS; i++)
            sum[i] += w.values[k] * load<real, WIDTH>(table + w.local[k] * width + i * lanes);
    for (int i = 0; i < VECTORS; i++) store<real, WIDTH>(to + i * lanes, sum[i]);
}

template <typename real, int WIDTH>
inline void unpool_all(const One<real>& w, int64_t t, const real* table, real* to) {
    constexpr int64_t lanes = Lanes<real, WIDTH>::count;
    const int64_t width = w.width();
    for (int32_t row = w.mixed[t]; row < w.mixed[t + 1]; row++, to += width) {
        int64_t r = 0;
        for (; r + 2 * lanes <= width; r += 2 * lanes) unpool<real, WIDTH, 2>(w, row, width, table + r, to + r);
        for (; r < width; r += lanes) unpool<real, WIDTH, 1>(w, row, width, table + r, to + r);
    }
}

// The sum along a spiral. WIDTH channels are read, of which the first CHANNELS are meant; what lies behind the table is
// there to be read too.
template <typename real, int WIDTH, int CHANNELS>
inline void sum_spiral(const One<real>& w, int64_t v, int64_t first, const real* table, int64_t frame) {
    typedef real vec __attribute__((vector_size(WIDTH * sizeof(real)), aligned(sizeof(real)), may_alias));
    const int64_t width = w.width(), channels = w.out_channels;
    const int16_t* row = w.spiral + v * w.length;
    vec sum{};
    for (int64_t j = 0; j < w.length; j++)
        sum += *reinterpret_cast<const vec*>(table + row[j] * width + j * channels + first);
    const int64_t at = w.place[v] * channels + first;
    vec bias{}, shift{}, gain{};
    std::memcpy(&bias, w.bias + first, CHANNELS * sizeof(real));
    if (w.after.shift) std::memcpy(&shift, w.after.shift + at, CHANNELS * sizeof(real));
    if (w.after.gain) std::memcpy(&gain, w.after.gain + at, CHANNELS * sizeof(real));
    sum = w.after.of(vec((sum + bias) * static_cast<real>(w.scale)), shift, gain);
    for (int c = 0; c < CHANNELS; c++) w.fine[(at + c) * w.stride + frame] = sum[c];
}

// The products along the spirals of four vertices, `step` from each to the next, three channels of each; `weight` is
// (L, 3, width). Rows of the table are VECTORS registers long, or any number where that is 0.
template <typename real, int VECTORS>
inline void multiply_four(const One<real>& w, int64_t first, int64_t step, const real* weight, const real* table,
                          int64_t frame) {
    constexpr int OUT = One<real>::OUT, WIDTH = One<real>::NARROW_BYTES, lanes = One<real>::NARROW;
    typedef typename Lanes<real, WIDTH>::type vec;
    typedef typename Lanes<real, 4 * sizeof(real)>::type four;
    const int64_t width = VECTORS ? VECTORS * lanes : w.width(), length = w.length;
    const int16_t* row = w.spiral + first * length;
    vec sum[4][OUT];
    for (auto& each : sum)
        for (vec& one : each) one = vec{};
    for (int64_t j = 0; j < length; j++, row++, weight += OUT * width) {
        const real* from[4];
        for (int i = 0; i < 4; i++) from[i] = table + row[i * step * length] * width;
        for (int64_t k = 0; k < width; k += lanes)
            for (int i = 0; i < 4; i++) {
                const vec features = load<real, WIDTH>(from[i] + k);
                for (int c = 0; c < OUT; c++) sum[i][c] += features * load<real, WIDTH>(weight + c * width + k);
            }
    }
    four made[OUT] = {sums_of<real>(sum[0][0], sum[1][0], sum[2][0], sum[3][0]),
                      sums_of<real>(sum[0][1], sum[1][1], sum[2][1], sum[3][1]),
                      sums_of<real>(sum[0][2], sum[1][2], sum[2][2], sum[3][2])};
    for (int c = 0; c < OUT; c++) made[c] = (made[c] + w.bias[c]) * static_cast<real>(w.scale);
    const int64_t at[4] = {w.place[first] * OUT, w.place[first + step] * OUT, w.place[first + 2 * step] * OUT,
                           w.place[first + 3 * step] * OUT};
    if (w.after.any())
        for (int c = 0; c < OUT; c++) {
            four shift, gain;
            for (int i = 0; i < 4; i++) shift[i] = w.after.shift_of(at[i] + c), gain[i] = w.after.gain_of(at[i] + c);
            made[c] = w.after.of(made[c], shift, gain);
        }
    for (int i = 0; i < 4; i++) {
        real* to = w.fine + at[i] * w.stride + frame;
        to[0] = made[0][i], to[w.stride] = made[1][i], to[2 * w.stride] = made[2][i];
    }
}

template <typename real>
inline void multiply_all(const One<real>& w, int64_t t, const real* weight, const real* table, int64_t frame) {
    const int64_t vectors = w.width() / One<real>::NARROW, begin = t * w.tile, end = w.end(t);
    const auto all = [&](auto fixed) {
        if (end - begin < 4)  // one four times
            for (int64_t v = begin; v < end; v++) multiply_four<real, fixed()>(w, v, 0, weight, table, frame);
        else  // the last ones twice
            for (int64_t v = begin; v < end; v += 4)
                multiply_four<real, fixed()>(w, std::min(v, end - 4), 1, weight, table, frame);
    };
    if (vectors == 1)
        all(std::integral_constant<int, 1>{});
    else if (vectors == 2)
        all(std::integral_constant<int, 2>{});
    else
        all(std::integral_constant<int, 0>{});
}

template <typename real>
void one_frame(const One<real>& w, int64_t t, int64_t frame, const real* weight, real* table) {
    constexpr int64_t lanes = Lanes<real>::count;
    const int64_t width = w.width(), coarse = w.start[t + 1] - w.start[t];
    real* mixtures = table + (1 + coarse) * width;
    std::memset(table, 0, width * sizeof(real));  // row 0, for where a spiral has nothing
    if (w.plain()) {
        for (int64_t i = 0; i < coarse; i++) {
            const real* x = w.x + w.halo[w.start[t] + i] * w.in_channels * w.frames + frame;
            real* to = table + (1 + i) * width;
            for (int64_t c = 0; c < w.in_channels; c++) to[c] = x[c * w.frames];
            for (int64_t c = w.in_channels; c < width; c++) to[c] = 0;
        }
        unpool_all<real, One<real>::NARROW_BYTES>(w, t, table, mixtures);
        multiply_all(w, t, weight, table, frame);
        return;
    }
    int64_t r = 0;
    for (; r + 2 * lanes <= width; r += 2 * lanes) weigh_all<real, 2>(w, t, frame, weight + r, table + width + r);
    for (; r < width; r += lanes) weigh_all<real, 1>(w, t, frame, weight + r, table + width + r);
    unpool_all<real, BYTES>(w, t, table, mixtures);
    for (int64_t v = t * w.tile; v < w.end(t); v++) {
        int64_t c = 0;
        constexpr int some = lanes < 8 ? lanes : 8;
        for (; c + some <= w.out_channels; c += some) sum_spiral<real, some, some>(w, v, c, table, frame);
        for (; c + 3 <= w.out_channels; c += 3) sum_spiral<real, 4, 3>(w, v, c, table, frame);
        for (; c < w.out_channels; c++) sum_spiral<real, 1, 1>(w, v, c, table, frame);
    }
}

// The weights in the order that they are read in: (C, width), or (L, C', width) for those that are applied last.
template <typename real>
std::vector<real> ordered_weights(const One<real>& w) {
    const int64_t width = w.width(), in = w.in_channels, out = w.out_channels;
    std::vector<real> weight((w.plain() ? w.length * out : in) * width);
    for (int64_t j = 0; j < w.length; j++)
        for (int64_t c = 0; c < in; c++) {
            const real* from = w.weight + (j * in + c) * out;
            if (w.plain())
                for (int64_t o = 0; o < out; o++) weight[(j * out + o) * width + c] = from[o];
            else
                std::memcpy(&weight[c * width + j * out], from, out * sizeof(real));
        }
    return weight;
}

// Steps up, each from what the one before has written.
template <typename real>
void all_one(const One<real>* steps, int64_t count, int64_t threads) {
    std::vector<std::vector<real>> weights;
    std::vector<int64_t> jobs;
    int64_t size = 0, work = 0;
    for (const One<real>* w = steps; w < steps + count; w++) {
        weights.push_back(ordered_weights(*w));
        jobs.push_back(w->tiles * w->frames);
        size = std::max(size, w->longest() * w->width());
        work += w->items * w->length * w->out_channels * w->frames;
    }
    // A thread costs some ten microseconds.
    if (work < 1 << 18) threads = 1;
    share_out<real>(jobs, threads, size, [&](int64_t step, int64_t job, real* table) {
        const One<real>& w = steps[step];
        one_frame(w, job / w.frames, job % w.frames, weights[step].data(), table);
    });
}

}  // namespace
