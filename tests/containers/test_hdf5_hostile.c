/* Damaged and hostile HDF5 files: real ones cut at every length and with every byte changed, and
 * hand-made ones that loop, alias, wrap or lie about sizes. Each is read or refused with a message.
 */
#include "hostile.h"
#include "test.h"

#include "base/buf.h"
#include "containers/hdf5/hdf5.h"
#include "containers/hdf5/hdf5_write.h"

#include <unistd.h>

#define FOLDER FIXTURES "/containers/hdf5/"
#define OUT "hdf5_hostile_test.h5"

static inarch_status read_all_data(const ia_h5 *h5, const ia_h5_object *o, inarch_error *err)
{
    if (o->kind == IA_H5_DATASET) {
        ia_array a;
        IA_TRY(ia_h5_read(h5, o, &a, err));
        ia_array_release(&a);
    }
    for (size_t i = 0; i < o->child_count; i++)
        IA_TRY(read_all_data(h5, o->children[i], err));
    return INARCH_OK;
}

static inarch_status read_file(const ia_input *in, inarch_error *err)
{
    ia_h5 *h5;
    IA_TRY(ia_h5_open(in, &h5, err));
    inarch_status status = read_all_data(h5, ia_h5_root(h5), err);
    ia_h5_free(h5);
    return status;
}

static const char *const samples[] = {
    FOLDER "umlauts_3.h5", /* 6 kB: header 2 and links in it, under superblock 0 */
    FOLDER "split.h5",     /* 8 kB: old groups, attributes 1 */
    FOLDER "gzip_new.h5",  /* 3 kB: superblock 3, layout 5, fixed array, filters */
    FOLDER "gzip_new_114.h5",
};

static void cut_at_each_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < IA_COUNT(samples); i++)
        each_cut(samples[i], read_file);
}

static void each_byte_changed(void **state)
{
    (void)state;
    each_byte(FOLDER "umlauts_3.h5", SIZE_MAX, read_file);
    each_byte(FOLDER "gzip_new.h5", SIZE_MAX, read_file);
    each_byte(FOLDER "gzip.h5", 2500, read_file); /* chunk B-trees */
    each_byte(FOLDER "text.h5", 2500, read_file); /* heap collections */
}

static void each_allocation_fails(void **state)
{
    (void)state;
    static const char *const names[] = {FOLDER "umlauts_12.h5", FOLDER "attrs_dense.h5",
                                        FOLDER "gzip.h5",       FOLDER "chunks_2100_new.h5",
                                        FOLDER "text.h5",       FOLDER "keras3_bfloat16.h5"};
    for (size_t i = 0; i < IA_COUNT(names); i++)
        each_allocation(names[i], read_file);
}

/* ---- hand-made: a file of our writer, patched ---- */

typedef struct image {
    uint8_t *bytes;
    size_t size;
} image;

static void write_image(ia_h5w *w, image *m)
{
    inarch_error err = {0};
    ia_output *o;
    ia_input in;
    assert_ok(ia_output_open(OUT, &o, &err), err);
    assert_ok(ia_h5w_write(w, o, &err), err);
    assert_ok(ia_output_commit(o, &err), err);
    ia_h5w_free(w);
    assert_ok(ia_input_open(OUT, &in, &err), err);
    assert_ok(ia_input_read_all(&in, SIZE_MAX / 2, &m->bytes, &m->size, &err), err);
    ia_input_close(&in);
    unlink(OUT);
}

/* A group with `links` sub-groups "n000", "n001", ...; a dataset "x" of shape (4, 2); an attribute
 * "text"; one "numbers" of shape (4, 2). */
static image make_image(int links)
{
    inarch_error err = {0};
    ia_h5w *w;
    ia_h5w_object *o;
    ia_array a;
    image m;
    const float values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const ia_shape shape = ia_shape_of(2, (int64_t[]){4, 2});
    assert_ok(ia_h5w_new(&w, &err), err);
    for (int i = 0; i < links; i++) {
        char name[12];
        snprintf(name, sizeof name, "n%03d", i);
        assert_ok(ia_h5w_group(w, ia_h5w_root(w), name, &o, &err), err);
    }
    assert_ok(ia_array_new(IA_F32, &shape, "x", &a, &err), err);
    memcpy(ia_array_mutable(&a), values, sizeof values);
    assert_ok(ia_h5w_dataset(w, ia_h5w_root(w), "x", &a, &o, &err), err);
    ia_array_release(&a);
    assert_ok(ia_h5w_attr_text(w, o, "text", "some text", 9, &err), err);
    assert_ok(ia_h5w_attr_numbers(w, o, "numbers", IA_F32, &shape, values, &err), err);
    write_image(w, &m);
    return m;
}

/* The place of the n-th occurrence (from 0) of some bytes. */
static size_t find_bytes(const image *m, const void *bytes, size_t size, int nth)
{
    for (size_t i = 0; i + size <= m->size; i++)
        if (memcmp(m->bytes + i, bytes, size) == 0 && nth-- == 0)
            return i;
    fail_msg("not found");
    return 0;
}

static size_t find_magic(const image *m, const char *magic, int nth)
{
    return find_bytes(m, magic, strlen(magic), nth);
}

static void put(image *m, size_t at, uint64_t v, size_t width)
{
    assert_true(at + width <= m->size);
    for (size_t i = 0; i < width; i++)
        m->bytes[at + i] = (uint8_t)(v >> (8 * i));
}

/* The image is refused with this status and words in the message. */
static void refused(image *m, inarch_status want, const char *words)
{
    inarch_error err = {0};
    inarch_status status = read_copy(m->bytes, m->size, read_file, &err);
    if (status != want || strstr(err.message, words) == NULL)
        fail_msg("%d '%s' where %d '%s' is due", (int)status, err.message, (int)want, words);
    ia_free(m->bytes);
}

/* Root header at 96: prefix 16, symbol table message 24; then heap, names, tree, leaves. */
#define ROOT 96u

static void trees(void **state)
{
    (void)state;
    image m = make_image(3);
    size_t tree = find_magic(&m, "TREE", 0);
    put(&m, tree + 5, 1, 1);
    put(&m, tree + 32, tree, 8);
    refused(&m, INARCH_BAD_FILE, "'/': damaged: a group B-tree node of level 1 where one less");
    m = make_image(3); /* its own child at a level that would fit: the node is used twice */
    put(&m, tree + 5, 255, 1);
    refused(&m, INARCH_BAD_FILE, "a group B-tree node of level 255 where at most 8 is due");
    m = make_image(300); /* two levels: the first of the leaves named twice */
    tree = find_magic(&m, "TREE", 0);
    size_t root = find_magic(&m, "TREE", 2);
    assert_int_equal(m.bytes[root + 5], 1);
    put(&m, root + 48, tree, 8);
    refused(&m, INARCH_BAD_FILE, "are not in order");
    m = make_image(3);
    tree = find_magic(&m, "TREE", 0);
    put(&m, tree + 6, 33, 2);
    refused(&m, INARCH_BAD_FILE, "a group B-tree node of 33 children; at most 32 fit");
    m = make_image(3);
    put(&m, tree + 32, UINT64_MAX, 8);
    refused(&m, INARCH_BAD_FILE, "the symbol node has no address");
    m = make_image(3);
    put(&m, tree + 32, UINT64_MAX - 7, 8);
    refused(&m, INARCH_BAD_FILE, "ends behind the file's");
    m = make_image(3);
    put(&m, tree, 0x58, 1);
    refused(&m, INARCH_BAD_FILE, "damaged: no group B-tree node at address");
    m = make_image(3);
    put(&m, find_magic(&m, "SNOD", 0) + 6, 9, 2);
    refused(&m, INARCH_BAD_FILE, "a symbol node of 9 entries; at most 8 fit");
}

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *instead, *message;
        inarch_status status;
    } cases[] = {
        {"n000", "the names 'n000' and 'n000' of a group are not in order", INARCH_BAD_FILE},
        {"m000", "the names 'n000' and 'm000' of a group are not in order", INARCH_BAD_FILE},
        {"n/00", "'n/00' cannot be a name in a group", INARCH_BAD_FILE},
        {"..\0", "'..' cannot be a name in a group", INARCH_BAD_FILE},
        {".\0\0", "'.' cannot be a name in a group", INARCH_BAD_FILE},
        {"\0\0\0\0", "a name of 0 bytes; 1 to 1024 are possible", INARCH_BAD_FILE},
        {"n\xff\xff\xff", "a name in the group is not UTF-8", INARCH_BAD_FILE},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        image m = make_image(3);
        memcpy(m.bytes + find_magic(&m, "n001", 0), cases[i].instead, 4);
        refused(&m, cases[i].status, cases[i].message);
    }
    image m = make_image(3);
    put(&m, find_magic(&m, "SNOD", 0) + 8 + 16, 2, 4);
    refused(&m, INARCH_UNSUPPORTED, "'/': 'n000' is a soft link, which is not followed");
    m = make_image(3);
    put(&m, find_magic(&m, "SNOD", 0) + 8, 5000, 8);
    refused(&m, INARCH_BAD_FILE, "a name lies outside the group's heap");
    m = make_image(3);
    put(&m, find_magic(&m, "HEAP", 0) + 8, 30, 8); /* ends inside the last name */
    refused(&m, INARCH_BAD_FILE, "");
    m = make_image(3);
    put(&m, find_magic(&m, "HEAP", 0) + 8, (16u << 20) + 1, 8);
    refused(&m, INARCH_LIMIT, "the names of one group take 16777217 bytes");
}

static void cycles_and_aliases(void **state)
{
    (void)state;
    image m = make_image(3);
    size_t leaf = find_magic(&m, "SNOD", 0);
    put(&m, leaf + 16, ROOT, 8);
    refused(&m, INARCH_BAD_FILE, "'n000' leads back to a group it lies in");
    m = make_image(3);
    memcpy(m.bytes + leaf + 16, m.bytes + leaf + 56, 8);
    refused(&m, INARCH_UNSUPPORTED, "'/n000' and '/n001' are one object with two names");
    m = make_image(3); /* a group whose tree is another's */
    size_t second = find_magic(&m, "TREE", 1), third = find_magic(&m, "TREE", 2);
    size_t message = find_bytes(&m, &(uint64_t){second}, 8, 1);
    put(&m, message, third, 8);
    refused(&m, INARCH_BAD_FILE, "share bytes at address");
}

static void headers(void **state)
{
    (void)state;
    image m = make_image(3);
    put(&m, ROOT + 16, 0x10, 2); /* the symbol table message becomes a continuation: itself */
    put(&m, ROOT + 24, ROOT + 16, 8);
    put(&m, ROOT + 32, 24, 8);
    refused(&m, INARCH_BAD_FILE, "an object header holds more than its 1 messages");
    m = make_image(3); /* with room for more messages the walk ends all the same */
    put(&m, ROOT + 2, 4000, 2);
    put(&m, ROOT + 16, 0x10, 2);
    put(&m, ROOT + 24, ROOT + 16, 8);
    put(&m, ROOT + 32, 24, 8);
    refused(&m, INARCH_LIMIT, "more than 256 continuations of one object header");
    m = make_image(3);
    put(&m, ROOT + 32, 0, 8);
    put(&m, ROOT + 16, 0x10, 2);
    refused(&m, INARCH_BAD_FILE, "an object header continues in nothing");
    m = make_image(3);
    put(&m, ROOT + 2, 2, 2);
    refused(&m, INARCH_BAD_FILE, "an object header of 2 messages holds only 1");
    m = make_image(3);
    put(&m, ROOT + 2, 5000, 2);
    refused(&m, INARCH_LIMIT, "an object header of 5000 messages; at most 4096 are read");
    m = make_image(3);
    put(&m, ROOT + 18, 24, 2);
    refused(&m, INARCH_BAD_FILE, "a message of 24 bytes does not fit its object header");
    m = make_image(3);
    put(&m, ROOT + 16, 0x77, 2);
    refused(&m, INARCH_UNSUPPORTED, "HDF5 message type 0x77 is unknown");
    m = make_image(3);
    put(&m, ROOT + 20, 2, 1);
    refused(&m, INARCH_UNSUPPORTED, "a shared or committed symbol table is not read");
    m = make_image(3);
    put(&m, ROOT + 16, 0x0D, 2);
    refused(&m, INARCH_UNSUPPORTED, "an object that is neither a group nor a dataset");
    m = make_image(3);
    put(&m, ROOT + 8, 0xffffffffu, 4);
    refused(&m, INARCH_BAD_FILE, "ends behind the file's");
}

/* ---- values ---- */

static const uint8_t dims_4_2[16] = {4, 0, 0, 0, 0, 0, 0, 0, 2};

static void products_wrap(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which += 2) { /* dims stand twice in each dataspace */
        image m = make_image(0);
        size_t at = find_bytes(&m, dims_4_2, 16, which);
        put(&m, at, (uint64_t)1 << 62, 8);
        put(&m, at + 8, 4, 8);
        refused(&m, INARCH_BAD_FILE, "the product of its dimensions does not fit 64 bits");
        m = make_image(0);
        put(&m, at, (uint64_t)1 << 62, 8);
        put(&m, at + 8, 2, 8);
        refused(&m, INARCH_BAD_FILE,
                which == 0 ? "the size of the data does not fit 64 bits"
                           : "elements of 4 bytes do not fit its");
        m = make_image(0);
        put(&m, at, UINT64_MAX, 8);
        refused(&m, INARCH_BAD_FILE, "a dimension of 18446744073709551615");
        m = make_image(0);
        put(&m, at, 5, 8);
        refused(&m, INARCH_BAD_FILE,
                which == 0 ? "40 bytes of elements in a place of 32"
                           : "10 elements of 4 bytes do not fit its 32 bytes");
        m = make_image(0);
        put(&m, at - 7, 9, 1);
        refused(&m, INARCH_LIMIT, "an array of 9 dimensions; at most 8 are read");
    }
}

static void strings(void **state)
{
    (void)state;
    image m = make_image(0);
    size_t heap = find_magic(&m, "GCOL", 0);
    size_t reference = find_bytes(&m, &(uint64_t){heap}, 8, 0) - 4;
    put(&m, heap + 24, UINT64_MAX - 7, 8);
    refused(&m, INARCH_BAD_FILE, "ends behind it");
    m = make_image(0);
    put(&m, heap + 24, 5000, 8);
    refused(&m, INARCH_BAD_FILE,
            "'/x': attribute 'text': damaged: object 1 of the heap collection");
    m = make_image(0);
    put(&m, reference, 10, 4);
    refused(&m, INARCH_BAD_FILE, "a string of 10 bytes in a heap object of 9");
    m = make_image(0);
    put(&m, reference, 0xffffffffu, 4);
    refused(&m, INARCH_LIMIT, "a string of 4294967295 bytes");
    m = make_image(0);
    put(&m, reference + 12, 2, 4);
    refused(&m, INARCH_BAD_FILE, "has no object 2");
    m = make_image(0);
    put(&m, heap + 8, 64, 8);
    refused(&m, INARCH_BAD_FILE, "a heap collection of 64 bytes");
    m = make_image(0);
    put(&m, heap + 8, UINT64_MAX, 8);
    refused(&m, INARCH_BAD_FILE, "ends behind the file's");
    m = make_image(0); /* the free rest becomes a second object 1 */
    put(&m, heap + 16 + 16 + 16, 1, 2);
    put(&m, heap + 16 + 16 + 16 + 8, 16, 8);
    refused(&m, INARCH_BAD_FILE, "object 1 is twice in the heap collection");
}

static void attributes(void **state)
{
    (void)state;
    image m = make_image(0);
    size_t name = find_magic(&m, "numbers", 0);
    put(&m, name + 2, 0, 1);
    refused(&m, INARCH_BAD_FILE,
            "an attribute name of 8 bytes that is not UTF-8 text with one zero");
    m = make_image(0);
    put(&m, name + 7, 'x', 1);
    refused(&m, INARCH_BAD_FILE,
            "an attribute name of 8 bytes that is not UTF-8 text with one zero");
    m = make_image(0);
    put(&m, name - 6, 0xffff, 2);
    refused(&m, INARCH_BAD_FILE, "an attribute does not fit its message");
    m = make_image(0);
    put(&m, name - 8, 2, 1);
    refused(&m, INARCH_UNSUPPORTED, "attribute message version 2 is not read");
    m = make_image(0);
    memcpy(m.bytes + name, "text\0\0\0", 8);
    put(&m, name - 6, 5, 2);
    refused(&m, INARCH_BAD_FILE, "attribute 'text' is there twice");
}

/* 300 datasets of 4 kB that all name one block, in a file that is cut behind it. */
static void amplified_data(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_h5w *w;
    ia_array a;
    image m;
    const ia_shape shape = ia_shape_1(100000);
    assert_ok(ia_h5w_new(&w, &err), err);
    assert_ok(ia_array_new(IA_F32, &shape, "x", &a, &err), err);
    for (int i = 0; i < 300; i++) {
        char name[12];
        snprintf(name, sizeof name, "d%03d", i);
        assert_ok(ia_h5w_dataset(w, ia_h5w_root(w), name, &a, NULL, &err), err);
    }
    ia_array_release(&a);
    write_image(w, &m);
    const size_t block = 400000;
    uint64_t first = m.size - 300 * block;
    for (int i = 0; i < 300; i++) {
        uint64_t layout[2] = {first + (uint64_t)i * block, block};
        put(&m, find_bytes(&m, layout, 16, 0), first, 8);
    }
    m.size = first + block;
    put(&m, 40, m.size, 8);
    refused(&m, INARCH_BAD_FILE, "names, strings and data add up to more than the file's");
    m = make_image(0); /* a second dataset on the first one's bytes, within the file's size */
    assert_ok(ia_h5w_new(&w, &err), err);
    assert_ok(ia_array_new(IA_F32, &shape, "x", &a, &err), err);
    assert_ok(ia_h5w_dataset(w, ia_h5w_root(w), "a", &a, NULL, &err), err);
    assert_ok(ia_h5w_dataset(w, ia_h5w_root(w), "b", &a, NULL, &err), err);
    ia_array_release(&a);
    ia_free(m.bytes);
    write_image(w, &m);
    uint64_t layout[2] = {m.size - block, block};
    put(&m, find_bytes(&m, layout, 16, 0), m.size - 2 * block, 8);
    refused(&m, INARCH_BAD_FILE, "the data of '/a' and the data of '/b' share bytes at address");
}

/* 900 attributes whose strings are one heap object. */
static void amplified_strings(void **state)
{
    (void)state;
    inarch_error err = {0};
    ia_h5w *w;
    image m;
    static char text[4000];
    memset(text, 't', sizeof text);
    assert_ok(ia_h5w_new(&w, &err), err);
    for (int i = 0; i < 900; i++) {
        char name[12];
        snprintf(name, sizeof name, "a%03d", i);
        assert_ok(ia_h5w_attr_text(w, ia_h5w_root(w), name, text, i == 0 ? sizeof text : 1, &err),
                  err);
    }
    write_image(w, &m);
    uint8_t reference[16];
    memcpy(reference, m.bytes + find_magic(&m, "a000", 0) + 8 + 24 + 8, 16);
    for (int i = 1; i < 900; i++) {
        char name[12];
        snprintf(name, sizeof name, "a%03d", i);
        memcpy(m.bytes + find_magic(&m, name, 0) + 8 + 24 + 8, reference, 16);
    }
    refused(&m, INARCH_BAD_FILE, "names, strings and data add up to more than the file's");
}

static void chunk_trees(void **state)
{
    (void)state;
    static const struct {
        size_t at, width;
        uint64_t value; /* SELF: the node's own address */
        const char *message;
    } cases[] = {
#define SELF 0x5e1f5e1f
        {5, 1, 1, "no chunk B-tree node at address"},
        {5, 1, 255, "a chunk B-tree node of level 255"},
        {6, 2, 65, "a chunk B-tree node of 65 children; at most 64 fit"},
        {24, 4, 0, "stored in 0"},
        {28, 4, 16, "a chunk skips filter mask 0x10 of 3 filters"},
        {28, 4, 7, "a chunk of 1024 bytes stored in"},
        {32, 8, 1, "a chunk starts at 1 of dimension 0"},
        {32, 8, 48, "a chunk starts at 48 of dimension 0"},
        {32, 8, 16, "a chunk is there twice"},
        {48, 8, 1, "a chunk starts inside an element"},
        {56, 8, UINT64_MAX, "a chunk has no address"},
        {56, 8, 96, "share bytes at address 96"},
        {24, 4, 1u << 30, "ends behind the file's"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        image m;
        load(FOLDER "gzip.h5", &m.bytes, &m.size);
        size_t tree = find_bytes(&m, "TREE\1", 5, 0);
        put(&m, tree + cases[i].at, cases[i].value, cases[i].width);
        refused(&m, INARCH_BAD_FILE, cases[i].message);
    }
    image m; /* its own child, one level down */
    load(FOLDER "gzip.h5", &m.bytes, &m.size);
    size_t tree = find_bytes(&m, "TREE\1", 5, 0);
    put(&m, tree + 5, 1, 1);
    put(&m, tree + 56, tree, 8);
    refused(&m, INARCH_BAD_FILE, "a chunk B-tree node of level 1 where one less than its parent's");
    load(FOLDER "gzip.h5", &m.bytes, &m.size); /* a wrong byte in compressed data */
    uint64_t data;
    memcpy(&data, m.bytes + tree + 56, 8);
    m.bytes[data + 20] ^= 1;
    refused(&m, INARCH_BAD_FILE, "the checksum of a chunk does not match");
}

/* A dataset of a few bytes that claims 16 TiB of fill values. */
static void bombs(void **state)
{
    (void)state;
    image m = make_image(0);
    size_t dims = find_bytes(&m, dims_4_2, 16, 0);
    uint64_t layout[2];
    layout[1] = 32;
    layout[0] = m.size - 32;
    size_t at = find_bytes(&m, layout, 16, 0);
    put(&m, at, UINT64_MAX, 8);
    put(&m, at + 8, (uint64_t)1 << 44, 8);
    put(&m, dims, (uint64_t)1 << 41, 8);
    refused(&m, INARCH_LIMIT, "fill values and compressed data of a file of");
}

static void superblocks(void **state)
{
    (void)state;
    static const struct {
        size_t at, width;
        uint64_t value;
        inarch_status status;
        const char *message;
    } cases[] = {
        {0, 1, 'x', INARCH_BAD_FILE, "this is not an HDF5 file"},
        {8, 1, 1, INARCH_UNSUPPORTED, "HDF5 superblock version 1 is not read, only 0, 2 and 3"},
        {13, 1, 4, INARCH_UNSUPPORTED, "HDF5 with addresses of 4 and lengths of 8 bytes"},
        {16, 2, 0, INARCH_BAD_FILE, "the superblock gives group nodes no entries"},
        {18, 2, 65535, INARCH_BAD_FILE, "ends behind the file's"},
        {20, 4, 1, INARCH_BAD_FILE, "the file was not closed by the program that wrote it"},
        {24, 8, 512, INARCH_BAD_FILE, "the superblock says it stands at 512, but it is at 0"},
        {40, 8, 1 << 20, INARCH_BAD_FILE, "the file is cut:"},
        {40, 8, 0, INARCH_BAD_FILE, "the file was never finished"},
        {48, 8, 800, INARCH_UNSUPPORTED, "HDF5 split over several files"},
        {64, 8, UINT64_MAX, INARCH_BAD_FILE, "the object header has no address"},
        {72, 4, 2, INARCH_BAD_FILE, "the root of the file is not a group"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        image m = make_image(3);
        put(&m, cases[i].at, cases[i].value, cases[i].width);
        refused(&m, cases[i].status, cases[i].message);
    }
    image m = make_image(3); /* copied before the first flush */
    memset(m.bytes + 96, 0, m.size - 96);
    refused(&m, INARCH_BAD_FILE, "the file was never finished: only zeros at address 96");
    m = make_image(3);
    m.size = 0;
    refused(&m, INARCH_BAD_FILE, "the file is empty");
    m = make_image(3);
    m.size = 50;
    refused(&m, INARCH_BAD_FILE, "the file is cut: only 50 bytes are there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_at_each_length),
        cmocka_unit_test(each_byte_changed),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(trees),
        cmocka_unit_test(names),
        cmocka_unit_test(cycles_and_aliases),
        cmocka_unit_test(headers),
        cmocka_unit_test(products_wrap),
        cmocka_unit_test(strings),
        cmocka_unit_test(attributes),
        cmocka_unit_test(amplified_data),
        cmocka_unit_test(amplified_strings),
        cmocka_unit_test(chunk_trees),
        cmocka_unit_test(bombs),
        cmocka_unit_test(superblocks),
    };
    return cmocka_run_group_tests_name("containers_hdf5_hostile", tests, NULL, NULL);
}
