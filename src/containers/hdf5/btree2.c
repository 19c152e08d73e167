/* B-trees of version 2: BTHD, BTIN, BTLF. Every record is handed to a callback in order.
 *
 * A node's capacity, and with it the width of the counts beside each child, follows from the size
 * of a node and of a record. */
#include "containers/hdf5/internal.h"

#include <string.h>

#define NODE_OVERHEAD 10u /* magic, version, type, checksum */

typedef struct tree2 {
    unsigned type;
    size_t node_size, record_size;
    size_t capacity[H5_MAX_LEVEL + 1];    /* records of one node, by depth below it */
    size_t total_width[H5_MAX_LEVEL + 1]; /* bytes of a count of all records below */
    size_t count_width;                   /* bytes of a node's own count */
    uint64_t left;                        /* records still to come */
    h5_record_fn *fn;
    void *context;
} tree2;

/* The fewest bytes that hold `limit`. */
static size_t width_of(uint64_t limit)
{
    size_t n = 1;
    while (n < 8 && limit >> (8 * n) != 0)
        n++;
    return n;
}

/* False when a node cannot hold a record. */
static bool plan_capacity(tree2 *t, size_t depth)
{
    t->capacity[0] = (t->node_size - NODE_OVERHEAD) / t->record_size;
    t->count_width = width_of(t->capacity[0]);
    uint64_t total = t->capacity[0];
    for (size_t d = 1; d <= depth; d++) {
        size_t pointer = 8 + t->count_width + t->total_width[d - 1];
        if (t->node_size < NODE_OVERHEAD + pointer)
            return false;
        t->capacity[d] = (t->node_size - NODE_OVERHEAD - pointer) / (t->record_size + pointer);
        uint64_t n = t->capacity[d];
        total = total > (UINT64_MAX - n) / (n + 1) ? UINT64_MAX : (n + 1) * total + n;
        t->total_width[d] = width_of(total);
        if (n == 0)
            return false;
    }
    return t->capacity[0] > 0;
}

static inarch_status visit_record(h5_walk *w, tree2 *t, const uint8_t *record, inarch_error *err)
{
    if (t->left == 0)
        return h5_bad(w, err, "damaged: a B-tree holds more records than it says");
    t->left--;
    return t->fn(w, t->context, record, err);
}

/* Recursion is bounded by depth, which falls by one each time. */
static inarch_status read_node(h5_walk *w, tree2 *t, uint64_t addr, size_t records, size_t depth,
                               inarch_error *err);

static inarch_status read_children(h5_walk *w, tree2 *t, ia_cursor *c, const uint8_t *first,
                                   size_t records, size_t depth, inarch_error *err)
{
    for (size_t i = 0; i <= records; i++) {
        uint64_t child = ia_u64(c), count = ia_uint(c, t->count_width);
        if (depth > 1)
            ia_skip(c, t->total_width[depth - 1]);
        if (count > t->capacity[depth - 1])
            return h5_bad(w, err, "damaged: a B-tree node of %llu records; at most %zu fit",
                          (unsigned long long)count, t->capacity[depth - 1]);
        IA_TRY(read_node(w, t, child, (size_t)count, depth - 1, err));
        if (i < records)
            IA_TRY(visit_record(w, t, first + i * t->record_size, err));
    }
    return INARCH_OK;
}

static inarch_status read_node(h5_walk *w, tree2 *t, uint64_t addr, size_t records, size_t depth,
                               inarch_error *err)
{
    uint8_t *bytes;
    IA_TRY(ia_h5_take_new(w, addr, t->node_size, "B-tree node", &bytes, err));
    inarch_status status = INARCH_OK;
    ia_cursor c = ia_cursor_of(bytes, t->node_size);
    size_t used = NODE_OVERHEAD + records * t->record_size;
    if (depth > 0)
        used += (records + 1) * (8 + t->count_width + (depth > 1 ? t->total_width[depth - 1] : 0));
    if (!ia_match(&c, depth > 0 ? "BTIN" : "BTLF", 4) || ia_u8(&c) != 0)
        IA_TRY_GOTO(ia_h5_bad_start(w, err, "B-tree node", addr, bytes, 5));
    if (ia_u8(&c) != t->type || used > t->node_size)
        IA_TRY_GOTO(h5_bad(w, err, "damaged: the B-tree node at address %llu does not fit its tree",
                           (unsigned long long)addr));
    IA_TRY_GOTO(ia_h5_check_sum(w, "B-tree node", addr, bytes, used, err));
    const uint8_t *first = ia_bytes(&c, records * t->record_size);
    if (depth > 0)
        status = read_children(w, t, &c, first, records, depth, err);
    else
        for (size_t i = 0; i < records && status == INARCH_OK; i++)
            status = visit_record(w, t, first + i * t->record_size, err);
done:
    ia_free(bytes);
    return status;
}

inarch_status ia_h5_btree2_each(h5_walk *w, uint64_t addr, unsigned type, size_t record_size,
                                h5_record_fn *fn, void *context, inarch_error *err)
{
    uint8_t head[38];
    IA_TRY(ia_h5_take(w, addr, sizeof head, "B-tree", head, err));
    ia_cursor c = ia_cursor_of(head, sizeof head);
    if (!ia_match(&c, "BTHD", 4) || ia_u8(&c) != 0)
        return ia_h5_bad_start(w, err, "B-tree", addr, head, 5);
    IA_TRY(ia_h5_check_sum(w, "B-tree", addr, head, sizeof head, err));
    tree2 t = {.type = type, .record_size = record_size, .fn = fn, .context = context};
    unsigned own_type = ia_u8(&c);
    t.node_size = ia_u32(&c);
    size_t own_record = ia_u16(&c), depth = ia_u16(&c);
    ia_skip(&c, 2);
    uint64_t root = ia_u64(&c);
    size_t records = ia_u16(&c);
    t.left = ia_u64(&c);
    if (own_type != type || own_record != record_size)
        return h5_bad(w, err,
                      "damaged: a B-tree of type %u with records of %zu bytes where type "
                      "%u is due",
                      own_type, own_record, type);
    if (depth > H5_MAX_LEVEL || t.node_size < 64 || t.node_size > 65536 ||
        !plan_capacity(&t, depth) || records > t.capacity[depth] || t.left > w->eof / record_size)
        return h5_bad(w, err, "damaged: a B-tree of depth %zu, nodes of %zu bytes and %llu records",
                      depth, t.node_size, (unsigned long long)t.left);
    if (root != H5_NOWHERE)
        IA_TRY(read_node(w, &t, root, records, depth, err));
    if (t.left > 0)
        return h5_bad(w, err, "damaged: a B-tree lacks %llu of its records",
                      (unsigned long long)t.left);
    return INARCH_OK;
}
