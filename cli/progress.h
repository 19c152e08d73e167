/* What is seen while training: a bar on a terminal, a line per epoch elsewhere, a line of JSON per
 * epoch in --log. */
#ifndef INARCH_CLI_PROGRESS_H
#define INARCH_CLI_PROGRESS_H

#include "args.h"

#include <stdio.h>

typedef enum progress_mode { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR } progress_mode;

typedef struct progress {
    progress_mode mode;
    FILE *log;        /* NULL: none */
    const char *path; /* of the log */
    int log_error;    /* errno of the first write that failed */
    bool drawn;       /* the bar stands on the current line */
    bool rates;       /* the learning rate changes: show it */
    double epoch_start, last;
} progress;

/* Opens --log. */
inarch_status progress_open(progress *p, const cli_args *a, inarch_error *err);
/* For inarch_fit_options.event; context is the progress. Returns INARCH_STOP after a signal. */
int32_t progress_event(void *context, const inarch_event *e);
/* Wipes the bar, closes the log; tells when the log could not be written. */
inarch_status progress_close(progress *p, inarch_error *err);

/* "loss 0.4321  accuracy 0.8125": a row of the history. */
void progress_print_row(FILE *f, const inarch_history *h, int64_t row, bool rates);
/* The same as members of a JSON object. */
void progress_json_row(json_out *j, const inarch_history *h, int64_t row);

#endif
