/* Each verb works whole or not at all: whichever allocation fails, the model is as it was. */
#include "surgery_rig.h"

#include "api/out_of_memory.h"

typedef struct verb {
    const char *name;
    inarch_status (*apply)(inarch_model *m, inarch_error *err);
    const inarch_model *original;
    inarch_model *model;
    char *before;
} verb;

static inarch_status attempt(void *context, inarch_error *err)
{
    verb *v = context;
    return v->apply(v->model, err);
}

static void check_unchanged(void *context, inarch_status status)
{
    verb *v = context;
    if (status == INARCH_OK)
        fail_msg("%s: an allocation that failed went unnoticed", v->name);
    char *now = document_text(v->model);
    if (strcmp(now, v->before) != 0)
        fail_msg("%s: a failed attempt has changed the model", v->name);
    free(now);
}

#define VERB(id, call)                                                                             \
    static inarch_status id(inarch_model *m, inarch_error *err)                                    \
    {                                                                                              \
        return call;                                                                               \
    }

static const char *const more[] = {"a", "d", "b", "c"};

VERB(do_freeze, inarch_freeze(m, "up,base/p", err))
VERB(do_unfreeze, inarch_unfreeze(m, "base/q", err))
VERB(do_freeze_first, inarch_freeze_first(m, 4, err))
VERB(do_freeze_to, inarch_freeze_to(m, "up", err))
VERB(do_group, inarch_group(m, "base/*,top", 0.5, err))
VERB(do_pop, inarch_pop(m, 1, err))
VERB(do_cut, inarch_cut(m, "up", err))
VERB(do_cut_nested, inarch_cut(m, "base/p", err))
VERB(do_add, inarch_add(m, "dense(4,relu,kernel_regularizer=l2(0.1),name=new)", err))
VERB(do_insert, inarch_insert(m, "join", "dense(6,kernel_initializer=orthogonal)", err))
VERB(do_attach, inarch_attach(m, "join", "dense:3:relu,batchnorm,dense:1", err))
VERB(do_rename, inarch_rename(m, "base/p", "other", err))
VERB(do_head, inarch_head(m, 4, 0, err))
VERB(do_classes, inarch_set_classes(m, more, 4, err))
VERB(do_meta, inarch_meta_set(m, "classes", "[\"p\",\"q\",\"r\"]", err))
VERB(do_weight, inarch_weight_set(m, "up/bias", (const float[6]){1, 2, 3, 4, 5, 6}, 6, err))

static void test_verbs(void **state)
{
    (void)state;
    verb verbs[] = {{.name = "freeze", .apply = do_freeze},
                    {.name = "unfreeze", .apply = do_unfreeze},
                    {.name = "freeze_first", .apply = do_freeze_first},
                    {.name = "freeze_to", .apply = do_freeze_to},
                    {.name = "group", .apply = do_group},
                    {.name = "pop", .apply = do_pop},
                    {.name = "cut", .apply = do_cut},
                    {.name = "cut inside", .apply = do_cut_nested},
                    {.name = "add", .apply = do_add},
                    {.name = "insert", .apply = do_insert},
                    {.name = "attach", .apply = do_attach},
                    {.name = "rename", .apply = do_rename},
                    {.name = "head", .apply = do_head},
                    {.name = "set_classes", .apply = do_classes},
                    {.name = "meta_set", .apply = do_meta},
                    {.name = "weight_set", .apply = do_weight}};
    inarch_error err;
    inarch_model *original = functional();
    static const char *const three[] = {"a", "b", "c"};
    warm_up(original);
    assert_ok(inarch_freeze(original, "base", &err), err);
    assert_ok(inarch_set_classes(original, three, 3, &err), err);
    for (size_t i = 0; i < IA_COUNT(verbs); i++) {
        verb *v = &verbs[i];
        v->model = rig_clone(original);
        v->before = document_text(v->model);
        size_t n = starve(attempt, check_unchanged, v, 1);
        char *after = document_text(v->model);
        if (strcmp(after, v->before) == 0)
            fail_msg("%s did nothing, in %zu allocations", v->name, n);
        free(after);
        free(v->before);
        inarch_free(v->model);
    }
    inarch_free(original);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verbs)};
    return cmocka_run_group_tests(tests, NULL, rig_folder_remove);
}
