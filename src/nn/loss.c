/* The list of losses, and their names and settings in text and in Keras' JSON.
 *
 * The mathematics is in nn/losses/. Reductions other than Keras' mean over the batch, and ignored
 * classes, are refused by name rather than misread. */
#include "nn/loss.h"

#include "base/alloc.h"
#include "base/text.h"
#include "nn/field.h"
#include "nn/losses/list.h"

#include <string.h>

#define ROW(name) &ia_loss_##name,
static const ia_loss_class *const loss_rows[] = {IA_LOSS_LIST(ROW)};
#undef ROW

size_t ia_loss_count(void)
{
    return IA_COUNT(loss_rows);
}

const ia_loss_class *ia_loss_class_at(size_t i)
{
    return i < IA_COUNT(loss_rows) ? loss_rows[i] : NULL;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Equal but for case. */
static bool same_word(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] == '\0' || fold(a[i]) != fold(b[i]))
            return false;
    return a[n] == '\0';
}

static bool called(const ia_loss_class *c, const char *name)
{
    if (same_word(name, c->name, strlen(c->name)))
        return true;
    for (const char *p = c->aliases; p;) {
        size_t n = strcspn(p, "|");
        if (same_word(name, p, n))
            return true;
        p = p[n] ? p + n + 1 : NULL;
    }
    return false;
}

static inarch_status loss_find(const char *name, ia_loss *out, inarch_error *err)
{
    const char *names[IA_COUNT(loss_rows)];
    for (size_t i = 0; i < IA_COUNT(loss_rows); i++) {
        names[i] = loss_rows[i]->name;
        if (called(loss_rows[i], name)) {
            *out = (ia_loss){.cls = loss_rows[i]};
            memcpy(out->param, loss_rows[i]->fallback, sizeof out->param);
            return INARCH_OK;
        }
    }
    const char *near = ia_suggest(name, names, IA_COUNT(loss_rows));
    char hint[96] = "see the list of losses";
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    return ia_fail(err, INARCH_BAD_ARGUMENT, name, hint, "unknown loss '%s'", name);
}

/* ---- text ---- */

static size_t param_count(const ia_loss_class *c)
{
    size_t n = 0;
    while (n < IA_COUNT(c->param) && c->param[n])
        n++;
    return n;
}

static inarch_status bad_param(const ia_loss *l, const char *what, inarch_error *err)
{
    return ia_fail(err, INARCH_BAD_ARGUMENT, l->cls->name,
                   l->cls->param[0] ? "label_smoothing is from 0 to 1, delta is above 0" : "",
                   "loss '%s' cannot take %s", l->cls->name, what);
}

static inarch_status set_param(ia_loss *l, size_t i, double v, inarch_error *err)
{
    char text[96];
    bool smoothing = strcmp(l->cls->param[i], "label_smoothing") == 0;
    if (smoothing ? v >= 0 && v <= 1 : v > 0 && v < 1e300) {
        l->param[i] = v;
        return INARCH_OK;
    }
    snprintf(text, sizeof text, "%s = %g", l->cls->param[i], v);
    return bad_param(l, text, err);
}

static inarch_status set_from_logits(ia_loss *l, const char *value, size_t n, inarch_error *err)
{
    bool yes = same_word("true", value, n) || (n == 1 && *value == '1');
    bool no = same_word("false", value, n) || (n == 1 && *value == '0');
    if (l->cls->logits == IA_LOGITS_NONE || (!yes && !no))
        return bad_param(l, "this from_logits", err);
    l->from_logits = yes;
    return INARCH_OK;
}

/* One argument: "key=value", or a value for parameter `place`. */
static inarch_status set_argument(ia_loss *l, size_t place, const char *item, size_t n,
                                  inarch_error *err)
{
    const char *eq = memchr(item, '=', n);
    const char *value = eq ? eq + 1 : item;
    size_t value_n = n - (size_t)(value - item), i = place;
    double v;
    if (eq && same_word("from_logits", item, (size_t)(eq - item)))
        return set_from_logits(l, value, value_n, err);
    for (i = eq ? 0 : place; eq && i < param_count(l->cls); i++)
        if (same_word(l->cls->param[i], item, (size_t)(eq - item)))
            break;
    if (i >= param_count(l->cls) || !ia_parse_double(value, value_n, &v)) {
        char text[96];
        snprintf(text, sizeof text, "'%.*s'", (int)(n < 80 ? n : 80), item);
        return bad_param(l, text, err);
    }
    return set_param(l, i, v, err);
}

inarch_status ia_loss_from_text(const char *text, ia_loss *out, inarch_error *err)
{
    char name[64], args[192];
    ia_loss l;
    if (!ia_parse_call(text, name, sizeof name, args, sizeof args))
        return ia_fail(err, INARCH_BAD_ARGUMENT, text, "write name(key=value,...)",
                       "cannot read the loss '%s'", text);
    IA_TRY(loss_find(name, &l, err));
    ia_split s = ia_split_of(args, ',');
    const char *item;
    size_t n, place = 0;
    while (args[0] && ia_split_next(&s, &item, &n))
        IA_TRY(set_argument(&l, place++, item, n, err));
    *out = l;
    return INARCH_OK;
}

void ia_loss_to_text(const ia_loss *l, char *out, size_t size)
{
    char args[160] = "", number[32];
    size_t used = 0;
    for (size_t i = 0; i < param_count(l->cls); i++) {
        if (l->param[i] == l->cls->fallback[i])
            continue;
        ia_format_double(l->param[i], number, sizeof number);
        used += (size_t)snprintf(args + used, sizeof args - used, "%s%s=%s", used ? "," : "",
                                 l->cls->param[i], number);
    }
    if (l->from_logits)
        snprintf(args + used, sizeof args - used, "%sfrom_logits=true", used ? "," : "");
    snprintf(out, size, args[0] ? "%s(%s)" : "%s", l->cls->name, args);
}

/* ---- JSON ---- */

/* Keras' mean over the batch, under the names it has had. */
static bool is_mean(const char *reduction)
{
    return !strcmp(reduction, "auto") || !strcmp(reduction, "sum_over_batch_size") ||
           !strcmp(reduction, "mean");
}

static inarch_status loss_config(ia_loss *l, const json_t *config, inarch_error *err)
{
    const char *reduction = ia_json_string(config, "reduction", "auto");
    const json_t *ignored = json_object_get(config, "ignore_class");
    double v;
    if (!is_mean(reduction))
        return ia_fail(err, INARCH_UNSUPPORTED, l->cls->name, "name a loss to train with another",
                       "loss '%s' with reduction '%s' is not supported", l->cls->name, reduction);
    if (ignored && !json_is_null(ignored))
        return ia_fail(err, INARCH_UNSUPPORTED, l->cls->name, "name a loss to train with another",
                       "loss '%s' with ignore_class is not supported", l->cls->name);
    for (size_t i = 0; i < param_count(l->cls); i++)
        if (ia_json_number(json_object_get(config, l->cls->param[i]), &v))
            IA_TRY(set_param(l, i, v, err));
    l->from_logits = l->cls->logits != IA_LOGITS_NONE && ia_json_bool(config, "from_logits", false);
    return INARCH_OK;
}

inarch_status ia_loss_from_json(const json_t *value, ia_loss *out, inarch_error *err)
{
    ia_loss l;
    if (json_is_string(value)) {
        IA_TRY(loss_find(json_string_value(value), &l, err));
        *out = l;
        return INARCH_OK;
    }
    const json_t *config = json_object_get(value, "config");
    const char *name = ia_json_string(value, "class_name", ia_json_string(value, "name", ""));
    if (json_is_string(config)) /* a function of Keras 3: its name is the configuration */
        name = json_string_value(config);
    else if (!strcmp(name, "LossFunctionWrapper") || !strcmp(name, "MeanMetricWrapper"))
        name = ia_json_string(config, "fn", ia_json_string(config, "name", ""));
    IA_TRY(loss_find(name, &l, err));
    IA_TRY(loss_config(&l, config, err));
    *out = l;
    return INARCH_OK;
}

/* "binary_crossentropy" to "BinaryCrossentropy". Losses with settings all have such names. */
static void class_name_of(const char *name, char *out, size_t size)
{
    size_t n = 0;
    bool up = true;
    for (; *name && n + 1 < size; name++) {
        if (*name != '_')
            out[n++] = up ? (char)(*name - 'a' + 'A') : *name;
        up = *name == '_';
    }
    out[n] = '\0';
}

inarch_status ia_loss_to_json(const ia_loss *l, json_t **out, inarch_error *err)
{
    bool plain = !l->from_logits && !memcmp(l->param, l->cls->fallback, sizeof l->param);
    char class_name[64];
    json_t *config, *v = NULL;
    if (plain) {
        *out = json_string(l->cls->name);
        return *out ? INARCH_OK : ia_fail_memory(err, "a loss", sizeof *l);
    }
    class_name_of(l->cls->name, class_name, sizeof class_name);
    config = json_pack("{s:s, s:s}", "name", l->cls->name, "reduction", "sum_over_batch_size");
    bool ok = config != NULL;
    for (size_t i = 0; ok && i < param_count(l->cls); i++)
        ok = !json_object_set_new(config, l->cls->param[i], ia_json_from_double(l->param[i]));
    if (ok && l->cls->logits != IA_LOGITS_NONE)
        ok = !json_object_set_new(config, "from_logits", json_boolean(l->from_logits));
    if (ok)
        v = json_pack("{s:s, s:s, s:O, s:n}", "module", "keras.losses", "class_name", class_name,
                      "config", config, "registered_name");
    json_decref(config);
    if (!v)
        return ia_fail_memory(err, "a loss", sizeof *l);
    *out = v;
    return INARCH_OK;
}
