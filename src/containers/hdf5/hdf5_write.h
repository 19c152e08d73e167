/* Writes HDF5 that every libhdf5 since 1.8 reads, and Keras and h5py expect.
 *
 * One profile only: superblock 0, object headers 1, old groups, contiguous little-endian data,
 * attributes 1. Equal trees give equal bytes: no times, no unordered tables. The tree is built in
 * memory and written in one pass; dataset values are referenced, never copied. */
#ifndef IA_CONTAINERS_HDF5_WRITE_H
#define IA_CONTAINERS_HDF5_WRITE_H

#include "base/output.h"
#include "tensor/array.h"

typedef struct ia_h5w ia_h5w;
typedef struct ia_h5w_object ia_h5w_object; /* a group or a dataset, owned by its writer */

/* Attribute data above this must be split (Keras' HDF5_OBJECT_HEADER_LIMIT). */
#define IA_H5_ATTR_MAX 64512u

IA_MUST_CHECK inarch_status ia_h5w_new(ia_h5w **out, inarch_error *err);
void ia_h5w_free(ia_h5w *w); /* NULL allowed */
ia_h5w_object *ia_h5w_root(ia_h5w *w);

/* A group `name` in `parent`. A '/' nests: groups on the way are made, or found when they are there
 * ("base/d1"). An existing group of that name is returned as it is. Errors: INARCH_BAD_ARGUMENT for
 * an empty, dotted or non-UTF-8 name, or a dataset of that name. */
IA_MUST_CHECK inarch_status ia_h5w_group(ia_h5w *w, ia_h5w_object *parent, const char *name,
                                         ia_h5w_object **out, inarch_error *err);
/* A dataset; '/' nests as above ("dense_1/kernel:0"). Takes a reference to the values. *out (NULL
 * allowed) is for attributes. */
IA_MUST_CHECK inarch_status ia_h5w_dataset(ia_h5w *w, ia_h5w_object *parent, const char *name,
                                           const ia_array *values, ia_h5w_object **out,
                                           inarch_error *err);

/* Attributes. A second one of the same name is INARCH_BAD_ARGUMENT; text must be UTF-8. */
/* One variable-length string of up to 64 MiB, as h5py writes a str (model_config). */
IA_MUST_CHECK inarch_status ia_h5w_attr_text(ia_h5w *w, ia_h5w_object *o, const char *name,
                                             const char *text, size_t len, inarch_error *err);
/* n strings as h5py writes a list of bytes (fixed length, null-padded). Above IA_H5_ATTR_MAX they
 * are split into name0, name1, ... as Keras does. n == 0 gives an empty float64 array, as Keras
 * does. */
IA_MUST_CHECK inarch_status ia_h5w_attr_list(ia_h5w *w, ia_h5w_object *o, const char *name,
                                             const char *const *texts, size_t n, inarch_error *err);
/* Numbers of any dtype: a scalar for rank 0. The data are copied; at most IA_H5_ATTR_MAX bytes. */
IA_MUST_CHECK inarch_status ia_h5w_attr_numbers(ia_h5w *w, ia_h5w_object *o, const char *name,
                                                ia_dtype dtype, const ia_shape *shape,
                                                const void *data, inarch_error *err);

/* Lays out the addresses, then streams the file. `o` must be empty. */
IA_MUST_CHECK inarch_status ia_h5w_write(ia_h5w *w, ia_output *o, inarch_error *err);

#endif
