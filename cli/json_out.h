/* A JSON writer for --json and --log: text in memory, no tree.
 *
 * The names begin with jw_ because the JSON library behind inarch has those with json_. Keys are
 * NULL inside arrays. Memory that runs out is remembered and told by jw_text. */
#ifndef INARCH_CLI_JSON_OUT_H
#define INARCH_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct json_out {
    char *text;
    size_t used, room;
    bool comma;  /* the next value follows another */
    bool failed; /* out of memory */
} json_out;
#define JSON_OUT                                                                                   \
    {                                                                                              \
        NULL, 0, 0, false, false                                                                   \
    }

void jw_object(json_out *j, const char *key);
void jw_object_end(json_out *j);
void jw_array(json_out *j, const char *key);
void jw_array_end(json_out *j);

/* NULL gives null; bytes that are not UTF-8 become U+FFFD. */
void jw_string(json_out *j, const char *key, const char *text);
/* The shortest text that reads back as the same number; null for NaN and the infinities. */
void jw_real(json_out *j, const char *key, double v);
void jw_float(json_out *j, const char *key, float v);
void jw_count(json_out *j, const char *key, uint64_t v);
void jw_bool(json_out *j, const char *key, bool v);
void jw_null(json_out *j, const char *key);
/* A value that is JSON already. */
void jw_raw(json_out *j, const char *key, const char *json);

/* The text so far, lent; NULL when memory ran out. */
const char *jw_text(const json_out *j);
void jw_free(json_out *j);

#endif
