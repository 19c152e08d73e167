/* Element types and their conversions, one row a type.
 *
 * Rounding is to nearest even throughout; float16 and bfloat16 are handled bit by bit, so no
 * machine needs instructions for them. Sources may be unaligned: elements are loaded with memcpy.
 */
#include "tensor/dtype.h"

#include <assert.h>
#include <string.h>

static uint32_t bits_of(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

static float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 0x1fu,
             fraction = h & 0x3ffu;
    if (exponent == 0x1f) /* infinity and NaN keep their payload */
        return float_of(sign | 0x7f800000u | fraction << 13);
    if (exponent)
        return float_of(sign | (exponent + 112) << 23 | fraction << 13);
    float magnitude = (float)fraction * 0x1p-24f; /* subnormal: exact */
    return sign ? -magnitude : magnitude;
}

/* value >> shift, rounded to nearest even; 1 <= shift <= 31. */
static uint32_t shift_round(uint32_t value, uint32_t shift)
{
    uint32_t half = 1u << (shift - 1), rest = value & (2 * half - 1), q = value >> shift;
    return q + (rest > half || (rest == half && (q & 1)));
}

static uint16_t f16_of_f32(float v)
{
    uint32_t u = bits_of(v), sign = u >> 16 & 0x8000u, magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u) { /* NaN: payload cut, kept from becoming an infinity */
        uint32_t payload = magnitude >> 13 & 0x3ffu;
        return (uint16_t)(sign | 0x7c00u | (payload ? payload : 1));
    }
    if (magnitude >= 0x477ff000u) /* 65520, half way to 2^16, and above */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude >= 0x38800000u) /* 2^-14: a carry out of the fraction raises the exponent */
        return (uint16_t)(sign | shift_round(magnitude - (112u << 23), 13));
    if (magnitude < 0x33000000u) /* below 2^-25, half the least subnormal */
        return (uint16_t)sign;
    uint32_t exponent = magnitude >> 23, fraction = (magnitude & 0x7fffffu) | 0x800000u;
    return (uint16_t)(sign | shift_round(fraction, 126 - exponent));
}

static float bf16_to_f32(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

static uint16_t bf16_of_f32(float v)
{
    uint32_t u = bits_of(v);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(u >> 16 | 0x40u); /* quiet, so that it stays a NaN */
    return (uint16_t)shift_round(u, 16);
}

static double clamp(float v, double low, double high)
{
    if (v != v)
        return 0;
    return (double)v < low ? low : (double)v > high ? high : (double)v;
}

/* The largest value of 64-bit types is no double: compare with the power of two above it. */
static int64_t i64_of_f32(float v)
{
    return v != v ? 0 : v >= 0x1p63f ? INT64_MAX : v < -0x1p63f ? INT64_MIN : (int64_t)v;
}

static uint64_t u64_of_f32(float v)
{
    return v >= 0x1p64f ? UINT64_MAX : v > 0 ? (uint64_t)v : 0;
}

#define SAME(v) (v)
#define TRUTH(v) ((v) != 0)
#define TO_I8(v) ((int8_t)clamp(v, INT8_MIN, INT8_MAX))
#define TO_I16(v) ((int16_t)clamp(v, INT16_MIN, INT16_MAX))
#define TO_I32(v) ((int32_t)clamp(v, INT32_MIN, INT32_MAX))
#define TO_U8(v) ((uint8_t)clamp(v, 0, UINT8_MAX))
#define TO_U16(v) ((uint16_t)clamp(v, 0, UINT16_MAX))
#define TO_U32(v) ((uint32_t)clamp(v, 0, UINT32_MAX))
#define TO_BOOL(v) ((uint8_t)((v) < 0 || (v) > 0))

/* X(enumerator, name, C type, is it a float, value of an element, element of a float) */
#define DTYPES(X)                                                                                  \
    X(F32, "float32", float, true, SAME, SAME)                                                     \
    X(F64, "float64", double, true, SAME, SAME)                                                    \
    X(F16, "float16", uint16_t, true, f16_to_f32, f16_of_f32)                                      \
    X(BF16, "bfloat16", uint16_t, true, bf16_to_f32, bf16_of_f32)                                  \
    X(I8, "int8", int8_t, false, SAME, TO_I8)                                                      \
    X(I16, "int16", int16_t, false, SAME, TO_I16)                                                  \
    X(I32, "int32", int32_t, false, SAME, TO_I32)                                                  \
    X(I64, "int64", int64_t, false, SAME, i64_of_f32)                                              \
    X(U8, "uint8", uint8_t, false, SAME, TO_U8)                                                    \
    X(U16, "uint16", uint16_t, false, SAME, TO_U16)                                                \
    X(U32, "uint32", uint32_t, false, SAME, TO_U32)                                                \
    X(U64, "uint64", uint64_t, false, SAME, u64_of_f32)                                            \
    X(BOOL, "bool", uint8_t, false, TRUTH, TO_BOOL)

#define CONVERSIONS(NAME, text, type, is_float, load, store)                                       \
    static void f32_from_##NAME(const uint8_t *src, size_t n, float *dst)                          \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v;                                                                                \
            memcpy(&v, src + i * sizeof v, sizeof v);                                              \
            dst[i] = (float)load(v);                                                               \
        }                                                                                          \
    }                                                                                              \
    static void f64_from_##NAME(const uint8_t *src, size_t n, double *dst)                         \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v;                                                                                \
            memcpy(&v, src + i * sizeof v, sizeof v);                                              \
            dst[i] = (double)load(v);                                                              \
        }                                                                                          \
    }                                                                                              \
    static void f32_to_##NAME(const float *src, size_t n, uint8_t *dst)                            \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v = store(src[i]);                                                                \
            memcpy(dst + i * sizeof v, &v, sizeof v);                                              \
        }                                                                                          \
    }

DTYPES(CONVERSIONS)

#define ROW(NAME, text, type, is_float, load, store)                                               \
    [IA_##NAME] = {text, sizeof(type), is_float, f32_from_##NAME, f64_from_##NAME, f32_to_##NAME},

static const struct {
    const char *name;
    size_t size;
    bool is_float;
    void (*to_f32)(const uint8_t *src, size_t n, float *dst);
    void (*to_f64)(const uint8_t *src, size_t n, double *dst);
    void (*from_f32)(const float *src, size_t n, uint8_t *dst);
} dtypes[] = {DTYPES(ROW)};

_Static_assert(IA_COUNT(dtypes) == IA_DTYPE_COUNT, "a row for each type");

static size_t dtype_index(ia_dtype t)
{
    assert((unsigned)t < IA_DTYPE_COUNT);
    return (size_t)t;
}

size_t ia_dtype_size(ia_dtype t)
{
    return dtypes[dtype_index(t)].size;
}

const char *ia_dtype_name(ia_dtype t)
{
    return dtypes[dtype_index(t)].name;
}

bool ia_dtype_from_name(const char *name, ia_dtype *out)
{
    for (size_t i = 0; i < IA_COUNT(dtypes); i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = (ia_dtype)i;
            return true;
        }
    }
    return false;
}

bool ia_dtype_is_float(ia_dtype t)
{
    return dtypes[dtype_index(t)].is_float;
}

void ia_dtype_to_f32(ia_dtype t, const void *src, size_t n, float *dst)
{
    if (t == IA_F32 && n)
        memcpy(dst, src, n * sizeof *dst); /* bit by bit: a signalling NaN passes */
    else
        dtypes[dtype_index(t)].to_f32(src, n, dst);
}

void ia_dtype_to_f64(ia_dtype t, const void *src, size_t n, double *dst)
{
    dtypes[dtype_index(t)].to_f64(src, n, dst);
}

void ia_dtype_from_f32(ia_dtype t, const float *src, size_t n, void *dst)
{
    if (t == IA_F32 && n)
        memcpy(dst, src, n * sizeof *src);
    else
        dtypes[dtype_index(t)].from_f32(src, n, dst);
}

void ia_byteswap(void *data, size_t n, size_t size)
{
    uint8_t *p = data;
    for (size_t i = 0; i < n; i++, p += size) {
        for (size_t k = 0; k < size / 2; k++) {
            uint8_t low = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = low;
        }
    }
}
