/* The table of layer classes, made from layers/list.h. */
#include "nn/layer.h"

#include "nn/layers/list.h"
#include "nn/params.h"

#include <string.h>

#define DECLARE(name) extern const ia_layer_class ia_layer_##name;
IA_LAYER_CLASSES(DECLARE)

#define ROW(name) &ia_layer_##name,
static const ia_layer_class *const classes[] = {IA_LAYER_CLASSES(ROW)};

size_t ia_layer_class_count(void)
{
    return IA_COUNT(classes);
}

const ia_layer_class *ia_layer_class_at(size_t i)
{
    return classes[i];
}

const ia_layer_class *ia_layer_class_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(classes); i++) {
        const ia_layer_class *c = classes[i];
        if (strcmp(c->name, name) == 0 || strcmp(c->spec, name) == 0 ||
            (c->aliases && ia_name_index(c->aliases, name) >= 0))
            return c;
    }
    return NULL;
}
