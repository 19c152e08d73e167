/* What the operating system refused, in our words: the same on every libc and in every locale. */
#ifndef IA_BASE_OS_H
#define IA_BASE_OS_H

#include "base/status.h"

/* Text for an errno value, without a full stop; out[size] is used where the value is not known. */
const char *ia_os_reason(int error, char *out, size_t size);

/* INARCH_IO: "<cannot> '<path>': <reason>", with the hint that goes with the reason. */
inarch_status ia_fail_os(inarch_error *err, int error, const char *cannot, const char *path);

#endif
