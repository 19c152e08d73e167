/* First bytes of the formats that are known by name only, each from its own specification. */
#include "formats/magic.h"

#include "base/cursor.h"

#include <string.h>

#define LOOK 512 /* bytes that decide */

static size_t magic_head(const ia_input *in, uint8_t head[LOOK])
{
    size_t n = in->size < LOOK ? (size_t)in->size : LOOK;
    return ia_input_read(in, 0, n, head, NULL) == INARCH_OK ? n : 0;
}

static bool magic_is(const ia_input *in, size_t at, const char *magic, size_t n)
{
    uint8_t head[LOOK];
    size_t have = magic_head(in, head);
    return have >= at + n && memcmp(head + at, magic, n) == 0;
}

/* The name of a ZIP's first member ends in `end`. */
static bool magic_first_member(const ia_input *in, const char *end)
{
    uint8_t head[LOOK];
    size_t have = magic_head(in, head), len = strlen(end);
    if (have < 30 || memcmp(head, "PK\3\4", 4) != 0)
        return false;
    size_t n = head[26] + 256u * head[27];
    return n >= len && have >= 30 + n && memcmp(head + 30 + n - len, end, len) == 0;
}

bool ia_magic_keras(const ia_input *in)
{
    return magic_first_member(in, "metadata.json") || magic_first_member(in, "config.json") ||
           magic_first_member(in, "model.weights.h5");
}

bool ia_magic_torch(const ia_input *in)
{
    /* torch.save before 1.6: a pickle of protocol 2 that begins with 0x1950a86a20f9469cfc6c */
    static const char older[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    return magic_first_member(in, "data.pkl") || magic_is(in, 0, older, sizeof older - 1);
}

bool ia_magic_npz(const ia_input *in)
{
    return magic_first_member(in, ".npy");
}

/* The length of a JSON header, and the header. */
bool ia_magic_safetensors(const ia_input *in)
{
    uint8_t head[LOOK];
    size_t have = magic_head(in, head);
    ia_cursor c = ia_cursor_of(head, have);
    uint64_t length = ia_u64(&c);
    return !c.bad && length >= 2 && length <= in->size - 8 && have > 9 && head[8] == '{' &&
           (head[9] == '"' || head[9] == '}');
}

bool ia_magic_tflite(const ia_input *in)
{
    return magic_is(in, 4, "TFL3", 4);
}

bool ia_magic_lfs(const ia_input *in)
{
    return magic_is(in, 0, "version https://git-lfs", 23);
}

/* A protobuf message that begins with field 1, a small number, and goes on with one of ONNX's. */
bool ia_magic_onnx(const ia_input *in)
{
    static const uint8_t next[] = {0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42};
    uint8_t head[LOOK];
    size_t have = magic_head(in, head);
    if (ia_magic_savedmodel(in))
        return false;
    return have > 8 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
           memchr(next, head[2], sizeof next) != NULL;
}

/* schema version 1, then meta graphs: a length, and in it MetaInfoDef as field 1. ONNX of version 1
 * has a short name of its producer there. */
bool ia_magic_savedmodel(const ia_input *in)
{
    uint8_t head[LOOK];
    size_t have = magic_head(in, head);
    if (have < 16 || head[0] != 0x08 || head[1] != 0x01 || head[2] != 0x12)
        return false;
    size_t at = 3;
    while (at < 8 && (head[at] & 0x80))
        at++;
    return at > 3 && head[at + 1] == 0x0a;
}
