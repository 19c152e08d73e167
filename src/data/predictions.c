/* Rows of predictions as text and as NumPy's files. */
#include "data/predictions.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/text.h"
#include "containers/npy.h"
#include "containers/zip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FLUSH ((size_t)64 << 10)

/* ---- CSV ---- */

/* Quoted where a reader could take it for more than one cell, or cut it. */
static inarch_status put_text(ia_buf *b, const char *s, inarch_error *err)
{
    size_t n = strlen(s);
    bool plain = n > 0 && s[0] != ' ' && s[n - 1] != ' ' && !strpbrk(s, ",;\t\"\r\n");
    if (plain)
        return ia_buf_append(b, s, n, err);
    IA_TRY(ia_buf_u8(b, '"', err));
    for (; *s; s++) {
        if (*s == '"')
            IA_TRY(ia_buf_u8(b, '"', err));
        IA_TRY(ia_buf_append(b, s, 1, err));
    }
    return ia_buf_u8(b, '"', err);
}

static inarch_status put_column(ia_buf *b, const ia_predict_csv *p, size_t i, size_t n,
                                inarch_error *err)
{
    if (p->names)
        return put_text(b, p->names[i], err);
    if (p->kind != IA_PREDICT_NUMBERS)
        return ia_buf_printf(b, err, "%zu", i);
    return n == 1 ? ia_buf_text(b, "y", err) : ia_buf_printf(b, err, "y%zu", i);
}

inarch_status ia_predict_csv_header(const ia_predict_csv *p, ia_output *o, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_buf b = IA_BUF(SIZE_MAX / 2);
    size_t n = p->kind == IA_PREDICT_BINARY ? 2 : p->columns;
    if (p->kind != IA_PREDICT_NUMBERS)
        IA_TRY_GOTO(ia_buf_text(&b, "label", err));
    for (size_t i = 0; i < n; i++) {
        if (i > 0 || p->kind != IA_PREDICT_NUMBERS)
            IA_TRY_GOTO(ia_buf_u8(&b, ',', err));
        IA_TRY_GOTO(put_column(&b, p, i, n, err));
    }
    IA_TRY_GOTO(ia_buf_u8(&b, '\n', err));
    IA_TRY_GOTO(ia_output_write(o, b.data, b.len, err));
done:
    ia_buf_free(&b);
    return status;
}

static inarch_status put_float(ia_buf *b, float v, inarch_error *err)
{
    char text[32];
    ia_format_float(v, text, sizeof text);
    return ia_buf_text(b, text, err);
}

static inarch_status put_label(ia_buf *b, const ia_predict_csv *p, size_t k, inarch_error *err)
{
    if (p->names)
        IA_TRY(put_text(b, p->names[k], err));
    else
        IA_TRY(ia_buf_printf(b, err, "%zu", k));
    return ia_buf_u8(b, ',', err);
}

static inarch_status put_row(ia_buf *b, const ia_predict_csv *p, const float *y, inarch_error *err)
{
    if (p->kind == IA_PREDICT_BINARY) {
        IA_TRY(put_label(b, p, y[0] > 0.5f, err));
        IA_TRY(put_float(b, 1 - y[0], err));
        IA_TRY(ia_buf_u8(b, ',', err));
        IA_TRY(put_float(b, y[0], err));
        return ia_buf_u8(b, '\n', err);
    }
    if (p->kind == IA_PREDICT_ARGMAX) {
        size_t best = 0;
        for (size_t k = 1; k < p->columns; k++)
            if (y[k] > y[best])
                best = k;
        IA_TRY(put_label(b, p, best, err));
    }
    for (size_t i = 0; i < p->columns; i++) {
        if (i > 0)
            IA_TRY(ia_buf_u8(b, ',', err));
        IA_TRY(put_float(b, y[i], err));
    }
    return ia_buf_u8(b, '\n', err);
}

inarch_status ia_predict_csv_rows(const ia_predict_csv *p, const float *y, size_t rows,
                                  ia_output *o, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_buf b = IA_BUF(SIZE_MAX / 2);
    for (size_t r = 0; r < rows; r++) {
        IA_TRY_GOTO(put_row(&b, p, y + r * p->columns, err));
        if (b.len < FLUSH)
            continue;
        IA_TRY_GOTO(ia_output_write(o, b.data, b.len, err));
        b.len = 0;
    }
    if (b.len)
        IA_TRY_GOTO(ia_output_write(o, b.data, b.len, err));
done:
    ia_buf_free(&b);
    return status;
}

/* ---- NumPy ---- */

/* The header of [rows][row] float32, and the bytes of its data. */
static inarch_status prediction_header(size_t rows, const ia_shape *row, ia_buf *header,
                                       size_t *bytes, inarch_error *err)
{
    ia_shape shape = {.rank = row->rank + 1, .dim = {(int64_t)rows}};
    size_t count;
    if (row->rank >= IA_MAX_RANK)
        return ia_fail(err, INARCH_LIMIT, "", "", "an array has at most %d dimensions",
                       IA_MAX_RANK);
    memcpy(shape.dim + 1, row->dim, (size_t)row->rank * sizeof row->dim[0]);
    if (!ia_shape_count(&shape, &count) || !ia_mul(count, sizeof(float), bytes))
        return ia_fail_memory(err, "predictions", SIZE_MAX);
    return ia_npy_header(IA_F32, &shape, header, err);
}

/* Float32 as little endian, whatever the host: NULL where it is so already. */
static inarch_status little_endian(const float *y, size_t bytes, float **copy, inarch_error *err)
{
    *copy = NULL;
    if (!ia_big_endian())
        return INARCH_OK;
    *copy = ia_calloc(bytes, 1);
    if (!*copy)
        return ia_fail_memory(err, "predictions", bytes);
    memcpy(*copy, y, bytes);
    ia_byteswap(*copy, bytes / sizeof(float), sizeof(float));
    return INARCH_OK;
}

inarch_status ia_predict_npy(const char *path, const float *y, size_t rows, const ia_shape *row,
                             inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_buf header = IA_BUF(1024);
    ia_output *o = NULL;
    float *swapped = NULL;
    size_t bytes = 0;
    IA_TRY_GOTO(prediction_header(rows, row, &header, &bytes, err));
    IA_TRY_GOTO(little_endian(y, bytes, &swapped, err));
    IA_TRY_GOTO(ia_output_open(path, &o, err));
    IA_TRY_GOTO(ia_output_write(o, header.data, header.len, err));
    if (bytes)
        IA_TRY_GOTO(ia_output_write(o, swapped ? swapped : y, bytes, err));
    status = ia_output_commit(o, err);
    o = NULL;
done:
    ia_output_discard(o);
    ia_buf_free(&header);
    ia_free(swapped);
    return status;
}

static inarch_status add_prediction(ia_zip_writer *w, const char *name, const float *y, size_t rows,
                                    const ia_shape *row, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_buf header = IA_BUF(1024);
    float *swapped = NULL;
    size_t bytes = 0;
    IA_TRY_GOTO(prediction_header(rows, row, &header, &bytes, err));
    IA_TRY_GOTO(little_endian(y, bytes, &swapped, err));
    const ia_piece pieces[] = {{header.data, header.len}, {swapped ? swapped : y, bytes}};
    IA_TRY_GOTO(ia_zip_add(w, name, IA_ZIP_STORED, pieces, 2, err));
done:
    ia_buf_free(&header);
    ia_free(swapped);
    return status;
}

inarch_status ia_predict_npz(const char *path, const float *const *y, size_t rows,
                             const ia_shape *row, size_t n, inarch_error *err)
{
    inarch_status status = INARCH_OK;
    ia_output *o = NULL;
    ia_zip_writer *w = NULL;
    IA_TRY_GOTO(ia_output_open(path, &o, err));
    IA_TRY_GOTO(ia_zip_writer_new(o, &w, err));
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, n == 1 ? "y.npy" : "y%zu.npy", i);
        IA_TRY_GOTO(add_prediction(w, name, y[i], rows, &row[i], err));
    }
    IA_TRY_GOTO(ia_zip_finish(w, err));
    status = ia_output_commit(o, err);
    o = NULL;
done:
    ia_output_discard(o);
    ia_zip_writer_free(w);
    return status;
}
