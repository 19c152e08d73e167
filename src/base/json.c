/* Parsing and reading JSON. What jansson refuses is rewritten before it sees the text.
 *
 * NaN, Infinity, -Infinity and numbers beyond int64 or double become strings that start with
 * U+E000. A string of the file that starts so itself gets a second U+E000, which json_dump.c takes
 * off. */
#include "base/json.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json_carry.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 200
#define MAX_ITEMS                                                                                  \
    (1u << 22) /* values; a bracket counts for four. jansson takes about 80 bytes each */
#define BRACKET_ITEMS 4

/* The scan: `at` runs over the text, what jansson shall see goes to `out`. */
typedef struct json_scan {
    const char *text;
    size_t n, at;
    ia_buf out;
    size_t depth, items;
} json_scan;

/* The limit that the text before `at` exceeds, or NULL. */
static const char *json_limit(const json_scan *scan)
{
    if (scan->depth > MAX_DEPTH)
        return "brackets are nested more than 200 deep";
    return scan->items > MAX_ITEMS ? "there are too many values" : NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t json_digits(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && is_digit(s[i]))
        i++;
    return i;
}

/* A number by JSON's grammar, from the first byte to the last; *integer when it has only digits. */
static bool json_number_grammar(const char *s, size_t n, bool *integer)
{
    size_t i = n && s[0] == '-', digits = json_digits(s + i, n - i);
    if (!digits || (s[i] == '0' && digits > 1))
        return false;
    i += digits;
    *integer = i == n;
    if (i < n && s[i] == '.') {
        digits = json_digits(s + i + 1, n - i - 1);
        if (!digits)
            return false;
        i += 1 + digits;
    }
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        i += i < n && (s[i] == '+' || s[i] == '-');
        digits = json_digits(s + i, n - i);
        if (!digits)
            return false;
        i += digits;
    }
    return i == n;
}

bool ia_json_is_carried_token(const char *s, size_t n)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < IA_COUNT(words); i++)
        if (strlen(words[i]) == n && memcmp(s, words[i], n) == 0)
            return true;
    bool integer;
    if (!json_number_grammar(s, n, &integer))
        return false;
    int64_t whole;
    double real;
    return integer ? !ia_parse_int(s, n, &whole) : !ia_parse_double(s, n, &real);
}

/* Bytes of a word or number at s: what is not white space, punctuation or a quote. */
static size_t json_token_length(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (unsigned char)s[i] > ' ' && !strchr("{}[]:,\"", s[i]))
        i++;
    return i;
}

/* Bytes of the string at s, its quotes included; to the end of the text when it is not closed. */
static size_t json_quoted_length(const char *s, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (s[i] == '"')
            return i + 1;
        if (s[i] == '\\')
            i++;
    }
    return n;
}

static bool json_string_looks_carried(const char *s, size_t n)
{
    if (n >= 4 && memcmp(s + 1, IA_JSON_CARRY, 3) == 0)
        return true;
    return n >= 7 && s[1] == '\\' && s[2] == 'u' && (s[3] | 0x20) == 'e' &&
           memcmp(s + 4, "000", 3) == 0;
}

static inarch_status json_scan_string(json_scan *scan, inarch_error *err)
{
    const char *s = scan->text + scan->at;
    size_t n = json_quoted_length(s, scan->n - scan->at);
    scan->at += n;
    scan->items++;
    if (!json_string_looks_carried(s, n))
        return ia_buf_append(&scan->out, s, n, err);
    IA_TRY(ia_buf_text(&scan->out, "\"" IA_JSON_CARRY, err));
    return ia_buf_append(&scan->out, s + 1, n - 1, err);
}

static inarch_status json_scan_word(json_scan *scan, inarch_error *err)
{
    const char *s = scan->text + scan->at;
    size_t n = json_token_length(s, scan->n - scan->at);
    scan->at += n;
    scan->items++;
    if (!ia_json_is_carried_token(s, n))
        return ia_buf_append(&scan->out, s, n, err);
    IA_TRY(ia_buf_text(&scan->out, "\"" IA_JSON_CARRY, err));
    IA_TRY(ia_buf_append(&scan->out, s, n, err));
    return ia_buf_text(&scan->out, "\"", err);
}

/* Passes on a run of white space and punctuation, counting brackets. */
static inarch_status json_scan_rest(json_scan *scan, inarch_error *err)
{
    size_t begin = scan->at;
    for (; scan->at < scan->n && !json_limit(scan); scan->at++) {
        char c = scan->text[scan->at];
        if (c == '"' || ((unsigned char)c > ' ' && !strchr("{}[]:,", c)))
            break;
        if (c == '{' || c == '[') {
            scan->depth++;
            scan->items += BRACKET_ITEMS;
        } else if ((c == '}' || c == ']') && scan->depth) {
            scan->depth--;
        }
    }
    return ia_buf_append(&scan->out, scan->text + begin, scan->at - begin, err);
}

static inarch_status json_scan_step(json_scan *scan, inarch_error *err)
{
    char c = scan->text[scan->at];
    if (c == '"')
        return json_scan_string(scan, err);
    if ((unsigned char)c > ' ' && !strchr("{}[]:,", c))
        return json_scan_word(scan, err);
    return json_scan_rest(scan, err);
}

static json_scan json_scan_of(const char *text, size_t n)
{
    /* The shortest token that grows is NaN, from 3 bytes to 8. */
    return (json_scan){.text = text, .n = n, .out = IA_BUF(3 * n + 16)};
}

/* Line and column, from 1, of the character before byte `end`; columns count characters. */
static void json_position(const char *text, size_t end, size_t *line, size_t *column)
{
    *line = 1;
    *column = 0;
    for (size_t i = 0; i < end; i++) {
        if (i && text[i - 1] == '\n') {
            ++*line;
            *column = 0;
        }
        *column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    *column += *column == 0;
}

/* Where in the original text jansson stopped: `stop` counts bytes of the rewritten one. */
static size_t json_original(const char *text, size_t n, size_t stop)
{
    json_scan scan = json_scan_of(text, n);
    size_t before = 0, out_before = 0;
    while (scan.at < n && scan.out.len < stop) {
        before = scan.at;
        out_before = scan.out.len;
        if (json_scan_step(&scan, NULL) != INARCH_OK)
            break;
    }
    size_t original = before + (stop > out_before ? stop - out_before : 0);
    if (original > scan.at)
        original = scan.at;
    ia_buf_free(&scan.out);
    return original;
}

static inarch_status json_fail_at(const char *text, size_t end, const char *subject,
                                  inarch_status status, const char *what, inarch_error *err)
{
    size_t line, column;
    json_position(text, end, &line, &column);
    return ia_fail(err, status, subject, "", "%.100s %s at line %zu, column %zu: %s", subject,
                   status == INARCH_LIMIT ? "exceeds a limit for JSON" : "is not valid JSON", line,
                   column, what);
}

/* jansson's message, without the marks of carried tokens. */
static inarch_status json_fail_parse(const char *text, size_t n, const char *subject,
                                     const json_error_t *from, inarch_error *err)
{
    /* Where memory is out, jansson has no text; now and then it blames the token at hand instead. */
    if (json_error_code(from) == json_error_out_of_memory || !*from->text)
        return ia_fail_memory(err, subject, n);
    char what[JSON_ERROR_TEXT_LENGTH];
    size_t used = 0;
    bool carried = false; /* inside a token that the scan put into quotes */
    for (const char *s = from->text; *s && used < sizeof what - 1; s++) {
        if (strncmp(s, "\"" IA_JSON_CARRY, 4) == 0) {
            carried = true;
            s += 3;
        } else if (carried && *s == '"') {
            carried = false;
        } else {
            what[used++] = *s;
        }
    }
    what[used] = 0;
    if (json_error_code(from) == json_error_null_character)
        strcpy(what, "a string with a zero character (\\u0000) is not supported");
    size_t stop = from->position > 0 ? (size_t)from->position : 0;
    return json_fail_at(text, json_original(text, n, stop), subject, INARCH_BAD_FILE, what, err);
}

inarch_status ia_json_parse(const char *text, size_t n, const char *subject, json_t **out,
                            inarch_error *err)
{
    if (n > IA_JSON_MAX_BYTES)
        return ia_fail(err, INARCH_LIMIT, subject, "",
                       "%.100s has %zu bytes of JSON, but at most %u are read", subject, n,
                       IA_JSON_MAX_BYTES);
    const char *zero = n ? memchr(text, 0, n) : NULL; /* jansson skips it behind a number */
    if (zero)
        return json_fail_at(text, (size_t)(zero - text) + 1, subject, INARCH_BAD_FILE,
                            "there is a zero byte", err);
    json_scan scan = json_scan_of(text, n);
    inarch_status status = INARCH_OK;
    while (scan.at < n && !json_limit(&scan))
        IA_TRY_GOTO(json_scan_step(&scan, err));
    if (json_limit(&scan)) {
        status = json_fail_at(text, scan.at, subject, INARCH_LIMIT, json_limit(&scan), err);
        goto done;
    }
    json_error_t failure;
    json_t *value = json_loadb(scan.out.data ? (const char *)scan.out.data : "", scan.out.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);
    if (value)
        *out = value;
    else
        status = json_fail_parse(text, n, subject, &failure, err);
done:
    ia_buf_free(&scan.out);
    return status;
}

bool ia_json_number(const json_t *value, double *out)
{
    const char *token;
    size_t n;
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (!ia_json_carried(value, &token, &n))
        return false;
    if (strcmp(token, "NaN") == 0)
        *out = NAN;
    else if (!ia_parse_double(token, n, out)) /* "-Infinity" too: ends here or is parsed as such */
        *out = token[0] == '-' ? -INFINITY : INFINITY;
    return true;
}

bool ia_json_carried(const json_t *value, const char **token, size_t *n)
{
    if (!json_is_string(value))
        return false;
    const char *s = json_string_value(value);
    size_t len = json_string_length(value);
    if (len < 3 || memcmp(s, IA_JSON_CARRY, 3) || !ia_json_is_carried_token(s + 3, len - 3))
        return false;
    *token = s + 3;
    *n = len - 3;
    return true;
}

json_t *ia_json_from_double(double v)
{
    if (isfinite(v))
        return json_real(v);
    return json_string(isnan(v) ? IA_JSON_CARRY "NaN"
                       : v > 0  ? IA_JSON_CARRY "Infinity"
                                : IA_JSON_CARRY "-Infinity");
}

const char *ia_json_string(const json_t *object, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : fallback;
}

double ia_json_double(const json_t *object, const char *key, double fallback)
{
    double v;
    return ia_json_number(json_object_get(object, key), &v) ? v : fallback;
}

int64_t ia_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool ia_json_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
