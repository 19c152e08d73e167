/* HDF5 files as Keras writes them: a strict reader of our own (hdf5_write.h writes).
 *
 * ia_h5_open walks the whole tree once, checks every structure and keeps names, attributes and
 * where the data lie; dataset values are read later, by checked extents. What is not read (filters
 * other than deflate/shuffle/fletcher32, links other than hard ones, compound types, ...) is
 * refused at open with a message that names the feature. Nothing here knows what a layer is. */
#ifndef IA_CONTAINERS_HDF5_H
#define IA_CONTAINERS_HDF5_H

#include "base/input.h"
#include "tensor/array.h"

typedef struct ia_h5 ia_h5;

typedef struct ia_h5_string {
    const char *text; /* len bytes and a zero byte behind them */
    uint32_t len;
    bool utf8; /* valid UTF-8 without a zero byte inside */
} ia_h5_string;

/* An attribute: text when `strings` is set, else numbers in host byte order. */
typedef struct ia_h5_attr {
    const char *name;
    ia_shape shape;              /* rank 0 is a scalar */
    size_t count;                /* elements: the product of shape; 0 for a null dataspace */
    bool null;                   /* no value at all (h5py.Empty) */
    const ia_h5_string *strings; /* [count], never NULL for text, even when count is 0 */
    ia_dtype dtype;              /* of numbers */
    const void *data;            /* [count] of dtype, aligned to 8; NULL for text */
} ia_h5_attr;

typedef enum ia_h5_kind { IA_H5_GROUP, IA_H5_DATASET } ia_h5_kind;

typedef struct ia_h5_storage ia_h5_storage; /* where a dataset's bytes lie (internal) */

typedef struct ia_h5_object {
    ia_h5_kind kind;
    const char *name; /* one link: no '/'; "" for the root; valid UTF-8 */
    const struct ia_h5_object *parent;
    size_t attr_count;
    const ia_h5_attr *attrs; /* ascending by the bytes of their names */
    /* A group: */
    size_t child_count;
    const struct ia_h5_object *const *children; /* ascending by the bytes of their names */
    /* A dataset: */
    ia_dtype dtype;
    ia_shape shape;
    size_t bytes; /* elements * size in memory */
    const ia_h5_storage *storage;
} ia_h5_object;

/* Reads the tree. The input's file (not the struct) must stay open until ia_h5_free, and its name
 * too. All names, strings and attribute data live in *out. Errors: INARCH_BAD_FILE (not HDF5, cut,
 * never finished, damaged), INARCH_UNSUPPORTED (a feature that is not read), INARCH_LIMIT. */
IA_MUST_CHECK inarch_status ia_h5_open(const ia_input *in, ia_h5 **out, inarch_error *err);
void ia_h5_free(ia_h5 *file); /* NULL allowed */

/* The first bytes look like HDF5 (signature at 0, 512, 1024, 2048, ... of the input). */
bool ia_h5_probe(const ia_input *in);

const ia_h5_object *ia_h5_root(const ia_h5 *file);
/* A child of a group; NULL when there is none of that name or `group` is NULL or a dataset. */
const ia_h5_object *ia_h5_child(const ia_h5_object *group, const char *name);
/* "model_weights/dense_1" from `from` down; "" is `from` itself; NULL when absent. */
const ia_h5_object *ia_h5_find(const ia_h5_object *from, const char *path);
/* "/model_weights/dense_1" into out; when it does not fit, "..." stands for the first names.
 * Returns out. */
const char *ia_h5_path(const ia_h5_object *object, char *out, size_t size);

/* NULL when absent, or object is NULL. */
const ia_h5_attr *ia_h5_attr_find(const ia_h5_object *object, const char *name);
/* The one string of a text attribute; NULL when absent, numeric, not one element or not UTF-8. */
const ia_h5_string *ia_h5_attr_text(const ia_h5_object *object, const char *name);
/* All strings of attribute `name`, or of name0, name1, ... joined (Keras splits lists above 64512
 * bytes). An empty numeric attribute (Keras' empty weight_names) is an empty list. *out is new
 * memory (ia_free); the texts are lent. Errors: INARCH_NOT_FOUND, INARCH_BAD_FILE for numbers or
 * text that is not UTF-8. */
IA_MUST_CHECK inarch_status ia_h5_attr_list(const ia_h5 *file, const ia_h5_object *object,
                                            const char *name, ia_h5_string **out, size_t *count,
                                            inarch_error *err);

/* The dataset's values as a new array. Any number of threads may read at a time. */
IA_MUST_CHECK inarch_status ia_h5_read(const ia_h5 *file, const ia_h5_object *dataset,
                                       ia_array *out, inarch_error *err);

#endif
