/* What the parity tests share: a group's index and arrays, and a list of complaints.
 *
 * Every case of an index is run; the first complaint does not end the program, so that one look at
 * the output shows all that disagrees. The fixtures are Keras' own, see fixtures/keras/README.md.
 */
#ifndef INARCH_TEST_PARITY_H
#define INARCH_TEST_PARITY_H

#include "npz.h"

#include "api/handle.h"
#include "base/alloc.h"
#include "base/json.h"

#define KERAS FIXTURES "/keras/"

typedef struct parity {
    const char *group;
    json_t *index;
    npz arrays;
    const char *name; /* of the case at hand */
    size_t run, complaints;
    double worst; /* difference that was accepted, relative to its tolerance */
    char worst_at[200];
} parity;

static IA_UNUSED json_t *parity_json(const char *path)
{
    inarch_error err;
    ia_input in;
    uint8_t *text;
    size_t n;
    json_t *root;
    assert_ok(ia_input_open(path, &in, &err), err);
    assert_ok(ia_input_read_all(&in, 64 << 20, &text, &n, &err), err);
    assert_ok(ia_json_parse((const char *)text, n, path, &root, &err), err);
    ia_input_close(&in);
    ia_free(text);
    return root;
}

/* `data`: the group's .npz, or NULL where it has none. */
static IA_UNUSED parity parity_open(const char *group, const char *data)
{
    char path[512];
    parity p = {.group = group};
    snprintf(path, sizeof path, KERAS "%s/index.json", group);
    p.index = parity_json(path);
    snprintf(path, sizeof path, KERAS "%s/%s", group, data ? data : "");
    if (data)
        assert_true(npz_open(&p.arrays, path));
    return p;
}

static IA_UNUSED void parity_path(const parity *p, const char *file, char *out, size_t size)
{
    snprintf(out, size, KERAS "%s/%s", p->group, file);
}

#define complain(p, ...)                                                                           \
    do {                                                                                           \
        (p)->complaints++;                                                                         \
        print_message("%s/%s: ", (p)->group, (p)->name);                                           \
        print_message(__VA_ARGS__);                                                                \
        print_message("\n");                                                                       \
    } while (0)

/* A call that must succeed; false with a complaint when it did not. */
static IA_UNUSED bool parity_ok(parity *p, inarch_status status, const inarch_error *err,
                                const char *what)
{
    if (status != INARCH_OK)
        complain(p, "%s: %s (%s)", what, err->message, err->hint);
    return status == INARCH_OK;
}

typedef void parity_case(parity *p, const json_t *c);

/* Runs every row of a list of the index. */
static IA_UNUSED void parity_each(parity *p, const char *list, parity_case *check)
{
    const json_t *rows = json_object_get(p->index, list), *row;
    size_t i;
    assert_true(json_array_size(rows) > 0);
    json_array_foreach(rows, i, row)
    {
        p->name = json_string_value(json_object_get(row, "name"));
        assert_non_null(p->name);
        check(p, row);
        p->run++;
    }
}

static IA_UNUSED void parity_close(parity *p)
{
    print_message(
        "%s: %zu cases, %zu complaints; the closest call was %.2g of its tolerance (%s)\n",
        p->group, p->run, p->complaints, p->worst, p->worst_at);
    json_decref(p->index);
    if (p->arrays.zip)
        npz_close(&p->arrays);
    assert_int_equal(p->complaints, 0);
}

/* ---- numbers ---- */

static IA_UNUSED ia_array parity_array(const parity *p, const char *key)
{
    ia_array a = {0};
    if (!key || !npz_get(&p->arrays, key, &a))
        fail_msg("%s/%s: the data have no '%s'", p->group, p->name, key ? key : "(null)");
    return a;
}

static IA_UNUSED void parity_difference(parity *p, const char *what, double difference,
                                        double tolerance)
{
    if (!(difference <= tolerance)) {
        complain(p, "%s differs by %.3g (allowed: %.2g)", what, difference, tolerance);
    } else if (difference / tolerance > p->worst) {
        p->worst = difference / tolerance;
        snprintf(p->worst_at, sizeof p->worst_at, "%s: %s", p->name, what);
    }
}

/* Compares with an array of the group's data. */
static IA_UNUSED void parity_compare(parity *p, const char *what, const float *got, size_t n,
                                     const char *key, double tolerance)
{
    ia_array want = parity_array(p, key);
    if (ia_array_count(&want) != n)
        complain(p, "%s has %zu numbers, not %zu", what, n, ia_array_count(&want));
    else
        parity_difference(p, what, worst_difference(got, ia_array_data(&want), n), tolerance);
    ia_array_release(&want);
}

/* Relative to max(1, |want|); NaN equals NaN only. */
static IA_UNUSED void parity_number(parity *p, const char *what, double got, double want,
                                    double tolerance)
{
    double scale = fabs(want) > 1 ? fabs(want) : 1;
    if (isnan(got) != isnan(want))
        complain(p, "%s is %g, not %g", what, got, want);
    else if (!isnan(got))
        parity_difference(p, what, fabs(got - want) / scale, tolerance);
}

/* ---- models and data ---- */

static IA_UNUSED inarch_model *parity_load(parity *p, const char *file)
{
    inarch_error err;
    inarch_model *m = NULL;
    char path[512];
    parity_path(p, file, path, sizeof path);
    return parity_ok(p, inarch_load(path, NULL, &m, &err), &err, file) ? m : NULL;
}

#define PARITY_PORTS 8

/* The strings of a list, or one string alone. */
static IA_UNUSED size_t parity_keys(const json_t *list, const char *out[PARITY_PORTS])
{
    if (json_is_string(list)) {
        out[0] = json_string_value(list);
        return 1;
    }
    size_t n = json_array_size(list);
    assert_true(n <= PARITY_PORTS);
    for (size_t i = 0; i < n; i++)
        out[i] = json_string_value(json_array_get(list, i));
    return n;
}

static IA_UNUSED inarch_array parity_row(const ia_array *a)
{
    inarch_array out = {ia_array_data(a), {.rank = a->shape.rank - 1}};
    for (int i = 1; i < a->shape.rank; i++)
        out.shape.dim[i - 1] = a->shape.dim[i];
    return out;
}

/* Inputs and targets by their keys; y may be NULL. */
static IA_UNUSED inarch_data *parity_data(const parity *p, const json_t *x, const json_t *y)
{
    inarch_error err;
    inarch_data *d;
    const char *keys[PARITY_PORTS];
    ia_array a[2 * PARITY_PORTS];
    inarch_array row[2 * PARITY_PORTS];
    size_t n = parity_keys(x, keys), total = n;
    for (size_t i = 0; i < n; i++)
        a[i] = parity_array(p, keys[i]);
    total += parity_keys(y, keys);
    for (size_t i = n; i < total; i++)
        a[i] = parity_array(p, keys[i - n]);
    for (size_t i = 0; i < total; i++)
        row[i] = parity_row(&a[i]);
    assert_ok(inarch_data_arrays((size_t)a[0].shape.dim[0], row, n, row + n, total - n, &d, &err),
              err);
    for (size_t i = 0; i < total; i++)
        ia_array_release(&a[i]);
    return d;
}

/* Every output of the model against the arrays of those keys. */
static IA_UNUSED void parity_predict(parity *p, const inarch_model *m, const inarch_data *d,
                                     const json_t *keys, const char *when, double tolerance)
{
    inarch_error err;
    const char *key[PARITY_PORTS * 8];
    size_t n = json_is_string(keys) ? 1 : json_array_size(keys);
    assert_true(n <= IA_COUNT(key));
    for (size_t i = 0; i < n; i++) {
        const json_t *k = json_is_string(keys) ? keys : json_array_get(keys, i);
        key[i] = json_string_value(json_is_object(k) ? json_object_get(k, "y") : k);
        ia_array want = parity_array(p, key[i]);
        size_t count = ia_array_count(&want);
        float *got = calloc(count + 1, sizeof *got);
        inarch_port port = {.size = sizeof port};
        char what[200];
        assert_non_null(got);
        if (parity_ok(p, inarch_model_port(m, INARCH_OUTPUT, i, &port, &err), &err, when) &&
            parity_ok(p, inarch_predict(m, d, i, NULL, got, count, &err), &err, when)) {
            snprintf(what, sizeof what, "%s: output %zu (%s)", when, i, port.name);
            parity_compare(p, what, got, count, key[i], tolerance);
        }
        free(got);
        ia_array_release(&want);
    }
}

#endif
