/* Many lines of a table at once, shared out among threads: each sets the inputs of its own rows.
 *
 * What depends on the order of rows - labels that become words, the first fault of a column - is
 * done behind it, row by row, so the result does not depend on the threads. A line that would be an
 * error ends the run before it: the splitter finds it again and says so. */
#include "data/csv_lines.h"
#include "data/decimal.h"
#include "data/table.h"

#include "base/alloc.h"

#include <string.h>

#define LINES_MOST 65536              /* at once, */
#define OUTPUTS_MOST 65536            /* and cells of labels and weights */
#define TASK_BYTES ((size_t)32 << 10) /* of text that a thread takes at a time */
#define POOL_BYTES ((size_t)4 << 20)  /* a shorter table is read before threads have started */
#define NO_FAULT SIZE_MAX

typedef struct lines_job {
    ia_table *t;
    const ia_csv_run *run;
    size_t first; /* the row that line 0 becomes */
    uint8_t separator;
    atomic_size_t odd; /* the first line that is left to the splitter */
} lines_job;

static size_t lines_most(const ia_table *t)
{
    size_t most = t->outputs ? OUTPUTS_MOST / t->outputs : LINES_MOST;
    return most ? most : 1;
}

inarch_status ia_table_start_lines(ia_table *t, inarch_error *err)
{
    size_t cells = lines_most(t) * t->outputs;
    t->cell = ia_calloc(cells, sizeof *t->cell);
    t->fault = ia_calloc(t->n_inputs, sizeof *t->fault);
    if (!t->cell || !t->fault)
        return ia_fail_memory(err, "lines of a table", cells * sizeof *t->cell);
    for (size_t i = 0; i < t->n_inputs; i++)
        atomic_init(&t->fault[i], NO_FAULT);
    t->pool = t->options->pool;
    return INARCH_OK;
}

void ia_table_release_lines(ia_table *t)
{
    ia_free(t->cell);
    ia_free(t->fault);
    ia_pool_free(t->own_pool);
}

/* ---- on any thread ---- */

static void keep_least(atomic_size_t *least, size_t v)
{
    size_t now = atomic_load_explicit(least, memory_order_relaxed);
    while (v < now && !atomic_compare_exchange_weak_explicit(least, &now, v, memory_order_relaxed,
                                                             memory_order_relaxed))
        continue;
}

/* A cell that is not a plain decimal. False for an error. */
static bool line_cell(const lines_job *j, size_t line, size_t input, ia_cell cell, float *x)
{
    const ia_table *t = j->t;
    double v;
    ia_fault_kind kind = ia_cell_number(cell, &v);
    *x = (float)v;
    if (kind != IA_FAULT_NONE && t->d->origin->column[input].fault.kind == IA_FAULT_NONE)
        keep_least(&t->fault[input], line);
    /* Blanks in the only column: the splitter's message is about separators. */
    return kind != IA_FAULT_TEXT || t->roles.columns > 1 || !memchr(cell.text, ' ', cell.len);
}

static bool line_number(const lines_job *j, size_t line, size_t input, const uint8_t **at, float *x)
{
    const uint8_t *s = *at;
    if (ia_decimal_f32(&s, x) && (*s == j->separator || *s == '\n' || *s == '\r')) {
        *at = s;
        return true;
    }
    return line_cell(j, line, input, ia_csv_line_cell(at, (char)j->separator), x);
}

/* False when the line is not a row of the table. */
static bool read_line(const lines_job *j, size_t line)
{
    const ia_table *t = j->t;
    const uint8_t *role = t->roles.role, *s = j->run->text + j->run->line[line].at;
    size_t columns = t->roles.columns, input = 0;
    float *x = ia_rows_mutable(t->inputs, j->first + line);
    for (size_t c = 0; c < columns; c++) {
        if (c > 0 && *s++ != j->separator)
            return false;
        if (role[c] == IA_ROLE_INPUT) {
            if (!line_number(j, line, input, &s, x + input))
                return false;
            input++;
        } else {
            ia_cell cell = ia_csv_line_cell(&s, (char)j->separator);
            if (role[c] != IA_ROLE_DROP)
                t->cell[line * t->outputs + t->output[c]] = cell;
        }
    }
    return *s != j->separator;
}

static void read_some(void *context, size_t begin, size_t end)
{
    lines_job *j = context;
    for (size_t line = begin; line < end; line++) {
        if (read_line(j, line))
            continue;
        keep_least(&j->odd, line);
        return;
    }
}

/* ---- in the order of rows ---- */

static ia_fault line_place(const lines_job *j, size_t line)
{
    return (ia_fault){.row = j->t->row + line + 1,
                      .line = j->run->first_line + j->run->line[line].line};
}

/* Notes all columns whose first fault is in this line. */
static void note_line_faults(const lines_job *j, size_t line)
{
    const ia_table *t = j->t;
    const ia_fault at = line_place(j, line);
    const uint8_t *s = j->run->text + j->run->line[line].at;
    for (size_t c = 0, i = 0; i < t->n_inputs; c++, s++) {
        double v;
        ia_cell cell = ia_csv_line_cell(&s, (char)j->separator);
        if (t->input_at[i] != c)
            continue;
        if (atomic_load_explicit(&t->fault[i], memory_order_relaxed) == line)
            ia_fault_note(&t->d->origin->column[i].fault, ia_cell_number(cell, &v), &at, cell);
        i++;
    }
}

/* Lines from `good` on do not count. */
static void note_faults(const lines_job *j, size_t good)
{
    ia_table *t = j->t;
    for (size_t i = 0; i < t->n_inputs; i++) {
        size_t line = atomic_load_explicit(&t->fault[i], memory_order_relaxed);
        if (line < good && t->d->origin->column[i].fault.kind == IA_FAULT_NONE)
            note_line_faults(j, line);
    }
    for (size_t i = 0; i < t->n_inputs; i++)
        atomic_store_explicit(&t->fault[i], NO_FAULT, memory_order_relaxed);
}

/* Starts threads once it is clear that they pay. */
static inarch_status need_pool(ia_table *t, inarch_error *err)
{
    if (t->pool || t->bytes < POOL_BYTES)
        return INARCH_OK;
    IA_TRY(ia_pool_new(0, &t->own_pool, err));
    t->pool = t->own_pool;
    return INARCH_OK;
}

inarch_status ia_table_add_lines(ia_table *t, size_t *n, inarch_error *err)
{
    ia_csv_run run;
    size_t rows = ia_rows_count(t->inputs);
    *n = 0;
    IA_TRY(ia_csv_lines(t->csv, lines_most(t), t->roles.columns > 1, &run, err));
    t->bytes += run.bytes;
    IA_TRY(need_pool(t, err));
    IA_TRY(ia_rows_extend(t->inputs, run.n, err));
    lines_job job = {.t = t, .run = &run, .first = rows};
    job.separator = (uint8_t)ia_csv_separator(t->csv);
    atomic_init(&job.odd, run.n);
    size_t grain = run.n / (run.bytes / TASK_BYTES + 1);
    ia_pool_for(t->pool, run.n, grain ? grain : 1, read_some, &job);

    size_t good = atomic_load_explicit(&job.odd, memory_order_relaxed);
    ia_rows_cut(t->inputs, rows + good);
    note_faults(&job, good);
    for (size_t line = 0; line < good && t->outputs > 0; line++) {
        const ia_fault at = line_place(&job, line);
        IA_TRY(ia_table_add_outputs(t, t->cell + line * t->outputs, &at, err));
    }
    t->row += good;
    ia_csv_take(t->csv, &run, good);
    *n = good;
    return INARCH_OK;
}
