/* What the opaque handles of inarch.h hold. Private to api/. */
#ifndef IA_API_HANDLE_H
#define IA_API_HANDLE_H

#include "data/data.h"
#include "nn/model.h"
#include "train/history.h"

#include <stdatomic.h>

typedef struct api_view api_view; /* view.c */

/* What surgery has left of the file's compile state. */
#define API_EDITED                                                                                 \
    1 /* not its optimizer and moments, as after a change that Keras recompiles for */
#define API_NEW_OUTPUTS 2 /* nor its loss, loss weights and metrics: they were other outputs' */

struct inarch_model {
    ia_model *doc;
    uint64_t seed;            /* of layers that surgery adds */
    int edited;               /* API_EDITED...: surgery since loading */
    _Atomic(api_view *) view; /* what the getters lend; made when first asked for */
    char *lent;               /* the last text of inarch_meta_get */
};

/* The callback of inarch_data_source, shared by the data and all that is split from them. */
typedef struct api_source {
    atomic_int refs;
    inarch_source source;
} api_source;

struct inarch_data {
    ia_data *data;
    api_source *source; /* NULL: not from callbacks */
    char summary[256];
};

/* Everything that inarch_model_info, _layer, _port and _weight_at lend, as one block of memory. */
struct api_view {
    inarch_info info;
    inarch_layer *layers;
    size_t layer_count;
    inarch_weight *weights;
    size_t weight_count;
    inarch_port *ports[2]; /* inputs, outputs */
    char **texts;          /* every string above, owned here */
    size_t text_count, text_cap, layer_cap, weight_cap;
};

/* The view of a model as it is now; safe from several threads on a const model. */
IA_MUST_CHECK inarch_status api_view_of(const inarch_model *m, const api_view **out,
                                        inarch_error *err);
/* To be called by whatever changes the model. */
void api_view_drop(inarch_model *m);

/* Fit options over their defaults, numbers checked; *dropout_off is what frozen_dropout says. For
 * fits and sessions. */
IA_MUST_CHECK inarch_status api_fit_options(const inarch_fit_options *given,
                                            inarch_fit_options *out, int *dropout_off,
                                            inarch_error *err);
/* Moments start at 0: asked for, or those of a foreign file after surgery. */
int api_fresh_moments(const inarch_model *m, const inarch_fit_options *o);

/* Wraps a document; takes it over (frees it on failure). */
IA_MUST_CHECK inarch_status api_wrap(ia_model *doc, inarch_model **out, inarch_error *err);

/* inarch_option_at for a kind and a name, "layers/dense". */
IA_MUST_CHECK inarch_status api_setting_at(const char *path, size_t i, inarch_option *out,
                                           inarch_error *err);

inarch_shape api_shape(const ia_shape *s);
/* INARCH_BAD_ARGUMENT for a rank or dimension out of range. */
IA_MUST_CHECK inarch_status api_shape_in(const inarch_shape *s, ia_shape *out, inarch_error *err);

/* Options structs may be older (smaller) or NULL: copies what is there over the defaults. */
IA_MUST_CHECK inarch_status api_options(const void *given, size_t size, void *out,
                                        inarch_error *err);
/* Writes an info struct up to the size its owner set. */
IA_MUST_CHECK inarch_status api_info_out(const void *from, size_t size, void *out,
                                         inarch_error *err);

/* A view of `d` with the inputs and targets of `doc`: columns aligned by name, shapes checked,
 * labels encoded as the outputs want them. API_NO_TARGETS: labels are not needed and not looked at;
 * API_LEARN_TARGETS: for outputs that surgery made, other numbers than class indices may become the
 * classes' names. */
#define API_NO_TARGETS 0
#define API_TARGETS 1
#define API_LEARN_TARGETS 2
IA_MUST_CHECK inarch_status api_bind(const ia_model *doc, const ia_data *d, int targets,
                                     ia_data **out, inarch_error *err);
/* Adds to `note` (ia_note) how text labels were numbered, where the model has no names for its
 * classes that would say it. `bound` comes from api_bind, and no names were adopted since. */
void api_note_labels(const ia_model *doc, const ia_data *bound, int targets, char *note,
                     size_t size);
/* Names of the data's classes, columns and label columns, for a model that has none yet. */
IA_MUST_CHECK inarch_status api_adopt_names(ia_model *doc, const ia_data *bound, inarch_error *err);
/* The names under meta `key` as an array in new memory (ia_free); *n = 0 when there are none. The
 * strings are lent by the document. */
IA_MUST_CHECK inarch_status api_meta_names(const ia_model *doc, const char *key, const char ***out,
                                           size_t *n, inarch_error *err);
/* Names of the inputs (INARCH_INPUT) or outputs of a document, in new memory; strings lent. */
IA_MUST_CHECK inarch_status api_port_names(const ia_model *doc, int direction, const char ***out,
                                           inarch_error *err);
/* The layer that makes an output: the innermost one. */
const ia_layer *api_output_layer(const ia_model *doc, size_t output);

#endif
