/* For tests: a folder of our own for files, empty at the start and removed at the end. */
#ifndef INARCH_TEST_SCRATCH_H
#define INARCH_TEST_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_folder[256];
static char scratch_names[4][1024];
static unsigned scratch_turn;

static int scratch_setup(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(scratch_folder, sizeof scratch_folder, "%s/inarch-test-XXXXXX",
             base ? base : P_tmpdir);
    return mkdtemp(scratch_folder) ? 0 : -1;
}

/* The path of `name` in the folder; valid until the fourth call from here. */
static const char *scratch(const char *name)
{
    char *out = scratch_names[scratch_turn++ % 4];
    snprintf(out, sizeof scratch_names[0], "%s/%s", scratch_folder, name);
    return out;
}

/* Files in the folder, hidden ones included. */
static inline int scratch_count(void)
{
    int n = 0;
    DIR *d = opendir(scratch_folder);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (d)
        closedir(d);
    return n;
}

static inline int scratch_teardown(void **state)
{
    (void)state;
    DIR *d = opendir(scratch_folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            const char *path = scratch(e->d_name);
            if (unlink(path))
                rmdir(path);
        }
    }
    if (d)
        closedir(d);
    return rmdir(scratch_folder);
}

static inline void scratch_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        abort();
    fwrite(text, 1, strlen(text), f);
    fclose(f);
}

/* The file's text, valid until the next call; "<none>" when it cannot be read. */
static inline const char *scratch_read(const char *path)
{
    static char text[4096];
    FILE *f = fopen(path, "rb");
    if (!f)
        return "<none>";
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

#endif
