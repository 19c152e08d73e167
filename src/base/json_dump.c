/* Writing JSON: our own writer over jansson's values, since Python's layout, numbers that read back
 * exactly and carried tokens need it. */
#include "base/json_carry.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MAX_DEPTH 1000 /* beyond what the parser lets in; a cycle ends here */
#define INDENT_SPACES 2

typedef struct json_writer {
    ia_buf out;
    const char *comma, *colon; /* between items, between key and value */
    bool indent, ascii;
    bool strict; /* NaN and the infinities as null */
    size_t depth;
} json_writer;

static const struct {
    const char *comma, *colon;
    bool indent, ascii;
} styles[] = {
    [IA_JSON_COMPACT] = {",", ":", false, false},
    [IA_JSON_PYTHON] = {", ", ": ", false, true}, /* json.dumps escapes what is not ASCII */
    [IA_JSON_INDENT] = {",", ": ", true, false},
};

static inarch_status dump_value(json_writer *w, const json_t *value, inarch_error *err);

/* The code point of the valid UTF-8 character at s; *n is its length. */
static uint32_t dump_decode(const unsigned char *s, size_t *n)
{
    *n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = s[0] & mask[*n];
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | (s[i] & 0x3fu);
    return c;
}

static inarch_status dump_escape(json_writer *w, uint32_t c, inarch_error *err)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *found = c && c < 0x80 ? strchr(plain, (int)c) : NULL;
    if (found)
        return ia_buf_printf(&w->out, err, "\\%c", letter[found - plain]);
    if (c < 0x10000)
        return ia_buf_printf(&w->out, err, "\\u%04x", (unsigned)c);
    c -= 0x10000;
    return ia_buf_printf(&w->out, err, "\\u%04x\\u%04x", (unsigned)(0xd800 + (c >> 10)),
                         (unsigned)(0xdc00 + (c & 0x3ff)));
}

static bool dump_needs_escape(const json_writer *w, uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || (w->ascii && c >= 0x7f);
}

static inarch_status dump_text(json_writer *w, const char *s, size_t n, inarch_error *err)
{
    /* A file's own U+E000 at the start was doubled by the parser. */
    if (n >= 6 && memcmp(s, IA_JSON_CARRY IA_JSON_CARRY, 6) == 0) {
        s += 3;
        n -= 3;
    }
    IA_TRY(ia_buf_u8(&w->out, '"', err));
    size_t plain = 0, length; /* bytes before s[at] that are not written yet */
    for (size_t at = 0; at < n; at += length) {
        uint32_t c = dump_decode((const unsigned char *)s + at, &length);
        if (!dump_needs_escape(w, c)) {
            plain += length;
            continue;
        }
        IA_TRY(ia_buf_append(&w->out, s + at - plain, plain, err));
        plain = 0;
        IA_TRY(dump_escape(w, c, err));
    }
    IA_TRY(ia_buf_append(&w->out, s + n - plain, plain, err));
    return ia_buf_u8(&w->out, '"', err);
}

static inarch_status dump_string(json_writer *w, const json_t *value, inarch_error *err)
{
    const char *token;
    size_t n;
    if (!ia_json_carried(value, &token, &n))
        return dump_text(w, json_string_value(value), json_string_length(value), err);
    bool word = token[n - 1] == 'N' || token[n - 1] == 'y'; /* NaN, Infinity: not JSON */
    return word && w->strict ? ia_buf_text(&w->out, "null", err)
                             : ia_buf_append(&w->out, token, n, err);
}

static inarch_status dump_real(json_writer *w, double v, inarch_error *err)
{
    char text[40];
    if (!isfinite(v)) /* json_real refuses them, json_real_set does so too; be safe */
        return ia_buf_text(&w->out,
                           w->strict  ? "null"
                           : isnan(v) ? "NaN"
                           : v > 0    ? "Infinity"
                                      : "-Infinity",
                           err);
    ia_format_double(v, text, sizeof text);
    if (!strpbrk(text, ".e"))
        strcat(text, ".0"); /* stays a real when it is read again */
    return ia_buf_text(&w->out, text, err);
}

/* A new line at the present depth, where the style has lines. */
static inarch_status dump_line(json_writer *w, inarch_error *err)
{
    if (!w->indent)
        return INARCH_OK;
    return ia_buf_printf(&w->out, err, "\n%*s", (int)w->depth * INDENT_SPACES, "");
}

static inarch_status dump_item_start(json_writer *w, bool first, inarch_error *err)
{
    if (!first)
        IA_TRY(ia_buf_text(&w->out, w->comma, err));
    return dump_line(w, err);
}

static inarch_status dump_array(json_writer *w, const json_t *array, inarch_error *err)
{
    size_t n = json_array_size(array);
    if (!n)
        return ia_buf_text(&w->out, "[]", err);
    IA_TRY(ia_buf_u8(&w->out, '[', err));
    w->depth++;
    for (size_t i = 0; i < n; i++) {
        IA_TRY(dump_item_start(w, i == 0, err));
        IA_TRY(dump_value(w, json_array_get(array, i), err));
    }
    w->depth--;
    IA_TRY(dump_line(w, err));
    return ia_buf_u8(&w->out, ']', err);
}

static inarch_status dump_object(json_writer *w, const json_t *value, inarch_error *err)
{
    json_t *object = (json_t *)(uintptr_t)value; /* jansson iterates over what is not const */
    if (!json_object_size(object))
        return ia_buf_text(&w->out, "{}", err);
    IA_TRY(ia_buf_u8(&w->out, '{', err));
    w->depth++;
    bool first = true;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        IA_TRY(dump_item_start(w, first, err));
        first = false;
        IA_TRY(dump_text(w, key, strlen(key), err));
        IA_TRY(ia_buf_text(&w->out, w->colon, err));
        IA_TRY(dump_value(w, json_object_iter_value(at), err));
    }
    w->depth--;
    IA_TRY(dump_line(w, err));
    return ia_buf_u8(&w->out, '}', err);
}

static inarch_status dump_value(json_writer *w, const json_t *value, inarch_error *err)
{
    if (w->depth > MAX_DEPTH)
        return ia_fail(err, INARCH_LIMIT, "", "", "JSON to be written is nested more than %d deep",
                       MAX_DEPTH);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return dump_object(w, value, err);
    case JSON_ARRAY:
        return dump_array(w, value, err);
    case JSON_STRING:
        return dump_string(w, value, err);
    case JSON_INTEGER:
        return ia_buf_printf(&w->out, err, "%" PRId64, (int64_t)json_integer_value(value));
    case JSON_REAL:
        return dump_real(w, json_real_value(value), err);
    case JSON_TRUE:
        return ia_buf_text(&w->out, "true", err);
    case JSON_FALSE:
        return ia_buf_text(&w->out, "false", err);
    case JSON_NULL:
    default:
        return ia_buf_text(&w->out, "null", err);
    }
}

inarch_status ia_json_dump(const json_t *value, int style, bool strict, char **out,
                           inarch_error *err)
{
    if (!value) /* what jansson's constructors return without memory */
        return ia_fail_memory(err, "a JSON value", sizeof(json_t));
    json_writer w = {
        .out = IA_BUF(SIZE_MAX / 4),
        .comma = styles[style].comma,
        .colon = styles[style].colon,
        .indent = styles[style].indent,
        .ascii = styles[style].ascii,
        .strict = strict,
    };
    inarch_status status = dump_value(&w, value, err);
    if (status != INARCH_OK) {
        ia_buf_free(&w.out);
        return status;
    }
    *out = (char *)w.out.data; /* ends with a zero byte */
    return INARCH_OK;
}
