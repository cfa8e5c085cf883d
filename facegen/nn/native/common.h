// What both directions share: the arrays, a register of frames, and threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "after.h"

namespace {

template <typename real>
struct Work {
    const real* x;         // (V_coarse, C, T)
    const real* taps;      // (L C', C)
    const real* bias;      // (C')
    const int32_t* halo;   // vertices of the other level that each tile reads, one tile after the other
    const int32_t* start;  // where a tile's begin in `halo`; one more at the end
    const int32_t* local;  // (entries) what an entry reads, as a place in its tile's list
    const int32_t* rows;   // where each row's entries begin; one more at the end
    const real* values;    // (entries)
    const int64_t* place;  // (V_fine) row of `fine` that belongs to a fine vertex
    real* fine;            // (V_fine, C', stride), of which T frames are written, or backward read
    real* grad_x;          // (V_coarse, C, T), backward only
    real* grad_taps;       // (tiles, L C', C), backward only
    After<real> after;     // forward only
    int64_t frames, stride, in_channels, out_channels, length, items, tile, tiles;
    int64_t past_caches;  // whether `fine` is written past the caches; then its rows begin and end with a line of them
    int64_t taps_rows() const { return length * out_channels; }
    int64_t longest() const {
        int64_t most = 0;
        for (int64_t t = 0; t < tiles; t++)
            if (start[t + 1] - start[t] > most) most = start[t + 1] - start[t];
        return most;
    }
    int64_t end(int64_t t) const { return (t + 1) * tile < items ? (t + 1) * tile : items; }
};

// Bytes of one of the processor's registers, and how many it has. A vector type that is wider than a register compiles
// too, but GCC then takes each of its sums through memory: four times as slow.
#if defined(__AVX512F__)
constexpr int BYTES = 64, REGISTERS = 32;
#elif defined(__AVX__)
constexpr int BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int BYTES = 16, REGISTERS = 32;
#else
constexpr int BYTES = 16, REGISTERS = 16;
#endif

// What few frames take instead.
constexpr int HALF = BYTES > 16 ? BYTES / 2 : BYTES, QUARTER = HALF > 16 ? HALF / 2 : HALF;

template <typename real, int WIDTH = BYTES>
struct Lanes {
    static constexpr int64_t count = WIDTH / sizeof(real);
    typedef real type __attribute__((vector_size(WIDTH), aligned(sizeof(real)), may_alias));
};

template <typename real, int WIDTH = BYTES>
inline typename Lanes<real, WIDTH>::type load(const real* from, int64_t count = Lanes<real, WIDTH>::count) {
    typedef typename Lanes<real, WIDTH>::type vec;
    if (count == Lanes<real, WIDTH>::count) return *reinterpret_cast<const vec*>(from);
    vec part{};
    std::memcpy(&part, from, count * sizeof(real));
    return part;
}

template <typename real, int WIDTH = BYTES>
inline void store(real* to, const typename Lanes<real, WIDTH>::type& value, int64_t count = Lanes<real, WIDTH>::count) {
    if (count == Lanes<real, WIDTH>::count)
        *reinterpret_cast<typename Lanes<real, WIDTH>::type*>(to) = value;
    else
        std::memcpy(to, &value, count * sizeof(real));
}

// A register that is a whole line of the caches can be written past them, which spares reading that line first; another
// is stored as ever.
template <typename real, int WIDTH>
inline void store_past_caches(real* to, const typename Lanes<real, WIDTH>::type& value) {
#if defined(__AVX512F__)
    if constexpr (WIDTH == 64)
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<const __m512i&>(value));
    else
#endif
        store<real, WIDTH>(to, value);
}

// Let other threads see what was written so.
inline void finish_past_caches() {
#if defined(__AVX512F__)
    _mm_sfence();
#endif
}

// Call with the bytes of the narrowest register, as a type, that holds so many frames.
template <typename real, typename Call>
inline void no_wider(int64_t frames, const Call& call) {
    if (frames <= Lanes<real, QUARTER>::count)
        call(std::integral_constant<int, QUARTER>{});
    else if (frames <= Lanes<real, HALF>::count)
        call(std::integral_constant<int, HALF>{});
    else
        call(std::integral_constant<int, BYTES>{});
}

// Run `job(stage, i, memory)` for all i below `jobs[stage]`, each taken by the next thread that is free, and all of one
// stage before any of the next; `memory` is `size` numbers of the thread's own, aligned to a cache line. What a job gives
// must not depend on which thread that is.
template <typename real, typename Job>
void share_out(const std::vector<int64_t>& jobs, int64_t threads, int64_t size, const Job& job) {
    struct Progress {
        std::atomic<int64_t> next{0}, done{0};
    };
    std::vector<Progress> progress(jobs.size());
    auto take = [&] {
        std::unique_ptr<real[]> memory(new real[size + 128]);
        const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory.get()) + 63) & ~uintptr_t(63);
        for (size_t stage = 0; stage < jobs.size(); stage++) {
            Progress& here = progress[stage];
            for (int64_t i = here.next++; i < jobs[stage]; i = here.next++) {
                job(static_cast<int64_t>(stage), i, reinterpret_cast<real*>(begin));
                here.done.fetch_add(1, std::memory_order_release);
            }
            while (stage + 1 < jobs.size() && here.done.load(std::memory_order_acquire) < jobs[stage])
                std::this_thread::yield();  // to whom the last ones are still with
        }
    };
    int64_t most = 0;
    for (int64_t each : jobs) most = std::max(most, each);
    std::vector<std::thread> helpers;
    try {
        for (int64_t i = 1; i < threads && i < most; i++) helpers.emplace_back(take);
    } catch (const std::system_error&) {  // no more threads to be had: those that run, and this one, do it all
    }
    take();
    for (auto& helper : helpers) helper.join();
}

// Likewise, of one stage.
template <typename real, typename Job>
void share_out(int64_t jobs, int64_t threads, int64_t size, const Job& job) {
    const auto of_one = [&](int64_t, int64_t i, real* memory) { job(i, memory); };
    share_out<real>(std::vector<int64_t>{jobs}, threads, size, of_one);
}

// Numbers of two registers, by their places in the one and then the other.
#if defined(__clang__)
#define PICK(one, other, ...) __builtin_shufflevector(one, other, __VA_ARGS__)
#else
#define PICK(one, other, ...) \
    __builtin_shuffle(one, other, typename Whole<real, sizeof(one)>::type{__VA_ARGS__})
#endif

// Whole numbers of the size of `real`, as a vector of so many bytes.
template <typename real, int WIDTH>
struct Whole {
    typedef typename std::conditional<sizeof(real) == 4, int32_t, int64_t>::type one;
    typedef one type __attribute__((vector_size(WIDTH), may_alias));
};

// The sums of four registers, each of its own numbers.
template <typename real, typename vec>
inline typename Lanes<real, 4 * sizeof(real)>::type sums_of(vec a, vec b, vec c, vec d) {
    typedef typename Lanes<real, 4 * sizeof(real)>::type four;
    constexpr int64_t lanes = sizeof(vec) / sizeof(real);
    if constexpr (lanes == 8) {
        const vec ab = PICK(a, b, 0, 8, 1, 9, 4, 12, 5, 13) + PICK(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
        const vec cd = PICK(c, d, 0, 8, 1, 9, 4, 12, 5, 13) + PICK(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
        const vec all = PICK(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) + PICK(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        four low, high;
        std::memcpy(&low, &all, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char*>(&all) + sizeof low, sizeof high);
        return low + high;
    } else if constexpr (lanes == 4) {
        const vec ab = PICK(a, b, 0, 4, 1, 5) + PICK(a, b, 2, 6, 3, 7);
        const vec cd = PICK(c, d, 0, 4, 1, 5) + PICK(c, d, 2, 6, 3, 7);
        return PICK(ab, cd, 0, 1, 4, 5) + PICK(ab, cd, 2, 3, 6, 7);
    } else {
        static_assert(lanes == 2, "registers of 2, 4 or 8 numbers");
        return four{a[0] + a[1], b[0] + b[1], c[0] + c[1], d[0] + d[1]};
    }
}

}  // namespace
