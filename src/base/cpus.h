/* How many processors this process may use. */
#ifndef IA_BASE_CPUS_H
#define IA_BASE_CPUS_H

#include "base/status.h"

/* Processors in the affinity mask, at least 1. */
int ia_cpus_affinity(void);

/* The cgroup's CPU quota in whole processors, rounded up; 0 when there is none or it cannot be
 * read. `membership` is /proc/self/cgroup, `root` where the hierarchies are mounted
 * (/sys/fs/cgroup). */
int ia_cpus_quota(const char *membership, const char *root);

#endif
