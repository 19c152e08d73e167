/* Every layer under every loss: gradients of the whole program, loss included, against central
 * differences of the loss in double. Steps that straddle a kink (relu, hinge, |x|) are recognised
 * by one-sided differences that disagree, and left out. */
#include "test.h"

#include "nn/spec.h"
#include "train/objective.h"

#include <math.h>

#define ROWS 6

/* A layer to put between two Dense(6), and the rows' shape it works on. */
static const char *const layers[] = {
    "dense:6:relu",
    "dense(6,tanh,kernel_regularizer=l2(0.05),bias_regularizer=l1(0.02))",
    "dense(6,sigmoid,activity_regularizer=l2(0.05))",
    "activation:gelu",
    "activation:silu",
    "activation:selu",
    "activation:softmax",
    "relu(max_value=0.4,negative_slope=0.1,threshold=0.05)",
    "leakyrelu",
    "prelu(alpha_initializer=random_uniform)",
    "elu",
    "thresholdedrelu:0.1",
    "softmax",
    "dropout:0.3",
    "alphadropout:0.3",
    "gaussiannoise:0.3",
    "gaussiandropout:0.3",
    "batchnormalization",
    "layernormalization",
    "unitnormalization",
    "reshape:3x2,dense:4:tanh,permute:2x1,flatten",
    "repeatvector:3,dense:4:tanh,flatten",
    "rescaling:0.5:0.1",
    "activityregularization:0.01:0.02",
    "masking",
};

/* Losses with the head they go with: 'v' values, 's' one sigmoid-like share, 'k' a class index. */
static const struct {
    const char *loss, *head;
    char target;
} losses[] = {
    {"mean_squared_error", "dense:3", 'v'},
    {"mean_absolute_error", "dense:3", 'v'},
    {"mean_absolute_percentage_error", "dense:3", 'p'},
    {"mean_squared_logarithmic_error", "dense:3:sigmoid", 'p'},
    {"huber(delta=0.3)", "dense:3", 'v'},
    {"log_cosh", "dense:3", 'v'},
    {"cosine_similarity", "dense:3", 'v'},
    {"hinge", "dense:3:tanh", 'b'},
    {"squared_hinge", "dense:3:tanh", 'b'},
    {"categorical_hinge", "dense:3:softmax", 'o'},
    {"poisson", "dense:3:softplus", 'p'},
    {"kl_divergence", "dense:3:softmax", 'd'},
    {"binary_crossentropy(label_smoothing=0.1)", "dense:3:sigmoid", 'b'},
    {"binary_crossentropy(from_logits=true)", "dense:3", 'b'},
    {"categorical_crossentropy(label_smoothing=0.1)", "dense:3:softmax", 'o'},
    {"categorical_crossentropy", "dense:3:sigmoid", 'o'},
    {"sparse_categorical_crossentropy", "dense:3:softmax", 'k'},
};

static float wave(size_t i, double salt)
{
    return (float)sin(0.61 * (double)i + salt);
}

/* Targets of one sample of 3 (or one index), by kind. */
static void fill_target(char kind, size_t sample, float *t)
{
    for (size_t c = 0; c < 3; c++) {
        float w = wave(sample * 3 + c, 0.9);
        if (kind == 'k' && c == 0)
            t[0] = (float)(sample % 3);
        else if (kind == 'v')
            t[c] = w;
        else if (kind == 'p')
            t[c] = 0.6f + 0.4f * w;
        else if (kind == 'b')
            t[c] = w > 0;
        else if (kind == 'o')
            t[c] = c == sample % 3;
        else if (kind == 'd')
            t[c] = c == 0 ? 0.2f : c == 1 ? 0.5f : 0.3f;
    }
}

typedef struct rig {
    ia_program *p;
    ia_objective o;
    ia_head head;
    float target[ROWS * 3];
    double temp[ROWS];
} rig;

static double total_loss(rig *r)
{
    ia_program_forward(r->p, ROWS, 3);
    return ia_head_loss(&r->head, r->p, ROWS, r->target, NULL, false, r->temp) +
           ia_objective_penalty(&r->o, r->p) + ia_program_activity(r->p);
}

static void gradients(rig *r)
{
    ia_program_forward(r->p, ROWS, 3);
    ia_head_loss(&r->head, r->p, ROWS, r->target, NULL, true, r->temp);
    ia_program_backward(r->p, ROWS);
    ia_objective_penalty_grad(&r->o, r->p);
}

/* Compares every gradient; returns how many could be compared. */
static size_t compare(rig *r, const char *layer, const char *loss)
{
    size_t compared = 0;
    for (size_t v = 0; v < ia_program_live_count(r->p); v++) {
        const ia_live *live = ia_program_live(r->p, v);
        for (size_t i = 0; live->grad && i < live->count; i++) {
            float saved = live->value[i];
            double at = total_loss(r), h = 4e-3;
            live->value[i] = saved + (float)h;
            double up = (total_loss(r) - at) / h;
            live->value[i] = saved - (float)h;
            double down = (at - total_loss(r)) / h;
            live->value[i] = saved;
            double numeric = (up + down) / 2, size = fmax(fabs(numeric), 0.05);
            double rounding = 1e-6 * fmax(fabs(at), 1) / h; /* of the float32 forward pass */
            if (fabs(up - down) > 0.02 * size + rounding)
                continue; /* a kink, or too curved for this step */
            if (fabs(numeric - (double)live->grad[i]) > 0.015 * size + rounding)
                fail_msg("%s under %s: d/d%s[%zu] is %g, but differences give %g", layer, loss,
                         live->path, i, (double)live->grad[i], numeric);
            compared++;
        }
    }
    return compared;
}

static size_t check(size_t a, size_t b)
{
    inarch_error err;
    char arch[512];
    ia_model *m;
    rig r = {0};
    snprintf(arch, sizeof arch, "input:5,dense:6:tanh,%s,%s", layers[a], losses[b].head);
    assert_ok(ia_spec_model(arch, 11, &m, &err), err);
    assert_ok(ia_loss_from_text(losses[b].loss, &r.head.loss, &err), err);
    r.head.weight = 1;
    r.head.cols = 3;
    r.head.samples = 1;
    r.head.target_size = losses[b].target == 'k' ? 1 : 3;
    ia_logits own = ia_output_logits(m, 0);
    r.head.logits = own == r.head.loss.cls->logits ? own : IA_LOGITS_NONE;
    ia_program_options o = {
        .mode = IA_RUN_TRAIN, .rows = ROWS, .seed = 5, .logits = &r.head.logits};
    assert_ok(ia_program_new(m, &o, &r.p, &err), err);
    assert_ok(ia_objective_add_l2_sp(&r.o, r.p, 0, 0, &err), err); /* for the regularisers */
    const ia_view *x = ia_program_input(r.p, 0);
    for (size_t i = 0; i < ROWS * x->size; i++)
        x->data[i] = wave(i, 0.2);
    for (size_t s = 0; s < ROWS; s++)
        fill_target(losses[b].target, s, r.target + s * r.head.target_size);
    gradients(&r);
    size_t compared = compare(&r, layers[a], losses[b].loss);
    ia_objective_free(&r.o);
    ia_program_free(r.p);
    ia_model_free(m);
    return compared;
}

static void test_every_pair(void **state)
{
    (void)state;
    size_t compared = 0, pairs = 0;
    for (size_t a = 0; a < sizeof layers / sizeof *layers; a++) {
        for (size_t b = 0; b < sizeof losses / sizeof *losses; b++) {
            size_t n = check(a, b);
            if (n < 10)
                fail_msg("%s under %s: only %zu gradients could be compared", layers[a],
                         losses[b].loss, n);
            compared += n;
            pairs++;
        }
    }
    print_message("%zu pairs, %zu gradients\n", pairs, compared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_pair)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
