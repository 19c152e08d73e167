/* Choosing a set of kernels. */
#include "kernel_test.h"

#include <stdio.h>

static void test_sets(void **state)
{
    (void)state;
    assert_string_equal(ia_kernel_set_name(ia_kernel_set_at(0)), "reference");
    const ia_kernel_set *set, *last = NULL;
    size_t n = 0;
    for (; (set = ia_kernel_set_at(n)) != NULL; n++) {
        assert_ptr_equal(ia_kernel_set_find(ia_kernel_set_name(set)), set);
        print_message("this CPU runs: %s\n", ia_kernel_set_name(set));
        last = set;
    }
    assert_null(ia_kernel_set_at(n + 1));
    assert_ptr_equal(ia_kernel_set_find(NULL), last);
    assert_ptr_equal(ia_kernel_set_find("auto"), last);
    assert_null(ia_kernel_set_find("avx1024"));
    assert_null(ia_kernel_set_find(""));
#if defined(__aarch64__)
    assert_non_null(ia_kernel_set_find("neon"));
    assert_null(ia_kernel_set_find("avx2"));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
