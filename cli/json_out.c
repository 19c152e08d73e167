/* The JSON writer: values are appended as text, commas follow from what was written last. */
#include "json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(json_out *j, const char *s, size_t n)
{
    if (j->failed)
        return;
    if (n >= j->room - j->used) {
        size_t room = j->room + n + 1 > 256 ? (j->room + n + 1) * 2 : 256;
        char *text = realloc(j->text, room);
        if (!text) {
            j->failed = true;
            return;
        }
        j->text = text;
        j->room = room;
    }
    memcpy(j->text + j->used, s, n);
    j->used += n;
    j->text[j->used] = 0;
}

static void append_text(json_out *j, const char *s)
{
    append(j, s, strlen(s));
}

/* Bytes of the UTF-8 character at s: 1 to 4, or 0 where there is none. */
static size_t character(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xed && s[1] > 0x9f);
    return overlong || beyond ? 0 : n;
}

static void append_quoted(json_out *j, const char *text)
{
    append(j, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = character(s);
        char code[8];
        if (n == 0) {
            append_text(j, "\xef\xbf\xbd");
        } else if (*s == '"' || *s == '\\') {
            code[0] = '\\';
            code[1] = (char)*s;
            append(j, code, 2);
        } else if (*s < 0x20 || *s == 0x7f) {
            snprintf(code, sizeof code, "\\u%04x", *s);
            append_text(j, code);
        } else {
            append(j, (const char *)s, n);
        }
        s += n ? n : 1;
    }
    append(j, "\"", 1);
}

static void begin(json_out *j, const char *key)
{
    if (j->comma)
        append(j, ",", 1);
    j->comma = true;
    if (key) {
        append_quoted(j, key);
        append(j, ":", 1);
    }
}

static void open_with(json_out *j, const char *key, const char *bracket)
{
    begin(j, key);
    append(j, bracket, 1);
    j->comma = false;
}

static void close_with(json_out *j, const char *bracket)
{
    append(j, bracket, 1);
    j->comma = true;
}

void jw_object(json_out *j, const char *key)
{
    open_with(j, key, "{");
}

void jw_object_end(json_out *j)
{
    close_with(j, "}");
}

void jw_array(json_out *j, const char *key)
{
    open_with(j, key, "[");
}

void jw_array_end(json_out *j)
{
    close_with(j, "]");
}

void jw_raw(json_out *j, const char *key, const char *json)
{
    begin(j, key);
    append_text(j, json);
}

void jw_string(json_out *j, const char *key, const char *text)
{
    if (!text) {
        jw_null(j, key);
        return;
    }
    begin(j, key);
    append_quoted(j, text);
}

void jw_null(json_out *j, const char *key)
{
    jw_raw(j, key, "null");
}

void jw_bool(json_out *j, const char *key, bool v)
{
    jw_raw(j, key, v ? "true" : "false");
}

void jw_count(json_out *j, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    jw_raw(j, key, text);
}

void jw_real(json_out *j, const char *key, double v)
{
    char text[32];
    if (!isfinite(v)) {
        jw_null(j, key);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    jw_raw(j, key, text);
}

void jw_float(json_out *j, const char *key, float v)
{
    char text[32];
    if (!isfinite(v)) {
        jw_null(j, key);
        return;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v)
            break;
    }
    jw_raw(j, key, text);
}

const char *jw_text(const json_out *j)
{
    return j->failed ? NULL : j->text ? j->text : "";
}

void jw_free(json_out *j)
{
    free(j->text);
    *j = (json_out)JSON_OUT;
}
