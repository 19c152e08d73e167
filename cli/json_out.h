/* A JSON writer for --json and --log: text in memory, no tree.
 *
 * Keys are NULL inside arrays. Memory that runs out is remembered and told by json_text. */
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

void json_object(json_out *j, const char *key);
void json_object_end(json_out *j);
void json_array(json_out *j, const char *key);
void json_array_end(json_out *j);

/* NULL gives null; bytes that are not UTF-8 become U+FFFD. */
void json_string(json_out *j, const char *key, const char *text);
/* The shortest text that reads back as the same number; null for NaN and the infinities. */
void json_real(json_out *j, const char *key, double v);
void json_float(json_out *j, const char *key, float v);
void json_count(json_out *j, const char *key, uint64_t v);
void json_bool(json_out *j, const char *key, bool v);
void json_null(json_out *j, const char *key);
/* A value that is JSON already. */
void json_raw(json_out *j, const char *key, const char *json);

/* The text so far, lent; NULL when memory ran out. */
const char *json_text(const json_out *j);
void json_free(json_out *j);

#endif
