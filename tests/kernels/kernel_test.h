/* What the kernel tests share: arrays that end at a page nobody may touch, random numbers,
 * comparison by bytes, and the sets this CPU can run. */
#ifndef KERNEL_TEST_H
#define KERNEL_TEST_H

#include "test.h"

#include "base/alloc.h"
#include "kernels/kernels.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

/* Floats between an array and the forbidden page: 0, but where an emulator reads whole vectors for
 * instructions that read one float (qemu 7.2 for vfmadd132ss and vmaskmovps), KERNEL_TEST_GAP. */
static inline size_t guard_gap(void)
{
    const char *gap = getenv("KERNEL_TEST_GAP");
    return gap ? (size_t)atoi(gap) : 0;
}

/* Room for `capacity` floats in front of a forbidden page. */
typedef struct guard {
    char *map;
    size_t bytes;
    float *end;
    size_t capacity;
} guard;

static inline guard guard_new(size_t capacity)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = ((capacity + guard_gap()) * sizeof(float) + page - 1) / page * page;
    guard g = {.bytes = bytes + 2 * page, .capacity = capacity};
    g.map = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g.map, MAP_FAILED);
    assert_int_equal(mprotect(g.map, page, PROT_NONE), 0);
    assert_int_equal(mprotect(g.map + page + bytes, page, PROT_NONE), 0);
    g.end = (float *)(void *)(g.map + page + bytes) - guard_gap();
    for (size_t i = 0; i < guard_gap(); i++)
        g.end[i] = NAN;
    return g;
}

static inline void guard_free(guard *g)
{
    munmap(g->map, g->bytes);
}

static inline float test_float(ia_random *r)
{
    return (float)(4 * ia_random_double(r) - 2);
}

/* The last n floats of the room, random; what lies in front of them is NaN. */
static inline float *guard_random(guard *g, size_t n, ia_random *r)
{
    assert_true(n <= g->capacity);
    float *p = g->end - n;
    for (size_t i = 0; i < 8 && p - i > g->end - g->capacity; i++)
        p[-(ptrdiff_t)i - 1] = NAN;
    for (size_t i = 0; i < n; i++)
        p[i] = test_float(r);
    return p;
}

/* The same for an output: filled with a value that no test expects. */
static inline float *guard_output(guard *g, size_t n)
{
    assert_true(n <= g->capacity);
    float *p = g->end - n;
    for (size_t i = 0; i < 8 && p - i > g->end - g->capacity; i++)
        p[-(ptrdiff_t)i - 1] = -77777.0f;
    for (size_t i = 0; i < n; i++)
        p[i] = 88888.0f;
    return p;
}

static inline void guard_check(const guard *g, size_t n)
{
    const float *p = g->end - n;
    for (size_t i = 0; i < 8 && p - i > g->end - g->capacity; i++)
        assert_true(p[-(ptrdiff_t)i - 1] == -77777.0f);
}

static inline uint32_t test_bits(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return x != x ? UINT32_C(0x7fc00000) : b; /* which NaN it is, is free */
}

/* Index of the first element that differs in its bytes, n when none does. */
static inline size_t test_difference(const float *a, const float *b, size_t n)
{
    size_t i = 0;
    while (i < n && test_bits(a[i]) == test_bits(b[i]))
        i++;
    return i;
}

#define assert_same_floats(a, b, n, set, ...)                                                      \
    do {                                                                                           \
        size_t same_n = (n), same_at = test_difference(a, b, same_n);                              \
        if (same_at < same_n) {                                                                    \
            print_error(__VA_ARGS__);                                                              \
            fail_msg(": %s differs at %zu of %zu: %a, not %a", ia_kernel_set_name(set), same_at,   \
                     same_n, (double)(a)[same_at], (double)(b)[same_at]);                          \
        }                                                                                          \
    } while (0)

static inline ia_exec test_reference(void)
{
    return (ia_exec){.set = ia_kernel_set_find("reference")};
}

static inline const ia_kernel_set *test_set_after(const ia_kernel_set *set)
{
    size_t i = 0;
    while (ia_kernel_set_at(i) != set)
        i++;
    return ia_kernel_set_at(i + 1);
}

/* for every set but the reference */
#define FOR_EACH_SET(e)                                                                            \
    for (ia_exec e = {.set = ia_kernel_set_at(1)}; e.set != NULL; e.set = test_set_after(e.set))

#endif
