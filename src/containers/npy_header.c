/* Parses the header of .npy: a Python dict literal of three keys.
 *
 * Only that is understood: strings, True, False, and a tuple of whole numbers. Nothing is
 * evaluated. */
#include "containers/npy_header.h"

#include "base/alloc.h"
#include "base/cursor.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define HEADER_MOST 65536
#define DESCR_MOST 64

typedef struct npy_text {
    const char *p, *end;
    const char *name; /* for messages */
} npy_text;

static inarch_status npy_bad(const npy_text *t, inarch_error *err, const char *why)
{
    return ia_fail(err, INARCH_BAD_FILE, t->name, "", "'%.200s' is not a sound .npy file: %s",
                   t->name, why);
}

/* ---- tokens ---- */

static void skip_space(npy_text *t)
{
    while (t->p < t->end && isspace((unsigned char)*t->p))
        t->p++;
}

static bool take(npy_text *t, char c)
{
    skip_space(t);
    if (t->p == t->end || *t->p != c)
        return false;
    t->p++;
    return true;
}

static bool take_word(npy_text *t, const char *word)
{
    size_t n = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
        return false;
    t->p += n;
    return true;
}

/* 'text' or "text", without escapes. */
static bool take_string(npy_text *t, char *out, size_t size)
{
    skip_space(t);
    if (t->p == t->end || (*t->p != '\'' && *t->p != '"'))
        return false;
    char quote = *t->p++;
    size_t n = 0;
    for (; t->p < t->end && *t->p != quote; t->p++) {
        if (n + 1 >= size || *t->p == '\\')
            return false;
        out[n++] = *t->p;
    }
    out[n] = 0;
    return take(t, quote);
}

static bool take_number(npy_text *t, int64_t *out)
{
    skip_space(t);
    const char *start = t->p;
    int64_t v = 0;
    for (; t->p < t->end && isdigit((unsigned char)*t->p); t->p++) {
        if (v > (INT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (*t->p - '0');
    }
    if (t->p == start)
        return false;
    if (t->p < t->end && *t->p == 'L') /* Python 2 on Windows wrote 3L */
        t->p++;
    *out = v;
    return true;
}

static inarch_status take_shape(npy_text *t, ia_shape *shape, inarch_error *err)
{
    *shape = (ia_shape){.rank = 0};
    if (!take(t, '('))
        return npy_bad(t, err, "its shape is not a tuple");
    while (!take(t, ')')) {
        if (shape->rank == IA_MAX_RANK)
            return ia_fail(err, INARCH_UNSUPPORTED, t->name, "",
                           "'%.200s' has more than %d dimensions", t->name, IA_MAX_RANK);
        if (!take_number(t, &shape->dim[shape->rank]))
            return npy_bad(t, err, "its shape is not a tuple of whole numbers");
        shape->rank++;
        if (take(t, ','))
            continue;
        return take(t, ')') ? INARCH_OK
                            : npy_bad(t, err, "its shape is not a tuple of whole numbers");
    }
    return INARCH_OK;
}

/* ---- types ---- */

typedef struct npy_type {
    char kind;
    size_t bytes;
    ia_dtype dtype;
} npy_type;

static const npy_type npy_types[] = {
    {'f', 2, IA_F16}, {'f', 4, IA_F32}, {'f', 8, IA_F64}, {'i', 1, IA_I8},
    {'i', 2, IA_I16}, {'i', 4, IA_I32}, {'i', 8, IA_I64}, {'u', 1, IA_U8},
    {'u', 2, IA_U16}, {'u', 4, IA_U32}, {'u', 8, IA_U64}, {'b', 1, IA_BOOL},
};

typedef struct npy_refused {
    char kind;
    const char *what, *hint;
} npy_refused;

static const npy_refused npy_refusals[] = {
    {'O', "Python objects",
     "pickled object arrays are not read; save numbers with allow_pickle=False"},
    {'c', "complex numbers", "save real and imaginary parts as columns"},
    {'M', "dates", "save them as numbers"},
    {'m', "time spans", "save them as numbers"},
    {'V', "raw bytes or records", "save one array of numbers for each field"},
    {'f', "floats of an unusual size (long double)", "save float32 or float64"},
    {'a', "text of an old kind", "save it as '<U' or '|S'"},
};

static inarch_status npy_refuse(const npy_text *t, const char *descr, char kind, inarch_error *err)
{
    for (size_t i = 0; i < IA_COUNT(npy_refusals); i++)
        if (npy_refusals[i].kind == kind)
            return ia_fail(err, INARCH_UNSUPPORTED, t->name, npy_refusals[i].hint,
                           "'%.200s' holds %s ('%s'), which are not read", t->name,
                           npy_refusals[i].what, descr);
    return ia_fail(err, INARCH_UNSUPPORTED, t->name, "save float32, float64 or integers",
                   "'%.200s' holds elements of type '%s', which are not read", t->name, descr);
}

/* "<f8", ">i4", "|u1", "=f4", "<U5", "|S3"; a missing order sign is ours. */
static inarch_status npy_set_type(const npy_text *t, const char *descr, ia_npy_header_info *h,
                                  inarch_error *err)
{
    const char *p = descr;
    char order = '=';
    if (*p && strchr("<>|=", *p))
        order = *p++;
    char kind = *p ? *p++ : 0;
    npy_text digits = {p, p + strlen(p), t->name};
    int64_t n = 0;
    if (kind == 'O' || kind == '?' || !take_number(&digits, &n) || digits.p != digits.end ||
        n > INT32_MAX)
        return npy_refuse(t, descr, kind, err);
    h->swapped = ia_big_endian() ? order == '<' : order == '>';
    h->item = (size_t)n;
    h->kind = IA_NPY_NUMBERS;
    for (size_t i = 0; i < IA_COUNT(npy_types); i++)
        if (npy_types[i].kind == kind && npy_types[i].bytes == h->item) {
            h->dtype = npy_types[i].dtype;
            return INARCH_OK;
        }
    if (kind != 'U' && kind != 'S')
        return npy_refuse(t, descr, kind, err);
    if (n == 0)
        return npy_bad(t, err, "its elements have no bytes");
    h->kind = kind == 'U' ? IA_NPY_UCS4 : IA_NPY_BYTES;
    h->item *= kind == 'U' ? 4 : 1;
    return INARCH_OK;
}

/* ---- the dict ---- */

static inarch_status npy_parse(npy_text *t, ia_npy_header_info *h, inarch_error *err)
{
    char key[16], descr[DESCR_MOST];
    bool has_type = false, has_order = false, has_shape = false;
    if (!take(t, '{'))
        return npy_bad(t, err, "its header is not a dict");
    while (!take(t, '}')) {
        if (!take_string(t, key, sizeof key) || !take(t, ':'))
            return npy_bad(t, err, "its header is not a dict of three known keys");
        if (strcmp(key, "descr") == 0 && !has_type) {
            has_type = true;
            if (take(t, '['))
                return npy_refuse(t, "[...]", 'V', err);
            if (!take_string(t, descr, sizeof descr))
                return npy_bad(t, err, "its type is not a string");
            IA_TRY(npy_set_type(t, descr, h, err));
        } else if (strcmp(key, "fortran_order") == 0 && !has_order) {
            has_order = true;
            h->fortran = take_word(t, "True");
            if (!h->fortran && !take_word(t, "False"))
                return npy_bad(t, err, "its order is neither True nor False");
        } else if (strcmp(key, "shape") == 0 && !has_shape) {
            has_shape = true;
            IA_TRY(take_shape(t, &h->shape, err));
        } else {
            return npy_bad(t, err, "its header is not a dict of three known keys");
        }
        take(t, ',');
    }
    skip_space(t);
    if (t->p != t->end || !has_type || !has_order || !has_shape)
        return npy_bad(t, err, "its header is not a dict of three known keys");
    return INARCH_OK;
}

/* What the header promises is there: nothing is allocated before this holds. */
static inarch_status npy_check_size(const ia_stream *s, const npy_text *t, ia_npy_header_info *h,
                                    inarch_error *err)
{
    char shape[128];
    if (!ia_shape_count(&h->shape, &h->count) || !ia_mul(h->count, h->item, &h->bytes))
        return ia_fail(err, INARCH_LIMIT, t->name, "",
                       "'%.200s' declares the shape %s, more than can be addressed", t->name,
                       ia_shape_text(&h->shape, shape, sizeof shape));
    uint64_t left = ia_stream_most(s);
    bool sound = s->coding == IA_CODING_GZIP ? h->bytes <= left : h->bytes == left;
    if (sound)
        return INARCH_OK;
    return ia_fail(err, INARCH_BAD_FILE, t->name, "the file is damaged or was cut short",
                   "'%.200s' declares the shape %s, which takes %zu bytes, but %" PRIu64 " follow",
                   t->name, ia_shape_text(&h->shape, shape, sizeof shape), h->bytes, left);
}

inarch_status ia_npy_read_header(ia_stream *s, ia_npy_header_info *out, inarch_error *err)
{
    uint8_t raw[12];
    npy_text t = {NULL, NULL, s->in.name};
    if (ia_stream_most(s) < 10)
        return npy_bad(&t, err, "it is too short");
    IA_TRY(ia_stream_read(s, raw, 8, err));
    ia_cursor c = ia_cursor_of(raw, sizeof raw);
    if (!ia_match(&c, "\x93NUMPY", 6))
        return npy_bad(&t, err, "it does not begin with \\x93NUMPY");
    uint8_t version = ia_u8(&c);
    ia_skip(&c, 1);
    if (version < 1 || version > 3)
        return ia_fail(err, INARCH_UNSUPPORTED, t.name, "",
                       "'%.200s' is .npy version %u; versions 1 to 3 are read", t.name,
                       (unsigned)version);
    IA_TRY(ia_stream_read(s, raw + 8, version == 1 ? 2 : 4, err));
    size_t n = version == 1 ? ia_u16(&c) : ia_u32(&c);
    if (n > HEADER_MOST)
        return ia_fail(err, INARCH_LIMIT, t.name, "", "'%.200s' has a header of %zu bytes", t.name,
                       n);
    if (n > ia_stream_most(s))
        return npy_bad(&t, err, "it is cut short");
    char *text = ia_calloc(n, 1);
    if (!text)
        return ia_fail_memory(err, "the header of an array", n);
    inarch_status status = ia_stream_read(s, text, n, err);
    t.p = text;
    t.end = text + n;
    if (status == INARCH_OK)
        status = npy_parse(&t, out, err);
    if (status == INARCH_OK)
        status = npy_check_size(s, &t, out, err);
    ia_free(text);
    return status;
}
