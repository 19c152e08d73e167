/* Settings of optimizers, schedules and metrics: numbers in a plain struct, described by a table.
 *
 * The table serves text ("sgd(momentum=0.9,nesterov=true)"), Keras JSON of any generation and
 * `inarch list`. Every setting is a double, flags and words too, so that 1 - beta is exact where
 * Keras computes it in Python. */
#ifndef IA_TRAIN_SETTING_H
#define IA_TRAIN_SETTING_H

#include "base/json.h"

typedef enum ia_setting_kind {
    IA_SETTING_NUMBER,
    IA_SETTING_OPTIONAL, /* NaN = none (null in JSON) */
    IA_SETTING_WHOLE,    /* a number without a fraction */
    IA_SETTING_INDEX,    /* the same, or NaN = none */
    IA_SETTING_FLAG,     /* 0 or 1 */
    IA_SETTING_WORD      /* index into `words` */
} ia_setting_kind;

typedef struct ia_setting {
    const char *key;     /* Keras 3's name */
    const char *aliases; /* older names, separated by '|'; or NULL */
    ia_setting_kind kind;
    size_t offset;     /* of a double in the struct */
    double fallback;   /* the default; NaN = none, or "must be given" for other kinds */
    double min, max;   /* inclusive */
    const char *words; /* WORD: "roc|pr" */
    const char *help;  /* a few words with unit and range */
} ia_setting;

#define IA_MAX_SETTINGS 16

typedef struct ia_settings {
    const ia_setting *row;
    size_t count;
} ia_settings;

void ia_settings_default(ia_settings t, void *values);
/* Named ("rho=0.9") or positional arguments, in the table's order, separated by commas. `owner` is
 * the subject of messages. */
IA_MUST_CHECK inarch_status ia_settings_from_text(ia_settings t, const char *args,
                                                  const char *owner, void *values,
                                                  inarch_error *err);
/* Sets what `config` names; other keys are left alone. */
IA_MUST_CHECK inarch_status ia_settings_from_json(ia_settings t, const json_t *config,
                                                  const char *owner, void *values,
                                                  inarch_error *err);
/* Adds every setting to an object. */
IA_MUST_CHECK inarch_status ia_settings_to_json(ia_settings t, const void *values, json_t *config,
                                                inarch_error *err);
/* "name" or "name(key=value,...)" with what differs from the defaults. */
void ia_settings_to_text(ia_settings t, const char *name, const void *values, char *out,
                         size_t size);
bool ia_settings_are_default(ia_settings t, const void *values);

/* `name` is one of the '|'-separated words, ignoring case and underscores ("BinaryAccuracy" =
 * "binary_accuracy"). */
bool ia_name_in(const char *name, const char *words);

#endif
