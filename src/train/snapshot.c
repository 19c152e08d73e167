/* Snapshots of live variables, by reference. */
#include "train/snapshot.h"

#include "base/alloc.h"

#include <string.h>

static ia_slots slots_ref(const ia_slots *s)
{
    ia_slots copy = *s;
    for (size_t k = 0; k < IA_SLOT_MAX; k++)
        copy.slot[k] = ia_array_ref(&s->slot[k]);
    return copy;
}

inarch_status ia_snapshot_new(const ia_program *p, ia_snapshot *out, inarch_error *err)
{
    size_t n = ia_program_live_count(p);
    *out = (ia_snapshot){.program = p};
    out->value = ia_calloc(n, sizeof *out->value);
    out->slots = ia_calloc(n, sizeof *out->slots);
    if (out->value && out->slots)
        return INARCH_OK;
    ia_snapshot_free(out);
    return ia_fail_memory(err, "a snapshot", n * sizeof *out->value);
}

static void drop(ia_snapshot *s)
{
    for (size_t i = 0; s->taken && i < ia_program_live_count(s->program); i++) {
        ia_array_release(&s->value[i]);
        ia_slots_clear(&s->slots[i]);
    }
    s->taken = false;
}

void ia_snapshot_free(ia_snapshot *s)
{
    drop(s);
    ia_free(s->value);
    ia_free(s->slots);
    *s = (ia_snapshot){0};
}

void ia_snapshot_take(ia_snapshot *s)
{
    drop(s);
    for (size_t i = 0; i < ia_program_live_count(s->program); i++) {
        const ia_variable *v = ia_live_variable(ia_program_live(s->program, i));
        s->value[i] = ia_array_ref(&v->value);
        s->slots[i] = slots_ref(&v->slots);
    }
    s->taken = true;
}

void ia_snapshot_restore(const ia_snapshot *s, bool with_slots)
{
    for (size_t i = 0; s->taken && i < ia_program_live_count(s->program); i++) {
        ia_variable *v = ia_live_variable(ia_program_live(s->program, i));
        ia_array value = ia_array_ref(&s->value[i]);
        ia_array_release(&v->value);
        v->value = value;
        if (with_slots) {
            ia_slots slots = slots_ref(&s->slots[i]);
            ia_slots_clear(&v->slots);
            v->slots = slots;
        }
    }
}
