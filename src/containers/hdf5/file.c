/* Opens an HDF5 file: one walk over the tree, object by object, without recursion. */
#include "containers/hdf5/internal.h"

#include <stdio.h>
#include <string.h>

/* Objects whose headers are still to be read, in the order they were found. */
typedef struct open_queue {
    h5_node **nodes;
    size_t count, cap;
} open_queue;

static inarch_status add_node(h5_walk *w, open_queue *q, h5_node *parent, const char *name,
                              uint64_t header, h5_node **out, inarch_error *err)
{
    unsigned depth = parent != NULL ? parent->depth + 1 : 0;
    if (depth > H5_MAX_DEPTH)
        return h5_limit(w, err, "groups nest deeper than %u", H5_MAX_DEPTH);
    if (w->objects >= w->max_objects)
        return h5_limit(w, err, "more than %zu objects in a file of %llu bytes", w->max_objects,
                        (unsigned long long)w->eof);
    for (const h5_node *up = parent; up != NULL; up = (const h5_node *)up->object.parent)
        if (up->header == header)
            return h5_bad(w, err, "'%s' leads back to a group it lies in", name);
    IA_TRY(ia_grow(&q->nodes, &q->cap, q->count, sizeof *q->nodes, "HDF5 objects", err));
    h5_node *node = ia_h5_keep(w->file, 1, sizeof *node, "HDF5 objects", err);
    if (node == NULL)
        return INARCH_NO_MEMORY;
    node->object.name = name;
    node->object.parent = parent != NULL ? &parent->object : NULL;
    node->header = header;
    node->depth = depth;
    w->objects++;
    q->nodes[q->count++] = *out = node;
    return INARCH_OK;
}

static inarch_status read_group(h5_walk *w, open_queue *q, h5_node *node, const h5_header *h,
                                inarch_error *err)
{
    h5_links links = {0};
    inarch_status status;
    IA_TRY_GOTO(ia_h5_group_links(w, h, &links, err));
    if (links.count > 0) {
        const ia_h5_object **children =
            ia_h5_keep(w->file, links.count, sizeof *children, "HDF5 objects", err);
        if (children == NULL)
            IA_TRY_GOTO(INARCH_NO_MEMORY);
        for (size_t i = 0; i < links.count; i++) {
            h5_node *child;
            IA_TRY_GOTO(
                add_node(w, q, node, links.items[i].name, links.items[i].header, &child, err));
            children[i] = &child->object;
        }
        node->object.children = children;
        node->object.child_count = links.count;
    }
done:
    ia_free(links.items);
    return status;
}

static bool has_message(const h5_header *h, uint16_t type)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->messages[i].type == type)
            return true;
    return false;
}

static inarch_status read_object(h5_walk *w, open_queue *q, h5_node *node, const h5_header *h,
                                 inarch_error *err)
{
    bool group = has_message(h, H5_MSG_SYMBOL_TABLE) || has_message(h, H5_MSG_LINK_INFO);
    bool dataset = has_message(h, H5_MSG_LAYOUT);
    if (group && dataset)
        return h5_bad(w, err, "damaged: an object that is both a group and a dataset");
    if (!group && !dataset)
        return h5_refuse(w, err, "",
                         "an object that is neither a group nor a dataset (a named "
                         "datatype, perhaps) is not read");
    if (node->depth == 0 && dataset)
        return h5_bad(w, err, "damaged: the root of the file is not a group");
    node->object.kind = group ? IA_H5_GROUP : IA_H5_DATASET;
    IA_TRY(ia_h5_attrs(w, h, &node->object, err));
    return group ? read_group(w, q, node, h, err) : ia_h5_dataset(w, h, &node->object, err);
}

static inarch_status read_tree(h5_walk *w, open_queue *q, inarch_error *err)
{
    h5_node *root;
    IA_TRY(add_node(w, q, NULL, "", w->root_header, &root, err));
    w->file->root = &root->object;
    for (size_t i = 0; i < q->count; i++) {
        h5_header h = {0};
        w->where = &q->nodes[i]->object;
        inarch_status status = ia_h5_header_read(w, q->nodes[i]->header, &h, err);
        if (status == INARCH_OK)
            status = read_object(w, q, q->nodes[i], &h, err);
        ia_h5_header_free(&h);
        IA_TRY(status);
    }
    return ia_h5_check_overlaps(w, err);
}

inarch_status ia_h5_open(const ia_input *in, ia_h5 **out, inarch_error *err)
{
    ia_h5 *file = ia_calloc(1, sizeof *file);
    if (file == NULL)
        return ia_fail_memory(err, "HDF5 file", sizeof *file);
    file->in = *in;
    h5_walk w = {.file = file};
    open_queue queue = {0};
    inarch_status status = ia_h5_superblock(&w, in, err);
    if (status == INARCH_OK)
        status = read_tree(&w, &queue, err);
    ia_free(queue.nodes);
    ia_h5_walk_release(&w);
    if (status == INARCH_OK)
        *out = file;
    else
        ia_h5_free(file);
    return status;
}

void ia_h5_free(ia_h5 *file)
{
    if (file == NULL)
        return;
    ia_h5_arena_free(&file->arena);
    ia_free(file);
}

const ia_h5_object *ia_h5_root(const ia_h5 *file)
{
    return file->root;
}
