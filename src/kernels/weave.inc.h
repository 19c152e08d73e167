/* Template: the step of Adam woven into the products of dW.
 *
 * Adam divides and takes a root for every weight. Done run by run of rows, that costs a fifth of
 * the products of 128 rows; one vector after every WEAVE_ROWS rows of the next run's products, it
 * mostly proceeds beside them, and so does fetching the weights and moments after those. Needs 32
 * vector registers; the including file defines V_SUB, V_MUL, V_DIV, V_SQRT, V_FMS(a, b, c) = a b -
 * c and V_FLUSH(v), law (g).
 */

#define WEAVE_ROWS 4

/* What is left to step of the run before: floats at ... n, whole vectors. */
typedef struct weave {
    const float *g;
    float *w, *m, *v;
    size_t at, n;
    V alpha, one_beta_1, one_beta_2, epsilon;
} weave;

static int weave_suits(const ia_tile_step *s, size_t rows)
{
    return s->rule == IA_UPDATE_adam && s->decay[0] == 0 && rows >= TILE_M;
}

static weave weave_of(const ia_tile_step *s, size_t at, size_t n, const float *g)
{
    return (weave){.g = g,
                   .w = s->w + at,
                   .m = s->slot[0] + at,
                   .v = s->slot[1] + at,
                   .n = n,
                   .alpha = V_SPREAD(s->p),
                   .one_beta_1 = V_SPREAD(s->p + 1),
                   .one_beta_2 = V_SPREAD(s->p + 2),
                   .epsilon = V_SPREAD(s->p + 3)};
}

/* One vector, as ia_step_adam; what a run of the same length will need next is fetched. */
IA_ALWAYS_INLINE void weave_vector(const weave *l, size_t i)
{
    V g = V_LOAD(l->g + i), m = V_LOAD(l->m + i), v = V_LOAD(l->v + i);
    __builtin_prefetch(l->w + i + l->n, 1);
    __builtin_prefetch(l->m + i + l->n, 1);
    __builtin_prefetch(l->v + i + l->n, 1);
    m = V_FLUSH(V_FMA(V_SUB(g, m), l->one_beta_1, m));
    v = V_FLUSH(V_FMA(V_FMS(g, g, v), l->one_beta_2, v));
    V_STORE(l->m + i, m);
    V_STORE(l->v + i, v);
    V_STORE(l->w + i,
            V_SUB(V_LOAD(l->w + i), V_DIV(V_MUL(m, l->alpha), V_ADD(V_SQRT(v), l->epsilon))));
}

static void weave_rest(weave *l)
{
    for (; l->at < l->n; l->at += VL)
        weave_vector(l, l->at);
}

#define WEAVE_STEP(i)                                                                              \
    {                                                                                              \
        V x = V_SPREAD(a + i);                                                                     \
        c0##i = V_FMA(x, b0, c0##i);                                                               \
        c1##i = V_FMA(x, b1, c1##i);                                                               \
    }
#define WEAVE_ROW                                                                                  \
    {                                                                                              \
        V b0 = V_LOAD(b), b1 = V_LOAD(b + VL);                                                     \
        TILE_ROWS(WEAVE_STEP)                                                                      \
        a += a_k;                                                                                  \
        b += TILE_N;                                                                               \
    }

/* A whole tile of one block, c = or += it; A and B lie in panels. */
static void weave_tile(const tile *t, weave *waiting)
{
    const int m = TILE_M, nv = 2;
    const size_t a_k = t->a_k, ldc = TILE_N;
    const float *a = t->a, *b = t->b;
    const weave l = *waiting; /* nothing stored here can change it */
    size_t k = t->k, at = l.at;
    TILE_ROWS(ROW_DECLARE)
    for (; k >= WEAVE_ROWS && at < l.n; k -= WEAVE_ROWS, at += VL) {
        WEAVE_ROW WEAVE_ROW WEAVE_ROW WEAVE_ROW weave_vector(&l, at);
    }
    for (; k; k--)
        WEAVE_ROW
    float *c = t->c;
    if (t->add) {
        TILE_ROWS(ROW_ADD)
    } else {
        TILE_ROWS(ROW_STORE)
    }
    waiting->at = at;
}
