/* Quotas of cgroups, read from made-up hierarchies. */
#include "test.h"
#include "base/cpus.h"
#include "scratch.h"

#include <ftw.h>
#include <sched.h>

static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s", scratch(path));
    for (char *s = full + strlen(scratch_folder) + 1; *s; s++) {
        if (*s != '/')
            continue;
        *s = 0;
        mkdir(full, 0700);
        *s = '/';
    }
    scratch_write(full, text);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int clear(void **state)
{
    nftw(scratch_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return scratch_setup(state);
}

static int quota(const char *membership)
{
    put("membership", membership);
    return ia_cpus_quota(scratch("membership"), scratch("cg"));
}

static void reads_version_2(void **state)
{
    (void)state;
    put("cg/a/b/cpu.max", "250000 100000\n");
    assert_int_equal(quota("0::/a/b\n"), 3); /* 2.5, rounded up */
    put("cg/a/cpu.max", "max 100000\n");
    assert_int_equal(quota("0::/a/b\n"), 3);
    assert_int_equal(quota("0::/a\n"), 0);
    put("cg/a/cpu.max", "200000 100000\n"); /* the parent's holds too */
    assert_int_equal(quota("0::/a/b\n"), 2);
    assert_int_equal(quota("0::/a/elsewhere\n"), 2);
    assert_int_equal(quota("0::/\n"), 0);
    put("cg/cpu.max", "1000 100000\n"); /* inside a container: its own group is the mount */
    assert_int_equal(quota("0::/\n"), 1);
    assert_int_equal(quota("0::/docker/0123456789abcdef\n"), 1);
}

static void reads_version_1(void **state)
{
    (void)state;
    put("cg/cpu,cpuacct/x/cpu.cfs_quota_us", "400000\n");
    put("cg/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    put("cg/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put("cg/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota("5:memory:/x\n4:cpu,cpuacct:/x\n"), 4);
    assert_int_equal(quota("4:cpuset,cpuacct:/x\n"), 0);
    assert_int_equal(quota("4:cpu,cpuacct:/\n"), 0);
    put("cg/cpu/y/cpu.cfs_quota_us", "150000\n");
    assert_int_equal(quota("4:cpu:/y\n"), 0); /* no period */
    put("cg/cpu/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota("4:cpu:/y\n"), 2);
    put("cg/unified/y/cpu.max", "100000 100000\n"); /* both versions mounted */
    assert_int_equal(quota("4:cpu:/y\n0::/y\n"), 1);
}

static void takes_nonsense_as_no_cap(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "max",
                                        "100000",
                                        "0 100000\n",
                                        "-5 100000\n",
                                        "100000 0\n",
                                        "a b\n",
                                        "99999999999999999999 1\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("cg/cpu.max", texts[i]);
        assert_int_equal(quota("0::/\n"), 0);
    }
    put("cg/cpu.max", "9223372036854775807 1\n");
    assert_int_equal(quota("0::/\n"), 0);
    put("cg/cpu.max", "100000 100000\n");
    static const char *const lines[] = {"", "\n", "0", "0:", "0::", "0::relative\n", "::::\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(quota(lines[i]), 0);
    assert_int_equal(ia_cpus_quota(scratch("missing"), scratch("cg")), 0);
    assert_int_equal(ia_cpus_quota(scratch("membership"), scratch("missing")), 0);
}

static void counts_the_affinity(void **state)
{
    (void)state;
    cpu_set_t old, one;
    assert_int_equal(sched_getaffinity(0, sizeof old, &old), 0);
    assert_int_equal(ia_cpus_affinity(), CPU_COUNT(&old));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &old)) {
            CPU_SET(i, &one);
            break;
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int n = ia_cpus_affinity();
    assert_int_equal(sched_setaffinity(0, sizeof old, &old), 0);
    assert_int_equal(n, 1);
}

static int finish(void **state)
{
    (void)state;
    return nftw(scratch_folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_version_2, clear),
        cmocka_unit_test_setup(reads_version_1, clear),
        cmocka_unit_test_setup(takes_nonsense_as_no_cap, clear),
        cmocka_unit_test(counts_the_affinity),
    };
    return cmocka_run_group_tests(tests, scratch_setup, finish);
}
