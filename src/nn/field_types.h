/* The types of fields behind field.c: one row of functions each. Private to nn/. */
#ifndef IA_NN_FIELD_TYPES_H
#define IA_NN_FIELD_TYPES_H

#include "nn/field.h"

typedef struct ia_field_row {
    size_t size; /* of the value in the configuration */
    inarch_status (*set_text)(const ia_field *f, void *at, const char *text, const char *owner,
                              inarch_error *err);
    inarch_status (*set_json)(const ia_field *f, void *at, const json_t *value, int generation,
                              const char *owner, inarch_error *err);
    inarch_status (*to_json)(const ia_field *f, const void *at, json_t **out, inarch_error *err);
    void (*to_text)(const ia_field *f, const void *at, char *out, size_t size);
} ia_field_row;

extern const ia_field_row ia_field_int, ia_field_float, ia_field_bool; /* field_numbers.c */
extern const ia_field_row ia_field_ints, ia_field_floats;              /* field_lists.c */

/* "'dense_1': units must be a whole number, not 'x'" */
inarch_status ia_field_fail(const ia_field *f, const char *owner, inarch_status status,
                            const char *text, const char *want, inarch_error *err);
inarch_status ia_field_fail_json(const ia_field *f, const char *owner, const json_t *value,
                                 const char *want, inarch_error *err);
/* *out = value, which is new; INARCH_NO_MEMORY when it is NULL. */
IA_MUST_CHECK inarch_status ia_field_give(json_t *value, json_t **out, inarch_error *err);
IA_MUST_CHECK inarch_status ia_field_check_range(const ia_field *f, const char *owner, double v,
                                                 inarch_error *err);
bool ia_is_none(const char *text);
/* A whole number in any of Keras' spellings: 64, 64.0, or a list of one. */
bool ia_json_whole(const json_t *value, int64_t *out);
/* The number or list inside a serialized NumPy value; else `value` itself. */
const json_t *ia_json_plain(const json_t *value);
/* 0.1f as 0.1 */
json_t *ia_json_float(float v);

#endif
