// A weighted sum of rows that are kept in 16 bits: what it takes is the time to read them.
#pragma once

#include "common.h"

namespace {

struct Rows {
    const int16_t* rows;   // (any, M)
    const int64_t* which;  // (N) of the rows
    const float* weights;  // (N) of a unit of each of these
    float* sum;            // (M)
    int64_t count, length, tiles;
};

inline void all_rows(const Rows& w, int64_t threads) {
    share_out<float>(w.tiles, threads, 0, [&](int64_t t, float*) {
        const int64_t begin = w.length * t / w.tiles, end = w.length * (t + 1) / w.tiles;
        float* const sum = w.sum;
        for (int64_t j = begin; j < end; j++) sum[j] = 0;
        const auto row = [&](int64_t n) { return w.rows + w.which[n] * w.length; };
        int64_t n = 0;
        for (; n + 4 <= w.count; n += 4) {  // four rows at once, so that the sum is read and written a fourth as often
            const int16_t *a = row(n), *b = row(n + 1), *c = row(n + 2), *d = row(n + 3);
            const float p = w.weights[n], q = w.weights[n + 1], r = w.weights[n + 2], s = w.weights[n + 3];
            for (int64_t j = begin; j < end; j++) sum[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j]);
        }
        for (; n < w.count; n++) {
            const int16_t* const a = row(n);
            const float p = w.weights[n];
            for (int64_t j = begin; j < end; j++) sum[j] += p * a[j];
        }
    });
}

}  // namespace
