/* Shapes: equality, checked products, text. */
#include "tensor/shape.h"
#include "base/alloc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

ia_shape ia_shape_of(int rank, const int64_t *dim)
{
    assert(rank >= 0 && rank <= IA_MAX_RANK);
    ia_shape s = {.rank = rank};
    for (int i = 0; i < rank; i++)
        s.dim[i] = dim[i];
    return s;
}

ia_shape ia_shape_1(int64_t n)
{
    return ia_shape_of(1, &n);
}

bool ia_shape_equal(const ia_shape *a, const ia_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool ia_shape_count(const ia_shape *s, size_t *out)
{
    bool empty = false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0 || (uint64_t)s->dim[i] > SIZE_MAX)
            return false;
        empty |= s->dim[i] == 0;
    }
    size_t count = empty ? 0 : 1; /* nothing wraps where a factor is zero */
    for (int i = 0; i < s->rank; i++)
        if (!ia_mul(count, (size_t)s->dim[i], &count))
            return false;
    *out = count;
    return true;
}

const char *ia_shape_text(const ia_shape *s, char *out, size_t size)
{
    assert(size);
    size_t used = 0;
    out[0] = 0;
    for (int i = -1; i <= s->rank; i++) {
        char piece[32];
        if (i < 0)
            snprintf(piece, sizeof piece, "(");
        else if (i == s->rank)
            snprintf(piece, sizeof piece, "%s)", s->rank == 1 ? "," : "");
        else if (s->dim[i] == IA_DIM_UNKNOWN)
            snprintf(piece, sizeof piece, "%sNone", i ? ", " : "");
        else
            snprintf(piece, sizeof piece, "%s%" PRId64, i ? ", " : "", s->dim[i]);
        int n = snprintf(out + used, size - used, "%s", piece);
        used += (size_t)n < size - used ? (size_t)n : size - used - 1;
    }
    return out;
}
