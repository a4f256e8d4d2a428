// WebAssembly's vectors of fixed width: 4 lanes, without FMA, which is made of doubles.
#pragma once

#include <stddef.h>
#include <wasm_simd128.h>

#include "../math/emulated_fma.h"
#include "inline.h"

namespace gradstep {
namespace {

// What works on plain vectors alone.
struct WasmVectors {
  using Vector = v128_t;
  using Mask = size_t;  // how many lanes are there
  static constexpr size_t kLanes = 4;
  static constexpr bool kComputesRoots = false;
  static constexpr int kUnroll = 1;

  static GRADSTEP_INLINE Vector broadcast(float x) { return wasm_f32x4_splat(x); }
  static GRADSTEP_INLINE Vector load(const float* from) { return wasm_v128_load(from); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { wasm_v128_store(to, x); }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) { return n; }
  // Without an array, which would lie in memory.
  static GRADSTEP_INLINE Vector load(const float* from, Mask count) {
    if (count == kLanes) return load(from);
    Vector x = wasm_v128_load32_zero(from);
    if (count > 1) x = wasm_v128_load32_lane(from + 1, x, 1);
    if (count > 2) x = wasm_v128_load32_lane(from + 2, x, 2);
    return x;
  }
  static GRADSTEP_INLINE void store(float* to, Vector x, Mask count) {
    if (count == kLanes) return store(to, x);
    wasm_v128_store32_lane(to, x, 0);
    if (count > 1) wasm_v128_store32_lane(to + 1, x, 1);
    if (count > 2) wasm_v128_store32_lane(to + 2, x, 2);
  }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return wasm_f32x4_add(a, b); }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return wasm_f32x4_sub(a, b); }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return wasm_f32x4_mul(a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return wasm_f32x4_div(a, b); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return wasm_f32x4_sqrt(a); }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) { return wasm_v128_xor(a, b); }
  static GRADSTEP_INLINE Vector negate(Vector a) { return wasm_f32x4_neg(a); }
  static GRADSTEP_INLINE bool hasNaN(Vector a) { return wasm_v128_any_true(wasm_f32x4_ne(a, a)); }
  static GRADSTEP_INLINE Vector abs(Vector a) { return wasm_f32x4_abs(a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) {
    return wasm_v128_bitselect(a, b, wasm_f32x4_gt(x, wasm_f32x4_const_splat(0)));
  }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) { return wasm_f32x4_max(a, b); }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    return wasm_f32x4_min(wasm_f32x4_max(x, low), high);
  }

  using Double = v128_t;
  static constexpr size_t kDoubles = 2;
  static GRADSTEP_INLINE Double broadcastDouble(double x) { return wasm_f64x2_splat(x); }
  static GRADSTEP_INLINE void widen(Vector x, Double* out) {
    out[0] = wasm_f64x2_promote_low_f32x4(x);
    out[1] = wasm_f64x2_promote_low_f32x4(upper(x));
  }
  static GRADSTEP_INLINE void widenFrom(const float* from, Double* out) { widen(load(from), out); }
  static GRADSTEP_INLINE Double addDouble(Double a, Double b) { return wasm_f64x2_add(a, b); }
  static GRADSTEP_INLINE Double multiplyDouble(Double a, Double b) { return wasm_f64x2_mul(a, b); }
  static GRADSTEP_INLINE Double loadDouble(const double* from) { return wasm_v128_load(from); }
  static GRADSTEP_INLINE void storeDouble(double* to, Double x) { wasm_v128_store(to, x); }

  static GRADSTEP_INLINE Vector upper(Vector x) { return wasm_i32x4_shuffle(x, x, 2, 3, 0, 1); }
};

// Every fma exactly, lane by lane.
struct WasmExact : WasmVectors {
  static constexpr bool kHasFma = false;
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) { return emulated(a, b, c); }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return emulated(negate(a), b, c);
  }

 private:
  static __attribute__((noinline)) Vector emulated(Vector a, Vector b, Vector c) {
    const auto lane = [&](auto get) { return emulatedFma(get(a), get(b), get(c)); };
    return wasm_f32x4_make(lane([](Vector x) { return wasm_f32x4_extract_lane(x, 0); }),
                           lane([](Vector x) { return wasm_f32x4_extract_lane(x, 1); }),
                           lane([](Vector x) { return wasm_f32x4_extract_lane(x, 2); }),
                           lane([](Vector x) { return wasm_f32x4_extract_lane(x, 3); }));
  }
};

// Every fma through double, with a doubt where that is not sure to be right. Doubts go along with
// the values: before one is stored, the driver asks, and takes WasmExact for these lanes.
struct WasmSimd128 {
  using Plain = WasmVectors;
  using Exact = WasmExact;
  // The signs of lanes tell of doubts; other bits say nothing. `concern` takes less to find, and is
  // there wherever `doubt` is.
  struct Vector {
    v128_t value, concern, doubt;
  };
  using Mask = Plain::Mask;
  static constexpr size_t kLanes = Plain::kLanes;
  static constexpr bool kHasFma = false;
  static constexpr bool kComputesRoots = false;
  static constexpr int kUnroll = 1;

  static GRADSTEP_INLINE bool isDoubtful(Vector x) {
    return GRADSTEP_UNLIKELY(wasm_i32x4_bitmask(x.concern) != 0) &&
           wasm_i32x4_bitmask(x.doubt) != 0;
  }
  static GRADSTEP_INLINE Vector broadcast(float x) { return sure(Plain::broadcast(x)); }
  static GRADSTEP_INLINE Vector load(const float* from) { return sure(Plain::load(from)); }
  static GRADSTEP_INLINE void store(float* to, Vector x) { Plain::store(to, x.value); }
  static GRADSTEP_INLINE Mask firstLanes(size_t n) { return n; }
  static GRADSTEP_INLINE Vector add(Vector a, Vector b) { return with(Plain::add, a, b); }
  static GRADSTEP_INLINE Vector subtract(Vector a, Vector b) { return with(Plain::subtract, a, b); }
  static GRADSTEP_INLINE Vector multiply(Vector a, Vector b) { return with(Plain::multiply, a, b); }
  static GRADSTEP_INLINE Vector divide(Vector a, Vector b) { return with(Plain::divide, a, b); }
  static GRADSTEP_INLINE Vector maximum(Vector a, Vector b) { return with(Plain::maximum, a, b); }
  static GRADSTEP_INLINE Vector exclusiveOr(Vector a, Vector b) {
    return with(Plain::exclusiveOr, a, b);
  }
  static GRADSTEP_INLINE bool hasNaN(Vector a) { return Plain::hasNaN(a.value); }
  static GRADSTEP_INLINE Vector sqrt(Vector a) { return with(Plain::sqrt, a); }
  static GRADSTEP_INLINE Vector negate(Vector a) { return with(Plain::negate, a); }
  static GRADSTEP_INLINE Vector abs(Vector a) { return with(Plain::abs, a); }
  static GRADSTEP_INLINE Vector whenPositive(Vector x, Vector a, Vector b) {
    return with(Plain::whenPositive, x, a, b);
  }
  static GRADSTEP_INLINE Vector clamp(Vector x, Vector low, Vector high) {
    return with(Plain::clamp, x, low, high);
  }

  // Rounded to double and then to float. That goes wrong only where the double lies midway between
  // two floats, which its last 29 bits tell; and elsewhere where the result is subnormal. (A sum
  // that comes to 0 was exact.)
  static GRADSTEP_INLINE Vector fma(Vector a, Vector b, Vector c) {
    const v128_t low = sumOfLow(a.value, b.value, c.value);
    const v128_t high =
        sumOfLow(Plain::upper(a.value), Plain::upper(b.value), Plain::upper(c.value));
    const v128_t sum = wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(low),
                                          wasm_f32x4_demote_f64x2_zero(high), 0, 1, 4, 5);
    // 0x10000000, three bits higher, is the one number that has no absolute value.
    const v128_t midway =
        wasm_i32x4_abs(wasm_i32x4_shl(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), 3));
    const v128_t magnitude = wasm_v128_and(sum, wasm_i32x4_const_splat(0x7fffffff));
    const v128_t tiny = wasm_i32x4_sub(magnitude, wasm_i32x4_const_splat(0x00800000));
    const v128_t subnormal = wasm_v128_and(tiny, wasm_i32x4_neg(magnitude));
    return {sum, either(wasm_v128_or(midway, tiny), a.concern, b.concern, c.concern),
            either(wasm_v128_or(midway, subnormal), a.doubt, b.doubt, c.doubt)};
  }
  static GRADSTEP_INLINE Vector minusFma(Vector a, Vector b, Vector c) {
    return fma(negate(a), b, c);
  }

 private:
  static GRADSTEP_INLINE Vector sure(v128_t value) {
    return {value, wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
  }
  template <class Operation, class... Vectors>
  static GRADSTEP_INLINE Vector with(Operation operation, Vectors... x) {
    return {operation(x.value...), either(x.concern...), either(x.doubt...)};
  }
  static GRADSTEP_INLINE v128_t either(v128_t a) { return a; }
  template <class... More>
  static GRADSTEP_INLINE v128_t either(v128_t a, More... more) {
    return wasm_v128_or(a, either(more...));
  }
  static GRADSTEP_INLINE v128_t sumOfLow(v128_t a, v128_t b, v128_t c) {
    const v128_t product =
        wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
    return wasm_f64x2_add(product, wasm_f64x2_promote_low_f32x4(c));
  }
};

}  // namespace
}  // namespace gradstep
