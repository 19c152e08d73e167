/* Tokens that jansson cannot hold, carried as strings: shared by json.c and json_dump.c. */
#ifndef IA_BASE_JSON_CARRY_H
#define IA_BASE_JSON_CARRY_H

#include "base/json.h"

#define IA_JSON_CARRY "\xee\x80\x80" /* U+E000 */

/* NaN, Infinity, -Infinity, or a number that fits neither int64 nor double. */
bool ia_json_is_carried_token(const char *s, size_t n);

/* The token that a string carries, borrowed from it; false for all other values. */
bool ia_json_carried(const json_t *value, const char **token, size_t *n);

#endif
