/* Data by the public names: data/data.h does the work. */
#include "api/handle.h"

#include "base/alloc.h"

#include <string.h>

/* Takes `data` over; shares `source`. */
static inarch_status wrap(ia_data *data, api_source *source, inarch_data **out, inarch_error *err)
{
    inarch_data *d = ia_calloc(1, sizeof *d);
    if (!d) {
        ia_data_free(data);
        return ia_fail_memory(err, "data", sizeof *d);
    }
    d->data = data;
    d->source = source;
    if (source)
        atomic_fetch_add(&source->refs, 1);
    *out = d;
    return INARCH_OK;
}

static void source_unref(api_source *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        ia_free(s);
}

void inarch_data_free(inarch_data *d)
{
    if (!d)
        return;
    ia_data_free(d->data);
    source_unref(d->source);
    ia_free(d);
}

/* "test?" is the test part where there are parts, and all rows where there are none. */
static inarch_status part_of(const char *name, ia_data_options *o, inarch_error *err)
{
    size_t n = name ? strcspn(name, "?") : 0;
    o->part_named = name && !name[n];
    if (!name || (n == 5 && strncmp(name, "train", n) == 0))
        o->part = IA_PART_TRAIN;
    else if (n == 4 && strncmp(name, "test", n) == 0)
        o->part = IA_PART_TEST;
    else
        return ia_fail(err, INARCH_BAD_ARGUMENT, "part", "", "part must be train or test, not '%s'",
                       name);
    return INARCH_OK;
}

inarch_status inarch_data_open(const char *path, const inarch_data_options *options,
                               const inarch_model *m, inarch_data **out, inarch_error *err)
{
    inarch_data_options o = INARCH_DATA_OPTIONS;
    IA_TRY(api_options(options, sizeof o, &o, err));
    ia_data_options inner = {.labels = o.labels, .drop = o.drop, .weights = o.weights};
    IA_TRY(part_of(o.part, &inner, err));
    const char **inputs = NULL, **outputs = NULL;
    inarch_status status = INARCH_OK;
    if (m) {
        status = api_port_names(m->doc, INARCH_INPUT, &inputs, err);
        if (status == INARCH_OK)
            status = api_port_names(m->doc, INARCH_OUTPUT, &outputs, err);
        inner.input_names = inputs;
        inner.inputs = m->doc->input_count;
        inner.output_names = outputs;
        inner.outputs = m->doc->output_count;
    }
    ia_data *data = NULL;
    if (status == INARCH_OK)
        status = ia_data_open(path, &inner, &data, err);
    ia_free(inputs);
    ia_free(outputs);
    IA_TRY(status);
    if (o.only || o.per_class > 0) {
        ia_data *all = data;
        status = ia_data_only(all, 0, o.only, (size_t)o.per_class, &data, err);
        ia_data_free(all);
        IA_TRY(status);
    }
    return wrap(data, NULL, out, err);
}

/* ---- arrays ---- */

typedef inarch_status add_fn(ia_data *d, const char *name, const ia_array *a, inarch_error *err);

static inarch_status add_array(ia_data *d, size_t rows, const inarch_array *a, const char *name,
                               add_fn *add, inarch_error *err)
{
    ia_shape row, all = {.rank = 1, .dim = {(int64_t)rows}};
    IA_TRY(api_shape_in(&a->shape, &row, err));
    for (int i = 0; i < row.rank; i++)
        all.dim[all.rank++] = row.dim[i];
    size_t count;
    if (rows > INT64_MAX || !ia_shape_count(&all, &count) || count > SIZE_MAX / sizeof(float))
        return ia_fail(err, INARCH_LIMIT, name, "", "%zu rows of '%s' are too many", rows, name);
    ia_array copy;
    IA_TRY(ia_array_new(IA_F32, &all, name, &copy, err));
    if (count)
        memcpy(ia_array_mutable(&copy), a->data, count * sizeof(float));
    inarch_status status = add(d, name, &copy, err);
    ia_array_release(&copy);
    return status;
}

static inarch_status add_arrays(ia_data *d, size_t rows, const inarch_array *a, size_t n,
                                const char *stem, add_fn *add, inarch_error *err)
{
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, n == 1 ? "%s" : "%s%zu", stem, i);
        IA_TRY(add_array(d, rows, &a[i], name, add, err));
    }
    return INARCH_OK;
}

inarch_status inarch_data_arrays(size_t rows, const inarch_array *inputs, size_t n_inputs,
                                 const inarch_array *targets, size_t n_targets, inarch_data **out,
                                 inarch_error *err)
{
    ia_data *data;
    IA_TRY(ia_data_new("arrays", &data, err));
    inarch_status status = add_arrays(data, rows, inputs, n_inputs, "x", ia_data_add_input, err);
    if (status == INARCH_OK)
        status = add_arrays(data, rows, targets, n_targets, "y", ia_data_add_target, err);
    if (status != INARCH_OK) {
        ia_data_free(data);
        return status;
    }
    return wrap(data, NULL, out, err);
}

/* ---- callbacks ---- */

static inarch_status fill_rows(void *context, const uint64_t *rows, size_t n, float *const *inputs,
                               float *const *targets, float *weights, inarch_error *err)
{
    (void)weights;
    const inarch_source *s = &((const api_source *)context)->source;
    inarch_status status = s->fill(s->context, rows, n, inputs, targets);
    if (status == INARCH_OK)
        return INARCH_OK;
    /* A number of the caller's own (an errno, say) must not be taken for the end of a training. */
    bool ours = status > 0 && status < INARCH_DIVERGED;
    return ia_fail(err, ours ? status : INARCH_IO, "source", "",
                   "the source of rows reported status %d", (int)status);
}

static inarch_status row_shapes(const inarch_shape *from, size_t n, ia_shape **out,
                                inarch_error *err)
{
    *out = ia_calloc(n, sizeof **out);
    if (!*out)
        return ia_fail_memory(err, "shapes", n * sizeof **out);
    for (size_t i = 0; i < n; i++)
        IA_TRY(api_shape_in(&from[i], &(*out)[i], err));
    return INARCH_OK;
}

static inarch_status open_source(api_source *held, ia_data **out, inarch_error *err)
{
    const inarch_source *s = &held->source;
    ia_shape *inputs = NULL, *targets = NULL;
    inarch_status status = row_shapes(s->input_shapes, s->inputs, &inputs, err);
    if (status == INARCH_OK)
        status = row_shapes(s->target_shapes, s->targets, &targets, err);
    if (status == INARCH_OK) {
        ia_data_source inner = {.context = held,
                                .rows = s->rows,
                                .inputs = s->inputs,
                                .targets = s->targets,
                                .input_shapes = inputs,
                                .target_shapes = targets,
                                .fill = fill_rows};
        status = ia_data_from_source(&inner, out, err);
    }
    ia_free(inputs);
    ia_free(targets);
    return status;
}

inarch_status inarch_data_source(const inarch_source *source, inarch_data **out, inarch_error *err)
{
    inarch_source s = {0};
    IA_TRY(api_options(source, sizeof s, &s, err));
    if (!s.fill)
        return ia_fail(err, INARCH_BAD_ARGUMENT, "source", "", "a source needs a fill function");
    api_source *held = ia_calloc(1, sizeof *held);
    if (!held)
        return ia_fail_memory(err, "data", sizeof *held);
    held->source = s;
    atomic_init(&held->refs, 1);
    ia_data *data;
    inarch_status status = open_source(held, &data, err);
    if (status == INARCH_OK)
        status = wrap(data, held, out, err);
    source_unref(held); /* the data have their own reference now */
    return status;
}

/* ---- views and facts ---- */

inarch_status inarch_data_split(const inarch_data *d, double share, inarch_data **train,
                                inarch_data **validation, inarch_error *err)
{
    ia_data *head, *tail;
    inarch_data *first = NULL;
    IA_TRY(ia_data_split(d->data, share, &head, &tail, err));
    inarch_status status = wrap(head, d->source, &first, err);
    if (status != INARCH_OK) {
        ia_data_free(tail);
        return status;
    }
    status = wrap(tail, d->source, validation, err);
    if (status != INARCH_OK) {
        inarch_data_free(first);
        return status;
    }
    *train = first;
    return INARCH_OK;
}

inarch_status inarch_data_select(const inarch_data *d, const uint64_t *rows, size_t n,
                                 inarch_data **out, inarch_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i] >= ia_data_rows(d->data))
            return ia_fail(err, INARCH_BAD_ARGUMENT, ia_data_name(d->data), "",
                           "row %llu was asked for, but there are %zu", (unsigned long long)rows[i],
                           ia_data_rows(d->data));
    ia_data *view;
    IA_TRY(ia_data_select(d->data, rows, n, &view, err));
    return wrap(view, d->source, out, err);
}

/* The classes among the labels, learnt on a view of their own; 0 when they are not classes. */
static inarch_status learn_classes(const ia_data *d, size_t *out, inarch_error *err)
{
    ia_data *view;
    *out = 0;
    if (ia_data_targets(d) != 1)
        return INARCH_OK;
    IA_TRY(ia_data_slice(d, 0, ia_data_rows(d), &view, err));
    inarch_status status = ia_data_encode(view, 0, NULL, 0, err);
    if (status == INARCH_OK)
        *out = ia_data_classes(view, 0);
    ia_data_free(view);
    return status == INARCH_NO_MEMORY ? status : INARCH_OK;
}

inarch_status inarch_data_get_info(inarch_data *d, inarch_data_info *out, inarch_error *err)
{
    inarch_data_info info = {.size = sizeof info,
                             .rows = ia_data_rows(d->data),
                             .inputs = ia_data_inputs(d->data),
                             .targets = ia_data_targets(d->data)};
    IA_TRY(learn_classes(d->data, &info.classes, err));
    info.summary = ia_data_summary(d->data, d->summary, sizeof d->summary);
    return api_info_out(&info, sizeof info, out, err);
}
