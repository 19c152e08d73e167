/* Optimizer state of .h5 files into the slots of variables. Four ways of naming it are about:
 *
 *   Keras 3           adam/iteration, adam/learning_rate, adam/sequential_dense_kernel_momentum,
 * ... tf_keras          iteration:0, Adam/m/dense/kernel:0, Adam/v/dense/kernel:0, ... tf.keras
 * to 2.10  Adam/iter:0, Adam/dense/kernel/m:0, ..., Adam/dense/kernel/v:0, ... Keras 1 and 2
 * Adam/iterations:0, training/Adam/Variable:0, Variable_1:0, ...: all first moments, then all
 * second ones
 *
 * in the order of the trainable variables. State that does not fit them is left out with a note: it
 * is a loss of speed in training, not of the model. */
#include "formats/keras/keras.h"

#include "base/alloc.h"
#include "formats/keras/keras_names.h"

#include <string.h>

typedef struct moments_item { /* one array of the state */
    const ia_h5_object *data;
    int slot;   /* in the optimizer's row; -1: the name does not say */
    char *rest; /* the name without optimizer and slot, '/' as '_': "dense_kernel" */
} moments_item;

typedef struct moments {
    const ia_h5 *file;
    const ia_keras_optimizer *optimizer;
    ia_keras_variables all;
    ia_keras_variable *live; /* [live_count]: the trainable ones of `all` */
    size_t live_count;
    moments_item *items;
    size_t count;
    uint64_t step;
    bool has_step;
} moments;

/* ---- names ---- */

static int moments_slot(const ia_keras_optimizer *o, const char *word, size_t n)
{
    char name[32];
    if (n == 0 || n >= sizeof name)
        return -1;
    memcpy(name, word, n);
    name[n] = 0;
    for (int k = 0; k < IA_SLOT_MAX; k++)
        if (o->slot[k] && ia_keras_listed(o->slot[k], name))
            return k;
    return -1;
}

/* Cuts the slot's name off the end of Keras 3's "sequential_dense_kernel_velocity_hat". */
static int moments_slot_at_end(const ia_keras_optimizer *o, const char *last, size_t *length)
{
    for (const char *at = strchr(last, '_'); at; at = strchr(at + 1, '_')) {
        int slot = strlen(at + 1) > 2 ? moments_slot(o, at + 1, strlen(at + 1)) : -1;
        if (slot >= 0) {
            *length = (size_t)(at - last);
            return slot;
        }
    }
    return -1;
}

static inarch_status moments_parse(const ia_keras_optimizer *o, const char *name, moments_item *out,
                                   inarch_error *err)
{
    const char *colon = strrchr(name, ':');
    size_t n = colon ? (size_t)(colon - name) : strlen(name), start = 0, end = n;
    const char *first = memchr(name, '/', n), *last = name + n;
    while (last > name && last[-1] != '/')
        last--;
    const char *second = first ? memchr(first + 1, '/', n - (size_t)(first + 1 - name)) : NULL;
    out->slot = moments_slot(o, last, n - (size_t)(last - name));
    if (out->slot >= 0 && first) {
        start = (size_t)(first + 1 - name);
        end = (size_t)(last - name);
        end -= end > start;
    } else if (second &&
               (out->slot = moments_slot(o, first + 1, (size_t)(second - first - 1))) >= 0) {
        start = (size_t)(second + 1 - name);
    } else {
        char *tail = ia_strndup(last, n - (size_t)(last - name));
        if (!tail)
            return ia_fail_memory(err, "optimizer state", n);
        size_t length = strlen(tail);
        start = (size_t)(last - name);
        out->slot = moments_slot_at_end(o, tail, &length);
        end = start + length;
        ia_free(tail);
    }
    out->rest = ia_strndup(name + start, end > start ? end - start : 0);
    if (!out->rest)
        return ia_fail_memory(err, "optimizer state", n);
    for (char *c = out->rest; *c; c++)
        *c = *c == '/' ? '_' : *c;
    return INARCH_OK;
}

/* ---- reading the list ---- */

static inarch_status moments_read_step(moments *s, const ia_h5_object *data, inarch_error *err)
{
    ia_array value;
    double step;
    IA_TRY(ia_h5_read(s->file, data, &value, err));
    ia_dtype_to_f64(value.dtype, ia_array_data(&value), 1, &step);
    ia_array_release(&value);
    s->has_step = step >= 0 && step < 9e15;
    s->step = s->has_step ? (uint64_t)step : 0;
    return INARCH_OK;
}

static inarch_status moments_add(moments *s, const ia_h5_object *group, const char *name,
                                 inarch_error *err)
{
    const ia_h5_object *data = ia_h5_find(group, name);
    if (!data || data->kind != IA_H5_DATASET)
        return ia_fail(err, INARCH_BAD_FILE, name, "",
                       "the optimizer state '%s' is listed, but is not in the file", name);
    if (data->shape.rank == 0) { /* iteration, iterations, iter; learning_rate, u_product, ... */
        const char *last = strrchr(name, '/');
        last = last ? last + 1 : name;
        return strncmp(last, "iter", 4) == 0 ? moments_read_step(s, data, err) : INARCH_OK;
    }
    moments_item *item = &s->items[s->count];
    item->data = data;
    IA_TRY(moments_parse(s->optimizer, name, item, err));
    s->count++;
    return INARCH_OK;
}

static inarch_status moments_list(moments *s, const ia_h5_object *group, inarch_error *err)
{
    ia_h5_string *names = NULL;
    size_t n = 0;
    inarch_status status = ia_h5_attr_list(s->file, group, "weight_names", &names, &n, err);
    if (status == INARCH_NOT_FOUND)
        return INARCH_OK;
    IA_TRY(status);
    s->items = ia_calloc(n, sizeof *s->items);
    if (!s->items)
        status = ia_fail_memory(err, "optimizer state", n * sizeof *s->items);
    for (size_t i = 0; i < n && status == INARCH_OK; i++)
        status = moments_add(s, group, names[i].text, err);
    ia_free(names);
    return status;
}

static inarch_status moments_find_live(moments *s, const ia_model *m, inarch_error *err)
{
    IA_TRY(ia_keras_model_variables(m, &s->all, err));
    s->live = ia_calloc(s->all.count, sizeof *s->live);
    if (!s->live)
        return ia_fail_memory(err, "variables", s->all.count * sizeof *s->live);
    for (size_t i = 0; i < s->all.count; i++)
        if (s->all.items[i].trainable)
            s->live[s->live_count++] = s->all.items[i];
    return INARCH_OK;
}

/* ---- which array is whose ---- */

/* The item of variable i in slot k: by the slots' names, or in whole blocks where there are none.
 */
static const moments_item *moments_at(const moments *s, size_t i, int k, bool named)
{
    if (!named)
        return &s->items[(size_t)k * s->live_count + i];
    for (size_t at = 0; at < s->count; at++)
        if (s->items[at].slot == k && i-- == 0)
            return &s->items[at];
    return NULL;
}

static bool moments_names_match(const char *rest, const ia_keras_variable *v)
{
    const char *parts[2] = {v->layer->name, ia_keras_variable_of(v)->name};
    size_t n = strlen(rest);
    for (int p = 1; p >= 0; p--) { /* from the end: "..._dense_kernel" */
        size_t k = strlen(parts[p]);
        if (n < k)
            return false;
        for (size_t c = 0; c < k; c++)
            if (rest[n - k + c] != (parts[p][c] == '/' ? '_' : parts[p][c]))
                return false;
        n -= k;
        if (p == 1 && (n == 0 || rest[--n] != '_'))
            return false;
    }
    return n == 0 || rest[n - 1] == '_';
}

/* The name says it is another variable's: flags were changed between training and saving. */
static bool moments_is_anothers(const moments *s, const moments_item *item, size_t i)
{
    if (moments_names_match(item->rest, &s->live[i]))
        return false;
    for (size_t k = 0; k < s->live_count; k++)
        if (moments_names_match(item->rest, &s->live[k]))
            return true;
    return false;
}

/* Slot k fits all trainable variables. */
static bool moments_slot_fits(const moments *s, int k, bool named)
{
    for (size_t i = 0; i < s->live_count; i++) {
        const moments_item *item = moments_at(s, i, k, named);
        if (!item ||
            !ia_shape_equal(&item->data->shape, &ia_keras_variable_of(&s->live[i])->value.shape) ||
            (named && moments_is_anothers(s, item, i)))
            return false;
    }
    return true;
}

/* Keras 2's Adam keeps arrays of one element in the place of the slots it does not use. */
static bool moments_is_placeholder(const moments *s, int k)
{
    for (size_t i = 0; i < s->live_count; i++) {
        const ia_shape *shape = &moments_at(s, i, k, false)->data->shape;
        if (shape->rank != 1 || shape->dim[0] != 1)
            return false;
    }
    return true;
}

/* The slots that are there, in the optimizer's order; false: the state does not fit the model. */
static bool moments_slots(const moments *s, int slot[IA_SLOT_MAX], int *count, bool *named)
{
    size_t with_name[IA_SLOT_MAX] = {0}, unnamed = 0;
    *count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].slot < 0)
            unnamed++;
        else
            with_name[s->items[i].slot]++;
    *named = unnamed == 0;
    if (s->live_count == 0 || (unnamed > 0 && unnamed != s->count) ||
        s->count % s->live_count != 0 || s->count / s->live_count > IA_SLOT_MAX)
        return s->count == 0;
    int blocks = (int)(s->count / s->live_count);
    for (int k = 0; k < IA_SLOT_MAX; k++) {
        bool there = *named ? with_name[k] > 0 : k < blocks && s->optimizer->slot[k];
        if (!there || (!*named && k >= 2 && moments_is_placeholder(s, k)))
            continue;
        if ((*named && with_name[k] != s->live_count) || !moments_slot_fits(s, k, *named))
            return false;
        slot[(*count)++] = k;
    }
    return true;
}

/* ---- into the variables ---- */

static inarch_status moments_fill_variable(const moments *s, size_t i, const int *slot, int count,
                                           bool named, inarch_error *err)
{
    ia_variable *v = ia_keras_variable_of(&s->live[i]);
    ia_slots slots = {.step = s->step};
    strcpy(slots.optimizer, s->optimizer->name);
    inarch_status status = INARCH_OK;
    for (int k = 0; k < count && status == INARCH_OK; k++) {
        ia_array raw;
        status = ia_h5_read(s->file, moments_at(s, i, slot[k], named)->data, &raw, err);
        if (status != INARCH_OK)
            break;
        status = ia_array_to_f32(&raw, &slots.slot[k], err);
        ia_array_release(&raw);
    }
    if (status != INARCH_OK) {
        ia_slots_clear(&slots);
        return status;
    }
    ia_slots_clear(&v->slots);
    v->slots = slots;
    return INARCH_OK;
}

static inarch_status moments_fill(moments *s, ia_model *m, json_t *notes, inarch_error *err)
{
    int slot[IA_SLOT_MAX], count;
    bool named;
    m->step = s->step;
    if (!moments_slots(s, slot, &count, &named))
        return ia_keras_note(notes, err,
                             "the optimizer state of the file (%zu arrays) does not fit the %zu "
                             "trainable weights and is left out",
                             s->count, s->live_count);
    for (size_t i = 0; i < s->live_count; i++)
        IA_TRY(moments_fill_variable(s, i, slot, count, named, err));
    return INARCH_OK;
}

static void moments_free(moments *s)
{
    for (size_t i = 0; i < s->count; i++)
        ia_free(s->items[i].rest);
    ia_free(s->items);
    ia_free(s->live);
    ia_keras_variables_free(&s->all);
}

inarch_status ia_keras_read_moments(const ia_h5 *file, const ia_h5_object *group, ia_model *m,
                                    json_t *notes, inarch_error *err)
{
    const char *class_name = ia_json_string(m->compile.optimizer, "class_name", "");
    moments s = {.file = file, .optimizer = ia_keras_optimizer_find(class_name)};
    if (!s.optimizer)
        return ia_keras_note(notes, err, "the state of the optimizer '%s' is left out", class_name);
    inarch_status status = moments_find_live(&s, m, err);
    if (status == INARCH_OK)
        status = moments_list(&s, group, err);
    if (status == INARCH_OK && (s.count > 0 || s.has_step))
        status = moments_fill(&s, m, notes, err);
    moments_free(&s);
    return status;
}
