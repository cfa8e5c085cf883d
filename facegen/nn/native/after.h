// What follows the sums of a fine vertex: a shift, an activation and a gain, in this order.
#pragma once

#include <cmath>
#include <cstdint>

namespace {

// e^x - 1 for x up to 0, as 2^n (e^r - 1) + (2^n - 1) with r of at most half the logarithm of 2 and the series of e^r to
// its seventh power, which leaves out less than float32 can tell. NaN stays NaN.
template <typename vec>
inline vec less_one(vec x, float) {
    typedef int32_t whole __attribute__((vector_size(sizeof(vec)), may_alias));
    constexpr float LEAST = -87.0f, LOG2_E = 1.44269504f, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
    constexpr float ROUND = 12582912.0f;  // 1.5 2^23: a sum with it has the nearest whole number in its last bits
    x = x < LEAST ? vec{} + LEAST : x;
    const vec sum = x * LOG2_E + ROUND, n = sum - ROUND, r = x - n * LN2_HIGH - n * LN2_LOW;
    vec p = r * (1 / 5040.0f) + 1 / 720.0f;
    p = p * r + 1 / 120.0f;
    p = p * r + 1 / 24.0f;
    p = p * r + 1 / 6.0f;
    p = p * r + 0.5f;
    p = p * r * r + r;
    const whole power = ((whole)sum << 23) + 0x3F800000;
    return (vec)power * p + ((vec)power - 1.0f);
}

template <typename vec>
inline vec less_one(vec x, double) {
    for (size_t i = 0; i < sizeof(vec) / sizeof(double); i++) x[i] = std::expm1(x[i]);
    return x;
}

enum { NO_ACTIVATION, RELU, ELU };

template <typename real>
struct After {
    const real* shift;  // (V_fine, C'), or none
    const real* gain;   // (V_fine, C'), or none
    int64_t activation;

    // Of one of the vertices' channels.
    real shift_of(int64_t at) const { return shift ? shift[at] : 0; }
    real gain_of(int64_t at) const { return gain ? gain[at] : 1; }
    bool any() const { return shift || gain || activation != NO_ACTIVATION; }

    // A register of sums. What is less than 0 is asked for, so that NaN stays NaN.
    template <typename vec>
    vec of(vec sum, vec by, vec times) const {
        if (shift) sum += by;
        if (activation == RELU) sum = sum < 0 ? vec{} : sum;
        if (activation == ELU) sum = sum > 0 ? sum : less_one(sum > 0 ? vec{} : sum, real{});
        return gain ? sum * times : sum;
    }
};

}  // namespace
