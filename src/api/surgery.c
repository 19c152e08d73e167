/* Surgery by the public names: transfer/surgery.h does the work. */
#include "api/handle.h"
#include "transfer/surgery.h"

#include "base/text.h"

#include <string.h>

inarch_status inarch_new(const char *arch, uint64_t seed, inarch_model **out, inarch_error *err)
{
    ia_model *doc;
    inarch_model *m;
    IA_TRY(ia_spec_model(arch, seed, &doc, err));
    IA_TRY(api_wrap(doc, &m, err));
    m->seed = seed;
    m->edited = API_EDITED;
    *out = m;
    return INARCH_OK;
}

/* After an edit that went well. New outputs are not what the old ones had names for. */
static inarch_status edited(inarch_model *m, bool outputs_changed)
{
    m->edited = outputs_changed || m->edited == API_NEW_OUTPUTS ? API_NEW_OUTPUTS : API_EDITED;
    if (outputs_changed) {
        json_object_del(m->doc->meta, "classes");
        json_object_del(m->doc->meta, "targets");
    }
    api_view_drop(m);
    return INARCH_OK;
}

inarch_status inarch_freeze(inarch_model *m, const char *pattern, inarch_error *err)
{
    IA_TRY(ia_set_trainable(m->doc, pattern, false, err));
    return edited(m, false);
}

inarch_status inarch_unfreeze(inarch_model *m, const char *pattern, inarch_error *err)
{
    IA_TRY(ia_set_trainable(m->doc, pattern, true, err));
    return edited(m, false);
}

inarch_status inarch_freeze_first(inarch_model *m, size_t n, inarch_error *err)
{
    IA_TRY(ia_freeze_first(m->doc, n, err));
    return edited(m, false);
}

inarch_status inarch_freeze_to(inarch_model *m, const char *layer, inarch_error *err)
{
    IA_TRY(ia_freeze_to(m->doc, layer, err));
    return edited(m, false);
}

inarch_status inarch_reset(inarch_model *m, const char *pattern, inarch_error *err)
{
    IA_TRY(ia_reset(m->doc, pattern, m->seed, err));
    return edited(m, false);
}

inarch_status inarch_pop(inarch_model *m, size_t n, inarch_error *err)
{
    IA_TRY(ia_pop(m->doc, n, err));
    return edited(m, n > 0);
}

inarch_status inarch_cut(inarch_model *m, const char *layer, inarch_error *err)
{
    IA_TRY(ia_cut(m->doc, layer, err));
    return edited(m, true);
}

inarch_status inarch_add(inarch_model *m, const char *spec, inarch_error *err)
{
    IA_TRY(ia_add_layer(m->doc, spec, m->seed, err));
    return edited(m, true);
}

inarch_status inarch_insert(inarch_model *m, const char *after, const char *spec, inarch_error *err)
{
    bool top = false;
    for (size_t i = 0; i < m->doc->output_count; i++)
        top = top || strcmp(m->doc->calls[m->doc->outputs[i].call].layer->name, after) == 0;
    IA_TRY(ia_insert(m->doc, after, spec, m->seed, err));
    return edited(m, top);
}

inarch_status inarch_attach(inarch_model *m, const char *from, const char *specs, inarch_error *err)
{
    IA_TRY(ia_attach(m->doc, from, specs, m->seed, err));
    return edited(m, true);
}

inarch_status inarch_head(inarch_model *m, size_t n, int32_t binary, inarch_error *err)
{
    IA_TRY(ia_replace_head(m->doc, n == 2 && binary ? 1 : n, m->seed, err));
    return edited(m, true);
}

inarch_status inarch_set_classes(inarch_model *m, const char *const *names, size_t n,
                                 inarch_error *err)
{
    bool named = json_array_size(json_object_get(m->doc->meta, "classes")) > 0;
    IA_TRY(ia_set_classes(m->doc, names, n, m->seed, err));
    if (named)
        m->edited = API_NEW_OUTPUTS;
    else
        api_view_drop(m); /* the outputs are as they were, only their names are known now */
    return INARCH_OK;
}

inarch_status inarch_rename(inarch_model *m, const char *layer, const char *name, inarch_error *err)
{
    IA_TRY(ia_rename(m->doc, layer, name, err));
    api_view_drop(m);
    return INARCH_OK;
}

inarch_status inarch_group(inarch_model *m, const char *pattern, double learning_rate,
                           inarch_error *err)
{
    IA_TRY(ia_set_learning_rate(m->doc, pattern, learning_rate, err));
    api_view_drop(m);
    return INARCH_OK;
}
