/* Template: random masks (law e). Philox for 16 counters at a time, the same words as ia_philox. */

#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

/* Counters (row, group) and then their four words, one lane each. */
typedef struct mask_words {
    uint32_t w[4][IA_LAW_LANES];
} mask_words;

/* Written out, so that the words stay in registers through all rounds. */
#define PHILOX_ROUND                                                                               \
    do {                                                                                           \
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0, p1 = (uint64_t)PHILOX_M1 * c2;                     \
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;                                                       \
        c1 = (uint32_t)p1;                                                                         \
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;                                                       \
        c3 = (uint32_t)p0;                                                                         \
        k0 += PHILOX_W0;                                                                           \
        k1 += PHILOX_W1;                                                                           \
    } while (0)
#define PHILOX_FIVE_ROUNDS                                                                         \
    PHILOX_ROUND;                                                                                  \
    PHILOX_ROUND;                                                                                  \
    PHILOX_ROUND;                                                                                  \
    PHILOX_ROUND;                                                                                  \
    PHILOX_ROUND

static inline void mask_philox(ia_random_key key, mask_words *c)
{
    IA_LANES (j) {
        uint32_t k0 = key.k[0], k1 = key.k[1];
        uint32_t c0 = c->w[0][j], c1 = c->w[1][j], c2 = c->w[2][j], c3 = c->w[3][j];
        PHILOX_FIVE_ROUNDS;
        PHILOX_FIVE_ROUNDS;
        c->w[0][j] = c0;
        c->w[1][j] = c1;
        c->w[2][j] = c2;
        c->w[3][j] = c3;
    }
}

/* Walks over the groups of 4 units of all rows, 16 groups a time, so that narrow layers fill lanes.
 */
typedef struct mask_walk {
    size_t row, group;          /* the next one */
    size_t groups;              /* in a row */
    size_t at[IA_LAW_LANES];    /* where in the matrix each lane's first unit lies */
    size_t units[IA_LAW_LANES]; /* 1 to 4 */
} mask_walk;

/* The next 16 groups when they are whole and of one row: true, and `at` of lane 0 is set. */
static inline int mask_next_whole(mask_walk *w, size_t row0, size_t rows, size_t cols,
                                  mask_words *c)
{
    if (w->row >= rows || w->group + IA_LAW_LANES > cols / 4)
        return 0;
    uint64_t row = row0 + w->row, group = w->group;
    IA_LANES (j) {
        c->w[0][j] = (uint32_t)row;
        c->w[1][j] = (uint32_t)(row >> 32);
        c->w[2][j] = (uint32_t)group + (uint32_t)j;
        c->w[3][j] = (uint32_t)(group >> 32); /* no carry: a row has fewer than 2^34 units */
    }
    w->at[0] = w->row * cols + 4 * w->group;
    w->group += IA_LAW_LANES;
    if (w->group == w->groups) {
        w->group = 0;
        w->row++;
    }
    return 1;
}

/* Up to 16 groups of one or several rows; returns how many. */
static inline size_t mask_next(mask_walk *w, size_t row0, size_t rows, size_t cols, mask_words *c)
{
    size_t n = 0;
    for (; n < IA_LAW_LANES && w->row < rows; n++) {
        uint64_t row = row0 + w->row, group = w->group;
        c->w[0][n] = (uint32_t)row;
        c->w[1][n] = (uint32_t)(row >> 32);
        c->w[2][n] = (uint32_t)group;
        c->w[3][n] = (uint32_t)(group >> 32);
        w->at[n] = w->row * cols + 4 * w->group;
        w->units[n] = cols - 4 * w->group < 4 ? cols - 4 * w->group : 4;
        if (++w->group == w->groups) {
            w->group = 0;
            w->row++;
        }
    }
    return n;
}

static inline void mask_store(const mask_walk *w, int whole, size_t n, float (*v)[IA_LAW_LANES],
                              float *y)
{
    if (whole) {
        float t[4 * IA_LAW_LANES];
        IA_LANES (j)
            for (int u = 0; u < 4; u++)
                t[4 * j + u] = v[u][j];
        memcpy(y + w->at[0], t, sizeof t);
        return;
    }
    for (size_t j = 0; j < n; j++)
        for (size_t u = 0; u < w->units[j]; u++)
            y[w->at[j] + u] = v[u][j];
}

/* Kept with probability 1 - p: the word is at least p 2^32. Kept values are 1/(1-p). */
static void mask_dropout(ia_random_key key, float p, size_t row0, size_t rows, size_t cols,
                         float *y)
{
    uint32_t least = (uint32_t)((double)p * 0x1p32);
    float kept = 1.0f / (1.0f - p), v[4][IA_LAW_LANES];
    mask_walk walk = {.groups = (cols + 3) / 4};
    mask_words c = {0};
    while (cols && walk.row < rows) {
        int whole = mask_next_whole(&walk, row0, rows, cols, &c);
        size_t n = whole ? 0 : mask_next(&walk, row0, rows, cols, &c);
        mask_philox(key, &c);
        for (int u = 0; u < 4; u++)
            IA_LANES (j)
                v[u][j] = ia_pick(c.w[u][j] >= least, kept, 0.0f);
        mask_store(&walk, whole, n, v, y);
    }
}

/* Box and Muller: words 0 and 1 make units 0 and 1, words 2 and 3 make units 2 and 3. */
static void mask_normal(ia_random_key key, float p, size_t row0, size_t rows, size_t cols, float *y)
{
    (void)p;
    float v[4][IA_LAW_LANES];
    mask_walk walk = {.groups = (cols + 3) / 4};
    mask_words c = {0};
    while (cols && walk.row < rows) {
        int whole = mask_next_whole(&walk, row0, rows, cols, &c);
        size_t n = whole ? 0 : mask_next(&walk, row0, rows, cols, &c);
        mask_philox(key, &c);
        for (int u = 0; u < 4; u += 2)
            IA_LANES (j) {
                float uniform = ((float)(int32_t)(c.w[u][j] >> 8) + 0.5f) * 0x1p-24f; /* (0, 1] */
                float radius = sqrtf(-2.0f * ia_logf(uniform)), cosine, sine;
                ia_turn(c.w[u + 1][j], &cosine, &sine);
                v[u][j] = radius * cosine;
                v[u + 1][j] = radius * sine;
            }
        mask_store(&walk, whole, n, v, y);
    }
}
