/* Losses: per-sample values and gradients. One row each in nn/losses/.
 *
 * A sample is one row of the last axis: an output of shape (5, 3) gives 5 samples of 3 a row of the
 * batch. The work along samples is done by kernels/losses.h; what few models use is in plain C. */
#ifndef IA_NN_LOSS_H
#define IA_NN_LOSS_H

#include "base/json.h"
#include "kernels/kernels.h"

typedef struct ia_loss ia_loss;

/* What the predictions are. A head whose last activation is the one a loss can take apart is run
 * "from logits": gradients enter before that activation (Keras on TensorFlow does the same). */
typedef enum ia_logits { IA_LOGITS_NONE, IA_LOGITS_SIGMOID, IA_LOGITS_SOFTMAX } ia_logits;

/* What the targets are. */
typedef enum ia_target {
    IA_TARGET_VALUES, /* [samples][cols], as the output */
    IA_TARGET_CLASS   /* [samples][1], a class index stored as float */
} ia_target;

typedef struct ia_loss_batch {
    const ia_exec *exec;
    size_t samples, cols;
    const float *p; /* [samples][cols] predictions; may be NULL when z is there */
    const float *z; /* what the last activation made p of, or NULL */
    ia_logits last; /* that activation */
    const float *t; /* targets, as the class says */
    double *loss;   /* [samples]; out */
    float *grad;    /* [samples][cols] d loss / d p (d z where it is there), times scale and weight;
                       NULL: not wanted */
    double scale;
    const float *weight; /* [samples / per]; NULL: 1 */
    size_t per;          /* samples that share a weight, >= 1 where there are weights */
} ia_loss_batch;

typedef struct ia_loss_class {
    const char *name;    /* Keras' long name: "binary_crossentropy" */
    const char *aliases; /* "bce|BinaryCrossentropy", separated by '|' */
    const char *help;
    const char *param[3]; /* "label_smoothing", "delta", ...; NULL past the last */
    double fallback[3];
    ia_target target;
    ia_logits logits; /* the activation it can take apart */
    void (*samples)(const ia_loss *l, const ia_loss_batch *b);
} ia_loss_class;

struct ia_loss {
    const ia_loss_class *cls;
    double param[3];
    int from_logits; /* Keras' from_logits=True: p holds logits although no activation is there */
};

size_t ia_loss_count(void);
const ia_loss_class *ia_loss_class_at(size_t i);
/* "mse", "binary_crossentropy(label_smoothing=0.1)", "huber(0.5)". */
IA_MUST_CHECK inarch_status ia_loss_from_text(const char *text, ia_loss *out, inarch_error *err);
/* A string or {"class_name"/"name", "config"} of any Keras generation. */
IA_MUST_CHECK inarch_status ia_loss_from_json(const json_t *value, ia_loss *out, inarch_error *err);
/* A plain name where parameters are defaults, else the serialized object Keras 3 and tf_keras read.
 */
IA_MUST_CHECK inarch_status ia_loss_to_json(const ia_loss *l, json_t **out, inarch_error *err);
void ia_loss_to_text(const ia_loss *l, char *out, size_t size);

#endif
