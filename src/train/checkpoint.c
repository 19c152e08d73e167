/* Checkpoint files: "inarchCK", version, JSON, arrays, CRC-32. Little endian.
 *
 *   8 bytes  magic            4 bytes  version (1)        4 bytes  number of arrays
 *   8 bytes  JSON length      JSON text
 *   per array: 4 bytes name length, name, 1 byte rank, rank x 8 bytes, data
 *   4 bytes  CRC-32 of all before */
#include "train/checkpoint.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/input.h"
#include "base/output.h"

#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC "inarchCK"
#define VERSION 1
#define MAX_BYTES ((size_t)16 << 30)
#define MAX_NAME 4096
#define MAX_ARRAYS (1u << 20)

void ia_checkpoint_free(ia_checkpoint *c)
{
    for (size_t i = 0; i < c->count; i++) {
        ia_free(c->name[i]);
        ia_array_release(&c->array[i]);
    }
    ia_free(c->name);
    ia_free(c->array);
    json_decref(c->state);
    *c = (ia_checkpoint){0};
}

inarch_status ia_checkpoint_add(ia_checkpoint *c, const char *name, const ia_array *a,
                                inarch_error *err)
{
    size_t cap = c->cap;
    IA_TRY(ia_grow(&c->name, &cap, c->count, sizeof *c->name, "a checkpoint", err));
    IA_TRY(ia_grow(&c->array, &c->cap, c->count, sizeof *c->array, "a checkpoint", err));
    c->name[c->count] = ia_strdup(name);
    if (!c->name[c->count])
        return ia_fail_memory(err, "a checkpoint", 0);
    c->array[c->count++] = ia_array_ref(a);
    return INARCH_OK;
}

const ia_array *ia_checkpoint_find(const ia_checkpoint *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->name[i], name) == 0)
            return &c->array[i];
    return NULL;
}

/* ---- writing ---- */

typedef struct checked_output {
    ia_output *file;
    uLong crc;
} checked_output;

static inarch_status put(checked_output *o, const void *data, size_t n, inarch_error *err)
{
    const uint8_t *at = data;
    for (size_t done = 0; done < n;) {
        uInt part = n - done < (1u << 30) ? (uInt)(n - done) : 1u << 30;
        o->crc = crc32(o->crc, at + done, part);
        done += part;
    }
    return ia_output_write(o->file, data, n, err);
}

static inarch_status put_array(checked_output *o, const char *name, const ia_array *a,
                               inarch_error *err)
{
    ia_buf head = IA_BUF(MAX_NAME + 128);
    inarch_status status;
    IA_TRY_GOTO(ia_buf_u32(&head, (uint32_t)strlen(name), err));
    IA_TRY_GOTO(ia_buf_text(&head, name, err));
    IA_TRY_GOTO(ia_buf_u8(&head, (uint8_t)a->shape.rank, err));
    for (int i = 0; i < a->shape.rank; i++)
        IA_TRY_GOTO(ia_buf_u64(&head, (uint64_t)a->shape.dim[i], err));
    IA_TRY_GOTO(put(o, head.data, head.len, err));
    IA_TRY_GOTO(put(o, ia_array_data(a), ia_array_count(a) * sizeof(float), err));
done:
    ia_buf_free(&head);
    return status;
}

static inarch_status put_all(const ia_checkpoint *c, const char *json, checked_output *o,
                             inarch_error *err)
{
    ia_buf head = IA_BUF(64);
    inarch_status status;
    IA_TRY_GOTO(ia_buf_append(&head, MAGIC, 8, err));
    IA_TRY_GOTO(ia_buf_u32(&head, VERSION, err));
    IA_TRY_GOTO(ia_buf_u32(&head, (uint32_t)c->count, err));
    IA_TRY_GOTO(ia_buf_u64(&head, strlen(json), err));
    IA_TRY_GOTO(put(o, head.data, head.len, err));
    IA_TRY_GOTO(put(o, json, strlen(json), err));
    for (size_t i = 0; i < c->count; i++)
        IA_TRY_GOTO(put_array(o, c->name[i], &c->array[i], err));
    head.len = 0;
    IA_TRY_GOTO(ia_buf_u32(&head, (uint32_t)o->crc, err));
    status = ia_output_write(o->file, head.data, head.len, err);
done:
    ia_buf_free(&head);
    return status;
}

inarch_status ia_checkpoint_write(const ia_checkpoint *c, const char *path, inarch_error *err)
{
    checked_output o = {.crc = crc32(0, NULL, 0)};
    char *json;
    IA_TRY(ia_json_dump(c->state, IA_JSON_COMPACT, false, &json, err));
    inarch_status status = ia_output_open(path, &o.file, err);
    if (status == INARCH_OK) {
        status = put_all(c, json, &o, err);
        if (status == INARCH_OK)
            status = ia_output_commit(o.file, err);
        else
            ia_output_discard(o.file);
    }
    ia_free(json);
    return status;
}

/* ---- reading ---- */

static inarch_status damaged(const char *path, const char *what, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_FILE, path, "remove it to start the run from the beginning",
                   "'%s' is no whole checkpoint: %s", path, what);
}

static inarch_status get_array(ia_cursor *c, const char *path, ia_checkpoint *out,
                               inarch_error *err)
{
    uint32_t name_n = ia_u32(c);
    char name[MAX_NAME + 1];
    ia_shape shape = {0};
    ia_array a;
    size_t count, bytes;
    if (name_n > MAX_NAME)
        return damaged(path, "a name is too long", err);
    const uint8_t *text = ia_bytes(c, name_n);
    shape.rank = ia_u8(c);
    if (!text || shape.rank > IA_MAX_RANK)
        return damaged(path, "an array is cut", err);
    memcpy(name, text, name_n);
    name[name_n] = '\0';
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = (int64_t)ia_u64(c);
    if (c->bad || !ia_shape_count(&shape, &count) || !ia_mul(count, sizeof(float), &bytes))
        return damaged(path, "a shape is impossible", err);
    const uint8_t *data = ia_bytes(c, bytes);
    if (!data)
        return damaged(path, "an array is cut", err);
    IA_TRY(ia_array_new(IA_F32, &shape, "a checkpoint", &a, err));
    memcpy(ia_array_mutable(&a), data, bytes);
    inarch_status status = ia_checkpoint_add(out, name, &a, err);
    ia_array_release(&a);
    return status;
}

static uLong crc_of(const uint8_t *data, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    while (n > 0) {
        uInt part = n < (1u << 30) ? (uInt)n : 1u << 30;
        crc = crc32(crc, data, part);
        data += part;
        n -= part;
    }
    return crc;
}

static inarch_status parse(const uint8_t *data, size_t n, const char *path, ia_checkpoint *out,
                           inarch_error *err)
{
    if (n < 8 || memcmp(data, MAGIC, 8) != 0)
        return ia_fail(err, INARCH_BAD_FILE, path, "name another file: this one stays as it is",
                       "'%s' is no checkpoint: it begins with other bytes", path);
    if (n < 28)
        return damaged(path, "it is cut short", err);
    ia_cursor tail = ia_cursor_of(data + n - 4, 4);
    if (ia_u32(&tail) != (uint32_t)crc_of(data, n - 4))
        return damaged(path, "its checksum differs", err);
    ia_cursor c = ia_cursor_of(data, n - 4);
    ia_skip(&c, 8);
    if (ia_u32(&c) != VERSION)
        return damaged(path, "another version of inarch wrote it", err);
    uint32_t count = ia_u32(&c);
    uint64_t json_n = ia_u64(&c);
    const uint8_t *json = json_n <= ia_left(&c) ? ia_bytes(&c, (size_t)json_n) : NULL;
    if (!json || count > MAX_ARRAYS)
        return damaged(path, "it is cut", err);
    IA_TRY(ia_json_parse((const char *)json, (size_t)json_n, path, &out->state, err));
    for (uint32_t i = 0; i < count; i++)
        IA_TRY(get_array(&c, path, out, err));
    return INARCH_OK;
}

inarch_status ia_checkpoint_read(const char *path, ia_checkpoint *out, bool *found,
                                 inarch_error *err)
{
    ia_input in;
    uint8_t *data = NULL;
    size_t n = 0;
    ia_checkpoint c = {0};
    *found = access(path, F_OK) == 0;
    if (!*found)
        return INARCH_OK;
    IA_TRY(ia_input_open(path, &in, err));
    inarch_status status = ia_input_read_all(&in, MAX_BYTES, &data, &n, err);
    ia_input_close(&in);
    if (status == INARCH_OK)
        status = parse(data, n, path, &c, err);
    ia_free(data);
    if (status == INARCH_OK)
        *out = c;
    else
        ia_checkpoint_free(&c);
    return status;
}
