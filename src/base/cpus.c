/* Processors by affinity and by cgroup quota, version 1 and 2.
 *
 * Every group from the process' own up to the root may have a quota; the smallest holds. Inside a
 * container the path of the group may not exist below the mount: then its parents are tried, which
 * ends at the mount itself, the container's own group. What cannot be read is no cap. */
#include "base/cpus.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MAX 8192 /* more than any Linux kernel is configured for */

int ia_cpus_affinity(void)
{
    cpu_set_t mask[CPUS_MAX / CPU_SETSIZE];
    memset(mask, 0, sizeof mask);
    if (sched_getaffinity(0, sizeof mask, mask) == 0) {
        int n = CPU_COUNT_S(sizeof mask, mask);
        if (n > 0)
            return n;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < CPUS_MAX ? (int)online : 1;
}

/* The first size - 1 bytes of a small file as text; false when it cannot be read. */
static bool cpus_read(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t used = 0;
    ssize_t got = 1;
    while (used < size - 1 && (got = read(fd, out + used, size - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
    out[used] = 0;
    return got >= 0;
}

/* The next number of *text, which moves behind it; false for "max", -1 and anything else. */
static bool cpus_number(const char **text, int64_t *out)
{
    const char *s = *text + strspn(*text, " \n");
    size_t n = strcspn(s, " \n");
    *text = s + n;
    return ia_parse_int(s, n, out) && *out > 0;
}

/* ceil(quota / period), or INT_MAX when there is no quota. */
static int cpus_share(int64_t quota, int64_t period)
{
    int64_t share = quota / period + (quota % period != 0);
    return share < INT_MAX ? (int)share : INT_MAX;
}

/* `group` is a folder of version 2: cpu.max holds "<quota or max> <period>". */
static int cpus_of_v2(const char *group)
{
    char path[PATH_MAX + 32], text[64];
    const char *at = text;
    int64_t quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", group);
    if (!cpus_read(path, text, sizeof text) || !cpus_number(&at, &quota) ||
        !cpus_number(&at, &period))
        return INT_MAX;
    return cpus_share(quota, period);
}

static int cpus_of_v1(const char *group)
{
    char path[PATH_MAX + 32], quota_text[32], period_text[32];
    const char *quota_at = quota_text, *period_at = period_text;
    int64_t quota, period;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", group);
    if (!cpus_read(path, quota_text, sizeof quota_text) || !cpus_number(&quota_at, &quota))
        return INT_MAX;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", group);
    if (!cpus_read(path, period_text, sizeof period_text) || !cpus_number(&period_at, &period))
        return INT_MAX;
    return cpus_share(quota, period);
}

/* The least quota of <root>/<mount><path> and all folders above it up to the mount. */
static int cpus_walk(const char *root, const char *mount, const char *group,
                     int (*quota)(const char *folder))
{
    char folder[PATH_MAX];
    int base = snprintf(folder, sizeof folder, "%s%s", root, mount);
    int len = snprintf(folder, sizeof folder, "%s%s%s", root, mount, group);
    if (base < 0 || len < base || (size_t)len >= sizeof folder)
        return INT_MAX;
    int least = INT_MAX;
    for (;;) {
        int share = quota(folder);
        least = share < least ? share : least;
        char *slash = strrchr(folder + base, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

/* One line of /proc/self/cgroup: "<id>:<controllers>:<path>"; no controllers means version 2. */
static int cpus_of_line(const char *root, char *line)
{
    static const char *const v1_mounts[] = {"/cpu", "/cpu,cpuacct", "/cpuacct,cpu"};
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group || group[1] != '/')
        return INT_MAX;
    controllers++;
    *group++ = 0;
    if (!*controllers) {
        int here = cpus_walk(root, "", group, cpus_of_v2);
        int hybrid = cpus_walk(root, "/unified", group, cpus_of_v2);
        return here < hybrid ? here : hybrid;
    }
    ia_split names = ia_split_of(controllers, ',');
    const char *name;
    size_t len;
    int least = INT_MAX;
    while (ia_split_next(&names, &name, &len)) {
        if (len != 3 || memcmp(name, "cpu", 3))
            continue;
        for (size_t i = 0; i < IA_COUNT(v1_mounts); i++) {
            int share = cpus_walk(root, v1_mounts[i], group, cpus_of_v1);
            least = share < least ? share : least;
        }
    }
    return least;
}

int ia_cpus_quota(const char *membership, const char *root)
{
    char text[8192];
    if (!cpus_read(membership, text, sizeof text))
        return 0;
    int least = INT_MAX;
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        int share = cpus_of_line(root, line);
        least = share < least ? share : least;
        line = end ? end + 1 : NULL;
    }
    return least == INT_MAX ? 0 : least;
}
