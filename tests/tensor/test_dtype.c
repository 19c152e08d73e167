/* Conversions, against formulas that share nothing with the code: ldexp, exact halves in double. */
#include "test.h"
#include "tensor/dtype.h"

#include <math.h>

static uint32_t bits(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return u;
}

static float f32(uint32_t u)
{
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}

/* The value of a small float format by its definition. */
static double value_of(uint32_t u, int exponent_bits, int fraction_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
    int exponent = (int)(u >> fraction_bits) & top;
    double fraction = (double)(u & ((1u << fraction_bits) - 1)), v;
    if (exponent == top)
        v = fraction != 0 ? NAN : INFINITY;
    else if (exponent == 0)
        v = ldexp(fraction, 1 - bias - fraction_bits);
    else
        v = ldexp(fraction + ldexp(1, fraction_bits), exponent - bias - fraction_bits);
    return u >> (exponent_bits + fraction_bits) ? -v : v;
}

static const struct small_float {
    ia_dtype type;
    int exponent_bits, fraction_bits;
} small_floats[] = {{IA_F16, 5, 10}, {IA_BF16, 8, 7}};

static void widens_all_small_floats(void **state)
{
    (void)state;
    for (size_t k = 0; k < IA_COUNT(small_floats); k++) {
        const struct small_float *t = &small_floats[k];
        for (uint32_t u = 0; u < 65536; u++) {
            uint16_t h = (uint16_t)u, back;
            float f;
            double d, expected = value_of(u, t->exponent_bits, t->fraction_bits);
            ia_dtype_to_f32(t->type, &h, 1, &f);
            ia_dtype_to_f64(t->type, &h, 1, &d);
            ia_dtype_from_f32(t->type, &f, 1, &back);
            if (isnan(expected)) {
                assert_true(isnan(f) && isnan(d));
                assert_int_equal(back & 0x7fff & ~0x40,
                                 h & 0x7fff & ~0x40); /* payload; bf16 may get quiet */
                assert_true(value_of(back, t->exponent_bits, t->fraction_bits) != 0 &&
                            isnan(value_of(back, t->exponent_bits, t->fraction_bits)));
                continue;
            }
            assert_true((double)f == expected && d == expected);
            assert_int_equal(signbit(f) != 0, u >> 15);
            assert_int_equal(back, h);
        }
    }
}

static void narrow_is(const struct small_float *t, float v, uint32_t expected)
{
    uint16_t h, minus;
    float negative = -v;
    ia_dtype_from_f32(t->type, &v, 1, &h);
    ia_dtype_from_f32(t->type, &negative, 1, &minus);
    if (h != expected || minus != (expected | 0x8000))
        fail_msg("%s of %a: %04x, %04x, not %04x", ia_dtype_name(t->type), (double)v, h, minus,
                 expected);
}

/* Between each two neighbours: below the half, the half itself (to the even one), above it. */
static void rounds_small_floats_to_nearest_even(void **state)
{
    (void)state;
    for (size_t k = 0; k < IA_COUNT(small_floats); k++) {
        const struct small_float *t = &small_floats[k];
        uint32_t infinity = ((1u << t->exponent_bits) - 1) << t->fraction_bits;
        for (uint32_t u = 0; u < infinity; u++) {
            double low = value_of(u, t->exponent_bits, t->fraction_bits);
            double high = u + 1 == infinity
                              ? 2 * low - value_of(u - 1, t->exponent_bits, t->fraction_bits)
                              : value_of(u + 1, t->exponent_bits, t->fraction_bits);
            float half = (float)((low + high) / 2);
            if ((double)half != (low + high) / 2) /* only below bf16's subnormals */
                continue;
            narrow_is(t, half, u & 1 ? u + 1 : u);
            narrow_is(t, f32(bits(half) - 1), u);
            narrow_is(t, f32(bits(half) + 1), u + 1);
        }
        narrow_is(t, INFINITY, infinity);
        narrow_is(t, 3.4028235e38f, infinity);
        narrow_is(t, 0, 0);
        narrow_is(t, 0x1p-149f, 0);
        uint16_t h;
        float nan_low = f32(0x7f800001); /* its payload is in bits that are cut */
        ia_dtype_from_f32(t->type, &nan_low, 1, &h);
        assert_true(isnan(value_of(h, t->exponent_bits, t->fraction_bits)));
    }
}

static void names_and_sizes(void **state)
{
    static const struct {
        ia_dtype type;
        const char *name;
        size_t size;
        bool is_float;
    } rows[] = {
        {IA_F32, "float32", 4, true},   {IA_F64, "float64", 8, true}, {IA_F16, "float16", 2, true},
        {IA_BF16, "bfloat16", 2, true}, {IA_I8, "int8", 1, false},    {IA_I16, "int16", 2, false},
        {IA_I32, "int32", 4, false},    {IA_I64, "int64", 8, false},  {IA_U8, "uint8", 1, false},
        {IA_U16, "uint16", 2, false},   {IA_U32, "uint32", 4, false}, {IA_U64, "uint64", 8, false},
        {IA_BOOL, "bool", 1, false},
    };
    (void)state;
    assert_int_equal(IA_COUNT(rows), IA_DTYPE_COUNT);
    for (size_t i = 0; i < IA_COUNT(rows); i++) {
        ia_dtype found = IA_DTYPE_COUNT;
        assert_string_equal(ia_dtype_name(rows[i].type), rows[i].name);
        assert_int_equal(ia_dtype_size(rows[i].type), rows[i].size);
        assert_int_equal(ia_dtype_is_float(rows[i].type), rows[i].is_float);
        assert_true(ia_dtype_from_name(rows[i].name, &found));
        assert_int_equal(found, rows[i].type);
    }
    static const char *const unknown[] = {"",     "float",     "float320", "Float32",
                                          "int4", "complex64", "str"};
    for (size_t i = 0; i < IA_COUNT(unknown); i++) {
        ia_dtype found = IA_I8;
        assert_false(ia_dtype_from_name(unknown[i], &found));
        assert_int_equal(found, IA_I8);
    }
}

/* Reads element values through both widths, from an odd address. */
#define READS(TYPE, ctype, ...)                                                                    \
    do {                                                                                           \
        const ctype values[] = {__VA_ARGS__};                                                      \
        enum { N = IA_COUNT(values) };                                                             \
        uint8_t *raw = malloc(sizeof values + 1);                                                  \
        memcpy(raw + 1, values, sizeof values);                                                    \
        float f[N];                                                                                \
        double d[N];                                                                               \
        ia_dtype_to_f32(TYPE, raw + 1, N, f);                                                      \
        ia_dtype_to_f64(TYPE, raw + 1, N, d);                                                      \
        for (int i = 0; i < N; i++) {                                                              \
            assert_true(f[i] == (float)values[i]);                                                 \
            assert_true(d[i] == (double)values[i]);                                                \
        }                                                                                          \
        free(raw);                                                                                 \
    } while (0)

static void reads_every_type_unaligned(void **state)
{
    (void)state;
    READS(IA_F32, float, 0.1f, -3.5f, 0x1p-149f, INFINITY);
    READS(IA_F64, double, 0.1, 1e300, 1 + 0x1p-24, -0x1p-150);
    READS(IA_I8, int8_t, -128, 127, 0, -1);
    READS(IA_I16, int16_t, -32768, 32767);
    READS(IA_I32, int32_t, INT32_MIN, INT32_MAX, 16777217);
    READS(IA_I64, int64_t, INT64_MIN, INT64_MAX, 9007199254740993);
    READS(IA_U8, uint8_t, 0, 255);
    READS(IA_U16, uint16_t, 65535);
    READS(IA_U32, uint32_t, UINT32_MAX, 16777217);
    READS(IA_U64, uint64_t, UINT64_MAX, 9007199254740993, (uint64_t)1 << 63);
    READS(IA_BOOL, uint8_t, 0, 1);
    ia_dtype_to_f32(IA_F32, NULL, 0, NULL);
    ia_dtype_to_f64(IA_U8, NULL, 0, NULL);
    ia_dtype_from_f32(IA_F32, NULL, 0, NULL);

    /* Ties to even, as NumPy's astype: 2^24 + 1, + 3; 2^53 + 1, + 3. */
    const int64_t ties[] = {16777217, 16777219, -16777217, 9007199254740993, 9007199254740995};
    float f[5];
    double d[5];
    ia_dtype_to_f32(IA_I64, ties, 5, f);
    ia_dtype_to_f64(IA_I64, ties, 5, d);
    assert_true(f[0] == 16777216 && f[1] == 16777220 && f[2] == -16777216);
    assert_true(d[0] == 16777217 && d[3] == 9007199254740992 && d[4] == 9007199254740996);
    const uint8_t truths[] = {0, 1, 2, 255};
    ia_dtype_to_f32(IA_BOOL, truths, 4, f);
    assert_true(f[0] == 0 && f[1] == 1 && f[2] == 1 && f[3] == 1);
}

static const float awkward[] = {0,
                                -0.0f,
                                0.99f,
                                -0.99f,
                                1.5f,
                                -1.5f,
                                127.9f,
                                128,
                                -128.9f,
                                -129,
                                255.9f,
                                256,
                                32768,
                                -32769,
                                65536,
                                2147483648.0f,
                                -2147483648.0f,
                                4294967296.0f,
                                9223372036854775808.0f,
                                -9223372036854775808.0f,
                                18446744073709551616.0f,
                                1e30f,
                                -1e30f,
                                INFINITY,
                                -INFINITY,
                                NAN};

/* By its definition, in long double, which holds every 64-bit integer. */
#define WRITES(TYPE, ctype, low, high)                                                             \
    do {                                                                                           \
        ctype got[IA_COUNT(awkward)];                                                              \
        ia_dtype_from_f32(TYPE, awkward, IA_COUNT(awkward), got);                                  \
        for (size_t i = 0; i < IA_COUNT(awkward); i++) {                                           \
            long double v = truncl((long double)awkward[i]);                                       \
            v = isnan(v) ? 0 : v < (long double)(low) ? (long double)(low) : v;                    \
            v = v > (long double)(high) ? (long double)(high) : v;                                 \
            if ((long double)got[i] != v)                                                          \
                fail_msg(#TYPE " of %g", (double)awkward[i]);                                      \
        }                                                                                          \
    } while (0)

static void writes_integers_clamped(void **state)
{
    (void)state;
    WRITES(IA_I8, int8_t, INT8_MIN, INT8_MAX);
    WRITES(IA_I16, int16_t, INT16_MIN, INT16_MAX);
    WRITES(IA_I32, int32_t, INT32_MIN, INT32_MAX);
    WRITES(IA_U8, uint8_t, 0, UINT8_MAX);
    WRITES(IA_U16, uint16_t, 0, UINT16_MAX);
    WRITES(IA_U32, uint32_t, 0, UINT32_MAX);
    if (sizeof(long double) > 8) {
        WRITES(IA_I64, int64_t, INT64_MIN, INT64_MAX);
        WRITES(IA_U64, uint64_t, 0, UINT64_MAX);
    }
    const float v[] = {0, -0.0f, 0.5f, 1, -3, INFINITY, NAN};
    const uint8_t expected[] = {0, 0, 1, 1, 1, 1, 0};
    uint8_t got[7];
    ia_dtype_from_f32(IA_BOOL, v, 7, got);
    assert_memory_equal(got, expected, 7);
    double d[IA_COUNT(awkward)];
    ia_dtype_from_f32(IA_F64, awkward, IA_COUNT(awkward) - 1, d);
    for (size_t i = 0; i < IA_COUNT(awkward) - 1; i++)
        assert_true(d[i] == (double)awkward[i]);
    uint32_t signalling = 0x7fa00001, copy;
    float f;
    ia_dtype_to_f32(IA_F32, &signalling, 1, &f);
    ia_dtype_from_f32(IA_F32, &f, 1, &copy);
    assert_int_equal(copy, signalling);
}

static void swaps_bytes(void **state)
{
    (void)state;
    uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    ia_byteswap(data, 1, 8);
    assert_memory_equal(data, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    ia_byteswap(data, 4, 2);
    assert_memory_equal(data, "\x07\x08\x05\x06\x03\x04\x01\x02", 8);
    ia_byteswap(data, 2, 4);
    assert_memory_equal(data, "\x06\x05\x08\x07\x02\x01\x04\x03", 8);
    ia_byteswap(data, 8, 1);
    assert_memory_equal(data, "\x06\x05\x08\x07\x02\x01\x04\x03", 8);
    ia_byteswap(NULL, 0, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_all_small_floats),
        cmocka_unit_test(rounds_small_floats_to_nearest_even),
        cmocka_unit_test(names_and_sizes),
        cmocka_unit_test(reads_every_type_unaligned),
        cmocka_unit_test(writes_integers_clamped),
        cmocka_unit_test(swaps_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
