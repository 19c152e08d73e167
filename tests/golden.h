/* ../shared/golden for tests: its index, and skipping where it is not there. */
#ifndef INARCH_TEST_GOLDEN_H
#define INARCH_TEST_GOLDEN_H

#include "npz.h"

#include "base/alloc.h"
#include "base/json.h"

#define GOLDEN SHARED_DIR "/golden"

static IA_UNUSED json_t *golden_json(void)
{
    inarch_error err;
    ia_input in;
    uint8_t *text;
    size_t n;
    json_t *root;
    if (ia_input_open(GOLDEN "/golden.json", &in, NULL) != INARCH_OK) {
        print_message("no ../shared/golden: skipped\n");
        skip();
    }
    assert_ok(ia_input_read_all(&in, 64 << 20, &text, &n, &err), err);
    assert_ok(ia_json_parse((const char *)text, n, "golden.json", &root, &err), err);
    ia_input_close(&in);
    ia_free(text);
    return root;
}

static IA_UNUSED int ends_in(const char *path, const char *extension)
{
    size_t n = strlen(path), k = strlen(extension);
    return n > k && strcmp(path + n - k, extension) == 0;
}

#endif
