/* SPECs to layers and models. */
#include "nn/spec.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SPEC_MAX 1024 /* bytes of one SPEC */

void ia_snake_case(const char *class_name, char *out, size_t size)
{
    size_t n = 0;
    for (const char *s = class_name; *s && n + 2 < size; s++) {
        bool upper = isupper((unsigned char)*s) != 0;
        bool start = upper && s > class_name &&
                     (!isupper((unsigned char)s[-1]) || islower((unsigned char)s[1]));
        if (start)
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*s);
    }
    out[n] = '\0';
}

/* The parts of a SPEC: its type and the list of its values. */
typedef struct spec_text {
    char type[64];
    char values[SPEC_MAX];
    char separator;
} spec_text;

static bool balanced(const char *s)
{
    int depth = 0;
    for (; *s; s++) {
        depth += *s == '(' ? 1 : *s == ')' ? -1 : 0;
        if (depth < 0)
            return false;
    }
    return depth == 0;
}

/* Without the spaces around it. */
static void trim(const char **s, size_t *n)
{
    while (*n > 0 && isspace((unsigned char)**s)) {
        ++*s;
        --*n;
    }
    while (*n > 0 && isspace((unsigned char)(*s)[*n - 1]))
        --*n;
}

/* An item as it is read: `units = "3"`, written as in Python, is `units=3`. */
static void plain_item(const char *item, size_t n, char *out)
{
    trim(&item, &n);
    size_t key = 0;
    while (key < n && !strchr("=('\"", item[key]))
        key++;
    bool named = key < n && item[key] == '=';
    const char *value = named ? item + key + 1 : item;
    size_t length = n - (size_t)(value - item);
    trim(&value, &length);
    if (length >= 2 && strchr("'\"", *value) && value[length - 1] == *value) {
        value++;
        length -= 2;
    }
    if (named)
        trim(&item, &key);
    snprintf(out, SPEC_MAX, "%.*s%s%.*s", named ? (int)key : 0, item, named ? "=" : "", (int)length,
             value);
}

static inarch_status bad_spec(const char *spec, const char *reason, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, spec,
                   "write 'type:value:value' or 'type(key=value,...)', as in dense:128:relu",
                   "layer '%s' %s", spec, reason);
}

static inarch_status split_type(const char *spec, spec_text *out, inarch_error *err)
{
    size_t length = strlen(spec);
    trim(&spec, &length);
    size_t type = strcspn(spec, ":(");
    type = type < length ? type : length;
    if (type == 0 || type >= sizeof out->type || length >= SPEC_MAX || !balanced(spec))
        return bad_spec(spec, "is not of that form", err);
    memcpy(out->type, spec, type);
    out->type[type] = '\0';
    const char *values = spec + type;
    out->separator = ':';
    size_t n = length - type;
    if (n > 0 && *values == '(') {
        if (values[n - 1] != ')')
            return bad_spec(spec, "goes on behind its parentheses", err);
        out->separator = ',';
        n -= 2;
    } else if (n > 0) {
        n -= 1;
    }
    memcpy(out->values, values + 1, n);
    out->values[n] = '\0';
    return INARCH_OK;
}

static inarch_status unknown_type(const char *type, inarch_error *err)
{
    size_t n = ia_layer_class_count();
    const char **names = ia_calloc(n, sizeof *names);
    for (size_t i = 0; names && i < n; i++)
        names[i] = ia_layer_class_at(i)->spec ? ia_layer_class_at(i)->spec : "";
    const char *near = names ? ia_suggest(type, names, n) : NULL;
    char hint[160] = "inarch list layers shows those there are";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    ia_free(names);
    return ia_fail(err, INARCH_BAD_ARGUMENT, type, hint, "unknown layer '%s'", type);
}

static inarch_status find_field(const ia_layer_class *cls, const char *key, const ia_field **out,
                                inarch_error *err)
{
    *out = ia_field_find(cls->fields, cls->field_count, key);
    if (*out)
        return INARCH_OK;
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < cls->field_count && n < IA_COUNT(names) - 1; i++)
        names[n++] = cls->fields[i].key;
    names[n++] = "name";
    const char *near = ia_suggest(key, names, n);
    char hint[160];
    snprintf(hint, sizeof hint, "inarch list layers %s shows its settings", cls->spec);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, INARCH_BAD_ARGUMENT, key, hint, "a layer %s has no setting '%s'", cls->spec,
                   key);
}

static inarch_status parse_flag(const char *text, const char *key, bool *out, inarch_error *err)
{
    bool on = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!on && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return ia_fail(err, INARCH_BAD_ARGUMENT, key, "", "%s must be true or false, not '%s'", key,
                       text);
    *out = on;
    return INARCH_OK;
}

/* The settings every layer has. *taken tells whether `key` was one. */
static inarch_status set_common(ia_layer *l, const char *key, const char *text, bool *taken,
                                inarch_error *err)
{
    *taken = true;
    if (strcmp(key, "name") == 0) {
        if (!*text || strchr(text, '/'))
            return ia_fail(err, INARCH_BAD_ARGUMENT, "name", "",
                           "a layer's name must not be empty or contain '/': '%s'", text);
        char *name = ia_strdup(text);
        if (!name)
            return ia_fail_memory(err, "a layer's name", strlen(text));
        ia_free(l->name);
        l->name = name;
        return INARCH_OK;
    }
    if (strcmp(key, "trainable") == 0)
        return parse_flag(text, key, &l->trainable, err);
    if (strcmp(key, "learning_rate") == 0) {
        double v;
        if (!ia_parse_double(text, strlen(text), &v) || !(v >= 0 && v <= 1e6))
            return ia_fail(err, INARCH_BAD_ARGUMENT, key, "1 is the default",
                           "learning_rate is a multiplier from 0 to 1e6, not '%s'", text);
        l->learning_rate = (float)v;
        return INARCH_OK;
    }
    *taken = false;
    return INARCH_OK;
}

/* One value: "128", "relu" or "key=value". */
static inarch_status set_value(ia_layer *l, const char *item, size_t position, const char *spec,
                               inarch_error *err)
{
    const ia_layer_class *cls = l->cls;
    const ia_field *f;
    size_t key_length = strcspn(item, "=(");
    if (item[key_length] != '=') {
        if (position >= cls->field_count)
            return bad_spec(spec, "has more values than settings", err);
        f = &cls->fields[position];
        return ia_field_set_text(f, l->config, item, l->name, err);
    }
    char key[64];
    if (key_length >= sizeof key)
        return bad_spec(spec, "has a setting of an impossible name", err);
    memcpy(key, item, key_length);
    key[key_length] = '\0';
    bool taken;
    IA_TRY(set_common(l, key, item + key_length + 1, &taken, err));
    if (taken)
        return INARCH_OK;
    IA_TRY(find_field(cls, key, &f, err));
    return ia_field_set_text(f, l->config, item + key_length + 1, l->name, err);
}

/* Fields without a default that no value was given for. */
static inarch_status check_required(const ia_layer *l, const uint64_t *given, const char *spec,
                                    inarch_error *err)
{
    for (size_t i = 0; i < l->cls->field_count && i < 64; i++) {
        if (l->cls->fields[i].fallback || (*given >> i & 1))
            continue;
        char hint[128];
        snprintf(hint, sizeof hint, "write %s:<%s>", l->cls->spec, l->cls->fields[i].key);
        return ia_fail(err, INARCH_BAD_ARGUMENT, spec, hint, "layer '%s' needs %s (%s)", spec,
                       l->cls->fields[i].key, l->cls->fields[i].help);
    }
    return INARCH_OK;
}

static void note_given(const ia_layer_class *cls, const char *item, size_t position,
                       uint64_t *given)
{
    size_t key_length = strcspn(item, "=(");
    const ia_field *f = position < cls->field_count ? &cls->fields[position] : NULL;
    if (item[key_length] == '=') {
        char key[64] = "";
        if (key_length < sizeof key)
            memcpy(key, item, key_length);
        f = ia_field_find(cls->fields, cls->field_count, key);
    }
    if (f && f - cls->fields < 64)
        *given |= (uint64_t)1 << (f - cls->fields);
}

static inarch_status set_values(ia_layer *l, const spec_text *s, const char *spec,
                                inarch_error *err)
{
    ia_split items = ia_split_of(s->values, s->separator);
    const char *item;
    size_t length, position = 0;
    uint64_t given = 0;
    while (*s->values && ia_split_next(&items, &item, &length)) {
        char text[SPEC_MAX];
        plain_item(item, length, text);
        if (*text) {
            IA_TRY(set_value(l, text, position, spec, err));
            note_given(l->cls, text, position, &given);
        }
        position += text[strcspn(text, "=(")] != '=';
    }
    IA_TRY(check_required(l, &given, spec, err));
    return l->cls->check ? l->cls->check(l, err) : INARCH_OK;
}

inarch_status ia_spec_layer(const char *spec, const ia_model *m, ia_layer **out, inarch_error *err)
{
    spec_text s;
    IA_TRY(split_type(spec, &s, err));
    const ia_layer_class *cls = ia_layer_class_find(s.type);
    if ((!cls || (cls->flags & (IA_LAYER_OPAQUE | IA_LAYER_MODEL))) && ia_activation_find(s.type)) {
        /* "tanh" and "leaky_relu(negative_slope=0.1)" are Activation layers. */
        snprintf(s.values, sizeof s.values, "%s", spec);
        s.separator = ',';
        cls = ia_layer_class_find("activation");
    }
    if (!cls || (cls->flags & (IA_LAYER_OPAQUE | IA_LAYER_MODEL)))
        return unknown_type(s.type, err);
    char stem[64];
    ia_snake_case(cls->name, stem, sizeof stem);
    char *name = ia_model_fresh_name(m, stem);
    if (!name)
        return ia_fail_memory(err, "a layer's name", sizeof stem);
    ia_layer *l = NULL;
    inarch_status status = ia_layer_new(cls, name, &l, err);
    ia_free(name);
    if (status == INARCH_OK)
        status = set_values(l, &s, spec, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    *out = l;
    return INARCH_OK;
}

/* Appends a layer and its call behind the last one. */
static inarch_status append(ia_model *m, const char *spec, inarch_error *err)
{
    ia_layer *l;
    IA_TRY(ia_spec_layer(spec, m, &l, err));
    bool is_input = (l->cls->flags & IA_LAYER_INPUT) != 0;
    inarch_status status = INARCH_OK;
    if (is_input != (m->call_count == 0))
        status = ia_fail(err, INARCH_BAD_ARGUMENT, spec, "as in input:784,dense:10:softmax",
                         "an architecture starts with its one input, 'input:SHAPE'");
    if (status == INARCH_OK)
        status = ia_model_add_layer(m, l, err);
    if (status != INARCH_OK) {
        ia_layer_free(l);
        return status;
    }
    ia_ref below = {m->call_count - 1, 0};
    return ia_model_add_call(m, l, &below, is_input ? 0 : 1, err);
}

static inarch_status append_all(ia_model *m, const char *arch, inarch_error *err)
{
    ia_split items = ia_split_of(arch, ',');
    const char *item;
    size_t length;
    while (ia_split_next(&items, &item, &length)) {
        char spec[SPEC_MAX];
        if (length >= sizeof spec)
            return bad_spec(arch, "is too long", err);
        memcpy(spec, item, length);
        spec[length] = '\0';
        IA_TRY(append(m, spec, err));
    }
    if (m->call_count < 2)
        return ia_fail(err, INARCH_BAD_ARGUMENT, arch, "as in input:784,dense:10:softmax",
                       "an architecture needs an input and at least one layer");
    ia_ref first = {0, 0}, last = {m->call_count - 1, 0};
    IA_TRY(ia_model_set_inputs(m, &first, 1, err));
    return ia_model_set_outputs(m, &last, 1, err);
}

inarch_status ia_spec_model(const char *arch, uint64_t seed, ia_model **out, inarch_error *err)
{
    ia_model *m;
    IA_TRY(ia_model_new(IA_SEQUENTIAL, "sequential", &m, err));
    inarch_status status = append_all(m, arch, err);
    if (status == INARCH_OK)
        status = ia_model_infer(m, err);
    if (status == INARCH_OK)
        status = ia_model_initialize(m, seed, err);
    if (status != INARCH_OK) {
        ia_model_free(m);
        return status;
    }
    *out = m;
    return INARCH_OK;
}
