/* The table of activations, made from activation_list.h, and the aliases of their names. */
#include "kernels/activation.h"
#include "kernels/dispatch.h"

#define ELEMENTWISE_ROW(id_name, z, ...)                                                           \
    {.name = #id_name, .needs_z = z, .id = IA_ACT_##id_name, __VA_ARGS__},
#define ALONG_ROW(id_name, z)                                                                      \
    {.name = #id_name, .along_row = 1, .needs_z = z, .id = IA_ACT_##id_name},

static const ia_activation_class activation_table[] = {IA_ELEMENTWISE_ACTIVATIONS(ELEMENTWISE_ROW)
                                                           IA_ROW_ACTIVATIONS(ALONG_ROW)};

static const struct {
    const char *alias, *name;
} activation_alias[] = {
    {"swish", "silu"},
    {"hard_swish", "hard_silu"},
    {"softmax_v2", "softmax"}, /* tf.nn.softmax and tf.nn.log_softmax in files of TensorFlow 2 */
    {"log_softmax_v2", "log_softmax"},
};

size_t ia_activation_count(void)
{
    return IA_COUNT(activation_table);
}

const ia_activation_class *ia_activation_at(size_t i)
{
    return i < IA_COUNT(activation_table) ? &activation_table[i] : NULL;
}

const ia_activation_class *ia_activation_find(const char *name)
{
    for (size_t i = 0; i < IA_COUNT(activation_alias); i++)
        if (strcmp(name, activation_alias[i].alias) == 0)
            name = activation_alias[i].name;
    for (size_t i = 0; i < IA_COUNT(activation_table); i++)
        if (strcmp(name, activation_table[i].name) == 0)
            return &activation_table[i];
    return NULL;
}

int ia_activation_is_relu(const ia_activation *a)
{
    return a->cls->id == IA_ACT_relu && a->param[0] == 0 && a->param[1] == INFINITY &&
           a->param[2] == 0;
}

ia_activation ia_activation_of(const ia_activation_class *cls)
{
    ia_activation a = {.cls = cls};
    memcpy(a.param, cls->fallback, sizeof a.param);
    return a;
}
