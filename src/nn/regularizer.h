/* Regularisers: l1 * sum|w| + l2 * sum w^2, on a kernel, a bias or a layer's output. */
#ifndef IA_NN_REGULARIZER_H
#define IA_NN_REGULARIZER_H

#include "base/json.h"

typedef struct ia_regularizer {
    float l1, l2; /* both 0: none */
    int given;    /* written back even when both are 0 */
} ia_regularizer;

/* "l1(0.01)", "l2(0.01)", "l1_l2(l1=0.01,l2=0.01)", "l1", "l2" (0.01), "none". */
IA_MUST_CHECK inarch_status ia_regularizer_from_text(const char *text, ia_regularizer *out,
                                                     inarch_error *err);
IA_MUST_CHECK inarch_status ia_regularizer_from_json(const json_t *value, ia_regularizer *out,
                                                     inarch_error *err);
IA_MUST_CHECK inarch_status ia_regularizer_to_json(const ia_regularizer *r, json_t **out,
                                                   inarch_error *err);
size_t ia_regularizer_count(void);
const char *ia_regularizer_name_at(size_t i);
const struct ia_param *ia_regularizer_params_at(size_t i); /* params.h */
void ia_regularizer_to_text(const ia_regularizer *r, char *out, size_t size);
bool ia_regularizer_active(const ia_regularizer *r);

/* The penalty of n values, in double by the law's tree. */
double ia_regularizer_loss(const ia_regularizer *r, size_t n, const float *w);
/* g += scale * (l1 * sign(w) + 2 * l2 * w); sign(0) = 0. */
void ia_regularizer_grad(const ia_regularizer *r, size_t n, float scale, const float *w, float *g);

#endif
