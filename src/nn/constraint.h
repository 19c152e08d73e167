/* Constraints: projections of a variable after each optimizer update. One row each in constraint.c.
 */
#ifndef IA_NN_CONSTRAINT_H
#define IA_NN_CONSTRAINT_H

#include "base/json.h"
#include "tensor/shape.h"

typedef struct ia_constraint_class ia_constraint_class;

typedef struct ia_constraint {
    const ia_constraint_class *cls; /* NULL: none */
    float param[3];                 /* max_norm: max_value; min_max_norm: min, max, rate */
    int axis;                       /* the axis norms run over; 0 in Keras for Dense */
} ia_constraint;

/* "max_norm(2)", "non_neg", "unit_norm", "min_max_norm(...)", "none". */
IA_MUST_CHECK inarch_status ia_constraint_from_text(const char *text, ia_constraint *out,
                                                    inarch_error *err);
IA_MUST_CHECK inarch_status ia_constraint_from_json(const json_t *value, ia_constraint *out,
                                                    inarch_error *err);
IA_MUST_CHECK inarch_status ia_constraint_to_json(const ia_constraint *c, json_t **out,
                                                  inarch_error *err);
size_t ia_constraint_count(void);
const char *ia_constraint_name_at(size_t i);
const struct ia_param *ia_constraint_params_at(size_t i); /* params.h */
void ia_constraint_to_text(const ia_constraint *c, char *out, size_t size);
/* The axis lies inside a variable of this shape. */
bool ia_constraint_fits(const ia_constraint *c, const ia_shape *shape);
void ia_constraint_apply(const ia_constraint *c, const ia_shape *shape, float *w);

#endif
