/* The separator is the candidate that splits every line into equally many cells.
 *
 * Tab before ';' before ',': a file with decimal commas is split evenly by its commas too, and a
 * table with a ';' in each line and even commas does not occur. */
#include "data/csv_guess.h"

#define GUESS_RECORDS 64

static const char candidates[] = {'\t', ';', ','};

typedef struct guess {
    size_t cells; /* separators + 1 in the first record */
    size_t now;   /* separators so far in this record */
    bool uneven;
} guess;

static void guess_end_record(guess *g, size_t records)
{
    for (size_t k = 0; k < IA_COUNT(candidates); k++) {
        if (records == 0)
            g[k].cells = g[k].now + 1;
        else if (g[k].now + 1 != g[k].cells)
            g[k].uneven = true;
        g[k].now = 0;
    }
}

char ia_csv_guess(const uint8_t *data, size_t n, bool whole)
{
    guess g[IA_COUNT(candidates)] = {{0}};
    size_t records = 0, length = 0;
    bool quoted = false;
    for (size_t i = 0; i < n && records < GUESS_RECORDS; i++) {
        if (data[i] == '"')
            quoted = !quoted;
        bool line_end = !quoted && (data[i] == '\n' || data[i] == '\r');
        if (line_end && length > 0) {
            guess_end_record(g, records++);
            length = 0;
        }
        if (line_end)
            continue;
        length++;
        for (size_t k = 0; k < IA_COUNT(candidates) && !quoted; k++)
            g[k].now += data[i] == (uint8_t)candidates[k];
    }
    /* The last line of the buffer is a record only where the file ends with it. */
    if (length > 0 && (whole || records == 0) && records < GUESS_RECORDS)
        guess_end_record(g, records);
    size_t most = IA_COUNT(candidates) - 1; /* ',' when nothing splits */
    for (size_t k = 0; k < IA_COUNT(candidates); k++)
        if (g[k].cells > 1 && !g[k].uneven)
            return candidates[k];
    for (size_t k = IA_COUNT(candidates); k-- > 0;)
        if (g[k].cells > g[most].cells)
            most = k;
    return candidates[most];
}
