/* Philox against its authors' known answers, and the draws made from it. */
#include "test.h"
#include "base/random.h"

#include <math.h>

/* kat_vectors of the Random123 distribution, philox4x32 with 10 rounds. */
static void gives_the_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } kat[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < IA_COUNT(kat); i++) {
        const uint32_t *c = kat[i].counter;
        ia_random_key key = {{kat[i].key[0], kat[i].key[1]}};
        uint32_t out[4];
        ia_philox(key, c[0] | (uint64_t)c[1] << 32, c[2] | (uint64_t)c[3] << 32, out);
        assert_memory_equal(out, kat[i].out, sizeof out);
    }
}

static void streams_over_the_counter(void **state)
{
    (void)state;
    ia_random_key key = ia_random_key_of(5, 6, 7);
    ia_random r = ia_random_from(key);
    for (uint64_t a = 0; a < 5; a++) {
        uint32_t word[4];
        ia_philox(key, a, 0, word);
        for (int i = 0; i < 4; i++)
            assert_int_equal(ia_random_u32(&r), word[i]);
    }
}

static void separates_streams(void **state)
{
    (void)state;
    ia_random_key keys[64];
    for (uint64_t i = 0; i < 64; i++)
        keys[i] = ia_random_key_of(i & 3 ? (uint64_t)1 << (i & 3) * 20 : 0, i >> 2 & 3, i >> 4);
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(&keys[i], &keys[k], sizeof keys[i]);
}

static void draws_doubles_in_range(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(0, 0, 0));
    double sum = 0, square = 0, least = 1, most = 0;
    enum { N = 200000 };
    for (int i = 0; i < N; i++) {
        double u = ia_random_double(&r);
        assert_true(u >= 0 && u < 1);
        assert_true(u * 0x1p53 == floor(u * 0x1p53));
        sum += u;
        square += u * u;
        least = u < least ? u : least;
        most = u > most ? u : most;
    }
    assert_near(sum / N, 0.5, 0.003); /* 4.6 standard errors */
    assert_near(square / N, 1.0 / 3, 0.003);
    assert_true(least < 1e-4 && most > 1 - 1e-4);
}

static void draws_normals(void **state)
{
    (void)state;
    enum { N = 200000 };
    ia_random r = ia_random_from(ia_random_key_of(1, 0, 0));
    double sum[5] = {0};
    int beyond = 0;
    for (int i = 0; i < N; i++) {
        double x = ia_random_normal(&r), p = 1;
        assert_true(isfinite(x));
        beyond += fabs(x) > 1.959963985;
        for (int k = 1; k <= 4; k++)
            sum[k] += p *= x;
    }
    assert_near(sum[1] / N, 0, 0.011); /* about 5 standard errors each */
    assert_near(sum[2] / N, 1, 0.016);
    assert_near(sum[3] / N, 0, 0.045);
    assert_near(sum[4] / N, 3, 0.037);
    assert_near((double)beyond / N, 0.05, 0.0025);
}

/* Normals follow the definition, by libm within its error. */
static void draws_normals_by_box_muller(void **state)
{
    (void)state;
    ia_random a = ia_random_from(ia_random_key_of(9, 0, 0)), b = a;
    for (int i = 0; i < 1000; i++) {
        double u = ia_random_double(&b), v = ia_random_double(&b);
        double expected = sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979323846 * v);
        assert_near(ia_random_normal(&a), expected, 1e-14);
    }
}

static void draws_below_without_bias(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(2, 0, 0));
    for (int i = 0; i < 100; i++)
        assert_true(ia_random_below(&r, 1) == 0);
    int count[7] = {0};
    for (int i = 0; i < 70000; i++)
        count[ia_random_below(&r, 7)]++;
    double chi = 0;
    for (int i = 0; i < 7; i++)
        chi += (count[i] - 10000.0) * (count[i] - 10000.0) / 10000;
    assert_true(chi < 22.5); /* 6 degrees of freedom, p = 0.001 */
    /* 3 * 2^62: a plain remainder would give the first third twice as often. */
    uint64_t n = (uint64_t)3 << 62;
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t v = ia_random_below(&r, n);
        assert_true(v < n);
        low += v < (uint64_t)1 << 62;
    }
    assert_near(low, 10000, 0.04);
    for (int i = 0; i < 100; i++)
        assert_true(ia_random_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void shuffles_evenly(void **state)
{
    (void)state;
    ia_random r = ia_random_from(ia_random_key_of(3, 0, 0));
    int seen[4][4] = {{0}};
    for (int i = 0; i < 24000; i++) {
        uint64_t item[4] = {0, 1, 2, 3};
        ia_random_shuffle(&r, item, 4);
        assert_true((1 << item[0] | 1 << item[1] | 1 << item[2] | 1 << item[3]) == 15);
        for (int k = 0; k < 4; k++)
            seen[k][item[k]]++;
    }
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 4; i++)
            assert_near(seen[k][i], 6000, 0.06);
    uint64_t one = 5;
    ia_random_shuffle(&r, &one, 1);
    ia_random_shuffle(&r, NULL, 0);
    assert_true(one == 5);
}

/* Files and histories depend on these bytes: a change of them is a change of the contract. The
 * values were computed by an independent Philox in Python from the definitions in random.h. */
static void never_changes(void **state)
{
    (void)state;
    ia_random_key key = ia_random_key_of(0x123456789abcdef0, 7, 42);
    ia_random r = ia_random_from(key);
    uint64_t item[10];
    for (uint64_t i = 0; i < 10; i++)
        item[i] = i;
    ia_random_shuffle(&r, item, 10);
    static const uint64_t order[10] = {4, 3, 1, 7, 0, 9, 8, 6, 5, 2};
    assert_int_equal(key.k[0], 0x93c624df);
    assert_int_equal(key.k[1], 0xd53b6eb5);
    assert_memory_equal(item, order, sizeof order);
    assert_true(ia_random_double(&r) == 0x1.72f67914ee3f6p-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_known_answers),
        cmocka_unit_test(streams_over_the_counter),
        cmocka_unit_test(separates_streams),
        cmocka_unit_test(draws_doubles_in_range),
        cmocka_unit_test(draws_normals),
        cmocka_unit_test(draws_normals_by_box_muller),
        cmocka_unit_test(draws_below_without_bias),
        cmocka_unit_test(shuffles_evenly),
        cmocka_unit_test(never_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
