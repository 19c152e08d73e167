/* An .npz as data: which keys are inputs, which are labels.
 *
 * Inputs are x, or x0, x1, ..., or the model's input names, or (when there is no x) all other keys
 * under their own names; labels are y, or y0, y1, ..., or the model's output names; sample_weight.
 * Each may end in _train or _test: the part decides. */
#include "data/sources.h"

#include "base/alloc.h"
#include "containers/zip.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define KEY_MOST 200

typedef struct npz {
    const ia_input *in;
    const ia_data_options *o;
    ia_zip *z;
    const char *suffix; /* "", "_train" or "_test" */
    ia_data *d;
} npz;

/* ---- keys ---- */

/* The key of a member: its name without ".npy"; false for other files. */
static bool member_key(const ia_zip *z, size_t i, char *key)
{
    const char *name = ia_zip_name(z, i);
    size_t n = strlen(name);
    if (n < 5 || n - 4 >= KEY_MOST || strcmp(name + n - 4, ".npy") != 0)
        return false;
    memcpy(key, name, n - 4);
    key[n - 4] = 0;
    return true;
}

/* base + suffix, in lower or upper case (X is common). */
static bool find_key(const npz *f, const char *base, size_t *member)
{
    char wanted[2 * KEY_MOST], key[KEY_MOST];
    snprintf(wanted, sizeof wanted, "%.199s%s", base, f->suffix);
    for (size_t i = 0; i < ia_zip_count(f->z); i++)
        if (member_key(f->z, i, key) && strcmp(key, wanted) == 0) {
            *member = i;
            return true;
        }
    for (size_t i = 0; i < ia_zip_count(f->z); i++)
        if (member_key(f->z, i, key) && strcasecmp(key, wanted) == 0) {
            *member = i;
            return true;
        }
    return false;
}

static const char *list_keys(const ia_zip *z, char *out, size_t size)
{
    char key[KEY_MOST];
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < ia_zip_count(z); i++) {
        if (!member_key(z, i, key))
            continue;
        if (used + strlen(key) + 8 >= size) {
            snprintf(out + used, size - used, ", ...");
            break;
        }
        used += (size_t)snprintf(out + used, size - used, used ? ", %s" : "%s", key);
    }
    return out;
}

static bool ends_with(const char *key, const char *suffix)
{
    size_t n = strlen(key), m = strlen(suffix);
    return n > m && strcasecmp(key + n - m, suffix) == 0;
}

/* Chooses the suffix. */
static inarch_status npz_choose_part(npz *f, inarch_error *err)
{
    char key[KEY_MOST], keys[200], hint[256];
    bool train = false, test = false;
    for (size_t i = 0; i < ia_zip_count(f->z); i++)
        if (member_key(f->z, i, key)) {
            train = train || ends_with(key, "_train");
            test = test || ends_with(key, "_test");
        }
    snprintf(hint, sizeof hint, "its keys are %s", list_keys(f->z, keys, sizeof keys));
    bool wants_test = f->o->part == IA_PART_TEST;
    const char *name = wants_test ? "test" : "train";
    f->suffix = "";
    if (!train && !test) {
        if (!f->o->part_named)
            return INARCH_OK;
        return ia_fail(err, INARCH_NOT_FOUND, f->in->name, hint,
                       "'%.200s' has no parts, so no part '%s'", f->in->name, name);
    }
    if (wants_test ? test : train) {
        f->suffix = wants_test ? "_test" : "_train";
        return INARCH_OK;
    }
    /* x and y beside x_test: the plain ones train. */
    size_t member;
    if (!wants_test && (find_key(f, "x", &member) || find_key(f, "x0", &member)))
        return INARCH_OK;
    return ia_fail(err, INARCH_NOT_FOUND, f->in->name, hint, "'%.200s' has no part '%s'",
                   f->in->name, name);
}

/* ---- members ---- */

static inarch_status read_member(const npz *f, size_t member, ia_npy *out, inarch_error *err)
{
    ia_stream s;
    IA_TRY(ia_zip_stream(f->z, member, &s, err));
    inarch_status status = ia_npy_read(&s, out, err);
    ia_stream_close(&s);
    return status;
}

static inarch_status add_input(npz *f, const char *name, size_t member, inarch_error *err)
{
    ia_npy a;
    IA_TRY(read_member(f, member, &a, err));
    inarch_status status;
    if (a.is_text)
        status = ia_fail(err, INARCH_BAD_DATA, f->in->name, "columns of text are not encoded yet",
                         "'%.150s': input '%.80s' holds text, not numbers", f->in->name, name);
    else
        status = ia_data_add_input(f->d, name, &a.array, err);
    ia_npy_release(&a);
    return status;
}

static inarch_status add_target(npz *f, const char *name, size_t member, inarch_error *err)
{
    ia_npy a;
    IA_TRY(read_member(f, member, &a, err));
    return ia_data_put_labels(f->d, name, &a, err);
}

typedef inarch_status add_port(npz *f, const char *name, size_t member, inarch_error *err);

/* All of these names, if all are there. */
static inarch_status add_named(npz *f, const char *const *names, size_t n, add_port *add,
                               bool *found, inarch_error *err)
{
    size_t member;
    *found = false;
    for (size_t i = 0; i < n; i++)
        if (!find_key(f, names[i], &member))
            return INARCH_OK;
    for (size_t i = 0; i < n; i++)
        if (find_key(f, names[i], &member))
            IA_TRY(add(f, names[i], member, err));
    *found = n > 0;
    return INARCH_OK;
}

/* x, or x0, x1, ... as long as they go on. */
static inarch_status add_counted(npz *f, const char *base, add_port *add, bool *found,
                                 inarch_error *err)
{
    char name[32];
    size_t member;
    *found = find_key(f, base, &member);
    if (*found)
        return add(f, base, member, err);
    for (size_t i = 0; i < IA_DATA_MAX_PORTS; i++) {
        snprintf(name, sizeof name, "%s%zu", base, i);
        if (!find_key(f, name, &member))
            break;
        *found = true;
        IA_TRY(add(f, name, member, err));
    }
    return INARCH_OK;
}

/* ---- roles ---- */

static inarch_status add_targets(npz *f, inarch_error *err)
{
    bool found;
    if (f->o->labels && *f->o->labels) { /* a key */
        size_t member;
        char keys[200], hint[256];
        if (find_key(f, f->o->labels, &member))
            return add_target(f, f->o->labels, member, err);
        snprintf(hint, sizeof hint, "its keys are %s", list_keys(f->z, keys, sizeof keys));
        return ia_fail(err, INARCH_NOT_FOUND, f->in->name, hint, "'%.150s' has no key '%.80s%s'",
                       f->in->name, f->o->labels, f->suffix);
    }
    IA_TRY(add_named(f, f->o->output_names, f->o->outputs, add_target, &found, err));
    if (!found)
        IA_TRY(add_counted(f, "y", add_target, &found, err));
    return INARCH_OK;
}

static bool is_target(const npz *f, const char *name)
{
    for (size_t t = 0; t < f->d->targets; t++)
        if (strcasecmp(f->d->target[t].name, name) == 0)
            return true;
    return strcasecmp(name, "sample_weight") == 0;
}

/* No x: every other key is an input under its own name. */
static inarch_status add_others(npz *f, inarch_error *err)
{
    char key[KEY_MOST];
    size_t m = strlen(f->suffix);
    for (size_t i = 0; i < ia_zip_count(f->z); i++) {
        if (!member_key(f->z, i, key) || (m > 0 && !ends_with(key, f->suffix)))
            continue;
        if (m == 0 && (ends_with(key, "_test") || ends_with(key, "_train")))
            continue;
        key[strlen(key) - m] = 0;
        if (!is_target(f, key))
            IA_TRY(add_input(f, key, i, err));
    }
    return INARCH_OK;
}

static inarch_status add_inputs(npz *f, inarch_error *err)
{
    bool found;
    size_t member;
    char keys[200], hint[256];
    snprintf(hint, sizeof hint, "save it with np.savez(file, x=..., y=...); its keys are %s",
             list_keys(f->z, keys, 120));
    IA_TRY(add_named(f, f->o->input_names, f->o->inputs, add_input, &found, err));
    if (!found)
        IA_TRY(add_counted(f, "x", add_input, &found, err));
    if (!found && !find_key(f, "arr_0", &member)) /* np.savez without names */
        IA_TRY(add_others(f, err));
    if (f->d->inputs > 0)
        return INARCH_OK;
    return ia_fail(err, INARCH_NOT_FOUND, f->in->name, hint, "'%.200s' has no key 'x%s'",
                   f->in->name, f->suffix);
}

static inarch_status add_weights(npz *f, inarch_error *err)
{
    size_t member;
    ia_npy a;
    const char *key = f->o->weights && *f->o->weights ? f->o->weights : "sample_weight";
    if (!find_key(f, key, &member))
        return key == f->o->weights ? ia_fail(err, INARCH_NOT_FOUND, f->in->name, "",
                                              "'%.150s' has no key '%.80s'", f->in->name, key)
                                    : INARCH_OK;
    IA_TRY(read_member(f, member, &a, err));
    inarch_status status =
        a.is_text ? ia_fail(err, INARCH_BAD_DATA, f->in->name, "",
                            "'%.150s': '%.80s' holds text, not weights", f->in->name, key)
                  : ia_data_set_weights(f->d, &a.array, err);
    ia_npy_release(&a);
    return status;
}

static inarch_status npz_load(npz *f, inarch_error *err)
{
    char keys[8];
    if (list_keys(f->z, keys, sizeof keys)[0] == 0)
        return ia_fail(err, INARCH_BAD_FILE, f->in->name,
                       "a spreadsheet is saved as .csv, arrays with np.savez",
                       "'%.200s' is a ZIP file without arrays", f->in->name);
    if (f->o->drop && *f->o->drop)
        return ia_fail(err, INARCH_BAD_ARGUMENT, f->in->name, "", "'%.200s' has no columns to drop",
                       f->in->name);
    IA_TRY(npz_choose_part(f, err));
    IA_TRY(ia_data_start(f->in->name, "npz", &f->d, err));
    IA_TRY(add_targets(f, err));
    IA_TRY(add_inputs(f, err));
    return add_weights(f, err);
}

inarch_status ia_data_open_npz(const ia_input *in, const ia_data_options *o, ia_data **out,
                               inarch_error *err)
{
    npz f = {.in = in, .o = o};
    IA_TRY(ia_zip_open(in, &f.z, err));
    inarch_status status = npz_load(&f, err);
    ia_zip_close(f.z);
    if (status != INARCH_OK) {
        ia_data_free(f.d);
        return status;
    }
    *out = f.d;
    return INARCH_OK;
}
