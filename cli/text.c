/* Text for people: harmless names, numbers, wrapping. Tables are in table.c. */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS 80 /* where nobody says */
#define LEAST_COLUMNS 40
#define MOST_COLUMNS 400

/* Bytes of the printable UTF-8 character at s, or 0. */
static size_t printable(const unsigned char *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool c1 = s[0] == 0xc2 && s[1] < 0xa0; /* U+0080..U+009F steer terminals too */
    return c1 ? 0 : n;
}

void text_put(FILE *f, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = printable(s);
        if (n)
            fwrite(s, 1, n, f);
        else
            putc('?', f);
        s += n ? n : 1;
    }
}

size_t text_width(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

const char *text_count(uint64_t n, char out[TEXT_NUMBER])
{
    char digits[TEXT_NUMBER];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return out;
}

const char *text_bytes(uint64_t n, char out[TEXT_NUMBER])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    size_t unit = 0;
    for (; v >= 999.5; v /= 1000)
        unit++;
    int decimals = unit == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    snprintf(out, TEXT_NUMBER, "%.*f %s", decimals, v, units[unit]);
    return out;
}

const char *text_shape(const inarch_shape *s, char *out, size_t size)
{
    if (s->rank <= 0 || s->rank > 8) {
        snprintf(out, size, "%s", s->rank == 0 ? "scalar" : "unknown");
        return out;
    }
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < s->rank && used < size; i++) {
        char dim[TEXT_NUMBER] = "?";
        if (s->dim[i] >= 0)
            snprintf(dim, sizeof dim, "%lld", (long long)s->dim[i]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "x" : "", dim);
    }
    return out;
}

bool text_terminal(FILE *f)
{
    const char *term = getenv("TERM");
    return isatty(fileno(f)) && term && *term && strcmp(term, "dumb") != 0;
}

void text_colour(FILE *f, const char *code)
{
    const char *no = getenv("NO_COLOR");
    if (text_terminal(f) && !(no && *no))
        fprintf(f, "\033[%sm", code);
}

size_t text_columns(FILE *f)
{
    struct winsize w;
    if (ioctl(fileno(f), TIOCGWINSZ, &w) || w.ws_col == 0)
        return COLUMNS;
    return w.ws_col < LEAST_COLUMNS  ? LEAST_COLUMNS
           : w.ws_col > MOST_COLUMNS ? MOST_COLUMNS
                                     : w.ws_col;
}

void text_wrap(FILE *f, const char *s, size_t at, size_t indent, size_t width)
{
    bool first = true;
    while (*s) {
        size_t n = strcspn(s, " ");
        char *word = text_copy(s, n);
        size_t columns = text_width(word);
        if (!first && at + 1 + columns > width) {
            fprintf(f, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putc(' ', f);
            at++;
        }
        text_put(f, word);
        at += columns;
        first = false;
        free(word);
        s += n;
        s += strspn(s, " ");
    }
    putc('\n', f);
}

void *text_alloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p) {
        fputs("inarch: not enough memory\n", stderr);
        exit(1);
    }
    return p;
}

char *text_copy(const char *s, size_t n)
{
    char *copy = text_alloc(NULL, n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}
