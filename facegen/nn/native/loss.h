// Eq. 5, its gradient and the error of each frame, in one pass over what was generated and what was recorded.
#pragma once

#include <cmath>

#include "common.h"

namespace {

template <typename real>
struct Loss {
    const real* generated;  // (V, 3, made), of which N frames are read
    const real* recorded;   // (V, 3, N)
    const real* steps;      // (N + 1) weight of the step from the frame before to each frame; the ends are 0
    real* gradient;         // (V, 3, stride), of which N are written, of the sum of absolute errors and steps, weighted; null where nobody wants it
    double* total;          // (tiles) that sum
    double* distance;       // (tiles, N) sums over vertices of the Euclidean distance
    double each;            // weight of a coordinate's absolute error
    int64_t vertices, frames, made, stride, tiles;
};

template <typename real>
inline real sign(real x) {
    return static_cast<real>((x > 0) - (x < 0));
}

template <typename real>
void one_tile_of_loss(const Loss<real>& w, int64_t t, real* memory) {
    const int64_t frames = w.frames;
    const real each = static_cast<real>(w.each);
    real* const error = memory + 1;  // a place before the first and one behind the last, whose steps weigh nothing
    real* const turned = error + frames + 2;
    real* const square = turned + frames + 2;
    real* const spare = square + frames + 2;
    double total = 0;
    double* const distance = w.distance + t * frames;
    std::memset(distance, 0, frames * sizeof(double));
    for (int64_t v = w.vertices * t / w.tiles; v < w.vertices * (t + 1) / w.tiles; v++) {
        std::memset(square, 0, frames * sizeof(real));
        for (int64_t row = 3 * v; row < 3 * v + 3; row++) {
            const real *generated = w.generated + row * w.made, *recorded = w.recorded + row * frames;
            real* const gradient = w.gradient ? w.gradient + row * w.stride : spare;
            for (int64_t i = 0; i < frames; i++) {
                error[i] = generated[i] - recorded[i];
                square[i] += error[i] * error[i];
            }
            error[-1] = error[0], error[frames] = error[frames - 1];
            for (int64_t i = 0; i <= frames; i++) turned[i] = w.steps[i] * sign(error[i] - error[i - 1]);
            real sum = 0;
            for (int64_t i = 0; i < frames; i++) {
                gradient[i] = each * sign(error[i]) + turned[i] - turned[i + 1];
                sum += error[i] * gradient[i];  // sums of absolute values are their gradient times what they are of
            }
            total += sum;
        }
        for (int64_t i = 0; i < frames; i++) distance[i] += std::sqrt(square[i]);
    }
    w.total[t] = total;
}

template <typename real>
void all_loss(const Loss<real>& w, int64_t threads) {
    share_out<real>(w.tiles, threads, 4 * (w.frames + 4),
                    [&](int64_t t, real* memory) { one_tile_of_loss(w, t, memory); });
}

}  // namespace
