/* JSON through jansson, with what jansson refuses.
 *
 * Keras and pandas write NaN, Infinity, -Infinity and integers beyond 2^63; json_loads fails on them.
 * ia_json_parse carries such tokens as strings that start with U+E000 (a private code point) and
 * ia_json_dump writes the original token back, so an unknown value survives load and save; readers
 * use ia_json_number. Depth and size are bounded. */
#ifndef IA_BASE_JSON_H
#define IA_BASE_JSON_H

#include "base/status.h"
#include <jansson.h>

#define IA_JSON_MAX_BYTES (64u << 20)

/* Parses n bytes of UTF-8; `subject` names the text in messages (line and column are given). The
 * caller decrefs *out. Duplicate keys are refused. */
IA_MUST_CHECK inarch_status ia_json_parse(const char *text, size_t n, const char *subject,
                                          json_t **out, inarch_error *err);
#define IA_JSON_COMPACT 0 /* {"a":1,"b":[1,2]}: keys in insertion order */
#define IA_JSON_PYTHON 1  /* {"a": 1, "b": [1, 2]}, as Python's json.dumps writes it */
#define IA_JSON_INDENT 2  /* for people */
/* Text in new memory (ia_free). Reals are written shortest round-trip ("%.17g" at most), NaN and the
 * infinities as Python does - except under IA_JSON_COMPACT with `strict`, which writes null. */
IA_MUST_CHECK inarch_status ia_json_dump(const json_t *value, int style, bool strict, char **out,
                                         inarch_error *err);

/* An integer, a real, or one of the carried tokens; false for anything else. */
bool ia_json_number(const json_t *value, double *out);
json_t *ia_json_from_double(double v); /* NaN and infinities become carried tokens */

/* Members of an object, with a fallback for absent or null ones; a wrong type gives the fallback. */
const char *ia_json_string(const json_t *object, const char *key, const char *fallback);
double ia_json_double(const json_t *object, const char *key, double fallback);
int64_t ia_json_int(const json_t *object, const char *key, int64_t fallback);
bool ia_json_bool(const json_t *object, const char *key, bool fallback);

#endif
