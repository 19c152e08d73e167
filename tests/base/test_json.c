/* JSON: what jansson refuses, limits, messages, and text that survives load and save. */
#include "test.h"
#include "base/alloc.h"
#include "base/json.h"
#include "failing_alloc.h"

#include <math.h>

static json_t *parse(const char *text)
{
    inarch_error err;
    json_t *value = NULL;
    assert_ok(ia_json_parse(text, strlen(text), "test", &value, &err), err);
    return value;
}

static void dumps(const json_t *value, int style, bool strict, const char *expected)
{
    inarch_error err;
    char *text = NULL;
    assert_ok(ia_json_dump(value, style, strict, &text, &err), err);
    assert_string_equal(text, expected);
    ia_free(text);
}

static void round_trip(const char *text, const char *expected)
{
    json_t *value = parse(text);
    dumps(value, IA_JSON_PYTHON, false, expected);
    json_decref(value);
}

/* Every text below is what Python's json.dumps(json.loads(text)) gives. */
static void survives_load_and_save(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-1",
        "\"\"",
        "{\"b\": 1, \"a\": [1, 2, {\"c\": null}]}",
        "[0.1, 1.0, 1e-07, 0.0010000000474974513, 1e+16, 1.5e+300, -0.0, 123456789012.5]",
        "[NaN, Infinity, -Infinity]",
        "{\"axis\": [-1], \"epsilon\": 0.001, \"momentum\": 0.99}",
        "[9223372036854775807, -9223372036854775808, 9223372036854775808, -9223372036854775809]",
        "[18446744073709551615, 123456789012345678901234567890]",
        "[\"NaN\", \"a NaN, Infinity\", \"\\\"NaN\", \"\\\\\", \"\\\\\\\"NaN\"]",
        "\"tab\\t line\\n quote\\\" back\\\\ bell\\u0007 \\b\\f\\r / del\\u007f\"",
        "\"caf\\u00e9 \\u20ac \\ud83c\\udf31\"",
        "{\"caf\\u00e9\": 1}",
        "{\"NaN\": NaN, \"Infinity\": [Infinity]}",
        "\"\\ue000NaN\"",
        "\"\\ue000\"",
        "\"\\ue000\\ue000NaN\"",
        "{\"\\ue000NaN\": \"\\ue0001\"}",
        "\"x\\ue000NaN\"",
    };
    for (size_t i = 0; i < IA_COUNT(same); i++)
        round_trip(same[i], same[i]);
    round_trip(" [ 1 ,\n2e0\t, 1E5, 100000000000000000000.0, 5e-324 ] ",
               "[1, 2.0, 100000.0, 1e+20, 5e-324]");
    round_trip("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xb1\\/\"", "\"\\u00e9\\u20ac\\ud83c\\udf31/\"");
    round_trip("\"\xee\x80\x80NaN\"", "\"\\ue000NaN\""); /* a string that looks carried, raw */
    round_trip("\"\\uE000NaN\"", "\"\\ue000NaN\"");
    round_trip("[1e400, -1e400]", "[1e400, -1e400]"); /* beyond double: carried as it stands */
}

static void has_three_styles(void **state)
{
    (void)state;
    json_t *v =
        parse("{\"z\":[1,2.5,[],{}],\"a\":{\"n\":NaN,\"i\":-Infinity,\"big\":18446744073709551615,"
              "\"s\":\"\\u00e9\\u0001\"}}");
    dumps(v, IA_JSON_COMPACT, false,
          "{\"z\":[1,2.5,[],{}],\"a\":{\"n\":NaN,\"i\":-Infinity,\"big\":18446744073709551615,"
          "\"s\":\"\xc3\xa9\\u0001\"}}");
    dumps(v, IA_JSON_COMPACT, true,
          "{\"z\":[1,2.5,[],{}],\"a\":{\"n\":null,\"i\":null,\"big\":18446744073709551615,"
          "\"s\":\"\xc3\xa9\\u0001\"}}");
    dumps(v, IA_JSON_PYTHON, false,
          "{\"z\": [1, 2.5, [], {}], \"a\": {\"n\": NaN, \"i\": -Infinity, \"big\": "
          "18446744073709551615, \"s\": \"\\u00e9\\u0001\"}}");
    dumps(json_object_get(json_object_get(v, "a"), "n"), IA_JSON_INDENT, true, "null");
    dumps(v, IA_JSON_INDENT, false,
          "{\n  \"z\": [\n    1,\n    2.5,\n    [],\n    {}\n  ],\n  \"a\": {\n    \"n\": NaN,\n"
          "    \"i\": -Infinity,\n    \"big\": 18446744073709551615,\n    \"s\": "
          "\"\xc3\xa9\\u0001\"\n"
          "  }\n}");
    json_decref(v);
}

static void carries_numbers(void **state)
{
    (void)state;
    json_t *v =
        parse("{\"nan\":NaN,\"inf\":Infinity,\"minus\":-Infinity,\"big\":18446744073709551615,"
              "\"huge\":-1e400,\"int\":7,\"real\":2.5,\"text\":\"7\",\"null\":null,\"yes\":true,"
              "\"fake\":\"\\ue000NaN\",\"fake2\":\"\\ue0007\",\"arr\":[1]}");
    assert_true(isnan(ia_json_double(v, "nan", 0)));
    assert_true(ia_json_double(v, "inf", 0) == INFINITY);
    assert_true(ia_json_double(v, "minus", 0) == -INFINITY);
    assert_true(ia_json_double(v, "big", 0) == 18446744073709551615.0);
    assert_true(ia_json_double(v, "huge", 0) == -INFINITY);
    assert_true(ia_json_double(v, "int", 0) == 7);
    assert_true(ia_json_double(v, "real", 0) == 2.5);
    static const char *const others[] = {"text", "null", "yes", "fake", "fake2", "arr", "absent"};
    for (size_t i = 0; i < IA_COUNT(others); i++) {
        double out = 3;
        assert_true(ia_json_double(v, others[i], -8) == -8);
        assert_false(ia_json_number(json_object_get(v, others[i]), &out));
        assert_true(out == 3);
    }
    assert_true(ia_json_int(v, "int", 1) == 7);
    assert_true(ia_json_int(v, "real", 1) == 1);
    assert_true(ia_json_int(v, "big", 1) == 1);
    assert_true(ia_json_int(v, "absent", 1) == 1);
    assert_true(ia_json_bool(v, "yes", false));
    assert_true(ia_json_bool(v, "int", true));
    assert_false(ia_json_bool(v, "null", false));
    assert_string_equal(ia_json_string(v, "text", "no"), "7");
    assert_string_equal(ia_json_string(v, "int", "no"), "no");
    assert_null(ia_json_string(v, "absent", NULL));
    assert_string_equal(ia_json_string(NULL, "a", "no"), "no");
    assert_true(ia_json_int(json_object_get(v, "arr"), "a", 4) == 4);
    json_decref(v);
}

static void writes_doubles(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *loose, *strict;
    } cases[] = {
        {NAN, "NaN", "null"},
        {INFINITY, "Infinity", "null"},
        {-INFINITY, "-Infinity", "null"},
        {1, "1.0", "1.0"},
        {-0.0, "-0.0", "-0.0"},
        {1e22, "1e+22", "1e+22"},
        {0.1, "0.1", "0.1"},
        {1e15, "1000000000000000.0", "1000000000000000.0"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        json_t *v = ia_json_from_double(cases[i].v);
        dumps(v, IA_JSON_COMPACT, false, cases[i].loose);
        dumps(v, IA_JSON_COMPACT, true, cases[i].strict);
        double back;
        assert_true(ia_json_number(v, &back));
        assert_true(isnan(cases[i].v) ? isnan(back) : back == cases[i].v);
        json_decref(v);
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "model.json is not valid JSON at line 1, column 1: "},
        {"{\"a\": }",
         "model.json is not valid JSON at line 1, column 7: unexpected token near '}'"},
        {"{\n  \"a\": 1,\n  \"b\": tru\n}",
         "model.json is not valid JSON at line 3, column 10: invalid token near 'tru'"},
        {"[NaN, Infinity,\n NaN, x]",
         "model.json is not valid JSON at line 2, column 7: invalid token near 'x'"},
        {"[NaN, NaNs]",
         "model.json is not valid JSON at line 1, column 10: invalid token near 'NaNs'"},
        {"[NaN NaN]", "model.json is not valid JSON at line 1, column 8: ']' expected near 'NaN'"},
        {"{\"a\": 1, \"a\": 2}",
         "model.json is not valid JSON at line 1, column 12: duplicate object key near '\"a\"'"},
        {"[1] 2",
         "model.json is not valid JSON at line 1, column 5: end of file expected near '2'"},
        {"[\"\xc3\xa9\xc3\xa9\", x]",
         "model.json is not valid JSON at line 1, column 8: invalid token near 'x'"},
        {"[00012345678901234567890]",
         "model.json is not valid JSON at line 1, column 2: invalid token near '0'"},
        {"[+1]", "model.json is not valid JSON at line 1, column 2: invalid token near '+'"},
        {"[.5]", "model.json is not valid JSON at line 1, column 2: invalid token near '.'"},
        {"[-]", NULL},
        {"[-NaN]", NULL},
        {"[1e]", NULL},
        {"[1.]", NULL},
        {"[\"a]", NULL},
        {"[\"a\\", NULL},
        {"\"", NULL},
        {"{a: 1}", NULL},
        {"[1,]", NULL},
        {"{\"a\":1,}", NULL},
        {"[\"\\x\"]", NULL},
        {"[\"\n\"]", NULL},
        {"[\"\\u0000\"]", "model.json is not valid JSON at line 1, column 9: a string with a zero "
                          "character (\\u0000) is not supported"},
        {"[\"\xff\"]",
         "model.json is not valid JSON at line 1, column 2: unable to decode byte 0xff near '\"'"},
    };
    for (size_t i = 0; i < IA_COUNT(cases); i++) {
        inarch_error err;
        json_t *value = NULL;
        assert_int_equal(
            ia_json_parse(cases[i].text, strlen(cases[i].text), "model.json", &value, &err),
            INARCH_BAD_FILE);
        assert_null(value);
        assert_string_equal(err.subject, "model.json");
        size_t n = cases[i].message ? strlen(cases[i].message) : 0;
        if (n && strncmp(err.message, cases[i].message, n))
            fail_msg("%s: got '%s'", cases[i].text, err.message);
    }
    json_t *value = NULL;
    inarch_error err;
    assert_int_equal(ia_json_parse("[1]\0", 4, "x", &value, &err), INARCH_BAD_FILE);
    assert_string_equal(err.message,
                        "x is not valid JSON at line 1, column 4: there is a zero byte");
    assert_int_equal(ia_json_parse("[1\0]", 4, "x", &value, NULL), INARCH_BAD_FILE);
}

/* Text cut anywhere is refused without reading past its end (ASan). */
static void survives_being_cut(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": [NaN, -Infinity, 123456789012345678901, \"\\ue000\", "
                               "\"x\\\"y\"], \"\xee\x80\x80\": 1e-5}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *cut = malloc(n ? n : 1);
        memcpy(cut, text, n);
        json_t *value = NULL;
        inarch_error err;
        assert_int_equal(ia_json_parse(cut, n, "cut", &value, &err), INARCH_BAD_FILE);
        free(cut);
    }
    json_decref(parse(text));
}

static void limits_depth_and_size(void **state)
{
    (void)state;
    inarch_error err;
    char text[2001];
    json_t *value = NULL;
    for (int depth = 199; depth <= 201; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        inarch_status status = ia_json_parse(text, 2 * (size_t)depth, "deep", &value, &err);
        assert_int_equal(status, depth <= 200 ? INARCH_OK : INARCH_LIMIT);
        if (status == INARCH_OK)
            json_decref(value);
    }
    assert_string_equal(err.message, "deep exceeds a limit for JSON at line 1, column 201: "
                                     "brackets are nested more than 200 deep");
    memset(text, '[', 2000);
    assert_int_equal(ia_json_parse(text, 2000, "deep", &value, &err), INARCH_LIMIT);
    memset(text, '[', 300); /* brackets in a string are none */
    text[0] = text[299] = '"';
    assert_ok(ia_json_parse(text, 300, "flat", &value, &err), err);
    json_decref(value);
    enum { MANY = 1100000 };
    char *many = malloc(3 * MANY); /* "[[],[], ... []]" takes jansson many times its length */
    for (size_t i = 0; i < MANY; i++)
        memcpy(many + 3 * i, i ? "[]," : "[  ", 3);
    many[3 * MANY - 1] = ']';
    assert_int_equal(ia_json_parse(many, 3 * MANY, "wide", &value, &err), INARCH_LIMIT);
    assert_non_null(strstr(err.message, "wide exceeds a limit for JSON at line 1, column 31457"));
    assert_non_null(strstr(err.message, ": there are too many values"));
    memcpy(many + 3 * 100000 - 1, "]", 1);
    assert_ok(ia_json_parse(many, 300000, "wide", &value, &err), err);
    assert_int_equal(json_array_size(value), 99999);
    json_decref(value);
    free(many);
    assert_int_equal(ia_json_parse("", (size_t)IA_JSON_MAX_BYTES + 1, "big", &value, &err),
                     INARCH_LIMIT);
    assert_string_equal(err.message,
                        "big has 67108865 bytes of JSON, but at most 67108864 are read");

    json_t *tower = json_array();
    for (int i = 0; i < 1500; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, tower);
        tower = outer;
    }
    char *out = NULL;
    assert_int_equal(ia_json_dump(tower, IA_JSON_COMPACT, false, &out, &err), INARCH_LIMIT);
    assert_string_equal(err.message, "JSON to be written is nested more than 1000 deep");
    assert_null(out);
    json_decref(tower);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\": [NaN, 1.5, \"a longer text to make the buffer grow once more\"]}";
    bool parsed = false;
    for (int n = 0; !parsed; n++) {
        json_t *value = NULL;
        alloc_countdown = n;
        inarch_status status = ia_json_parse(text, sizeof text - 1, "test", &value, NULL);
        parsed = alloc_countdown >= 0;
        alloc_countdown = -1;
        assert_int_equal(status, parsed ? INARCH_OK : INARCH_NO_MEMORY);
        json_decref(value);
    }
    json_t *value = parse(text);
    bool dumped = false;
    for (int n = 0; !dumped; n++) {
        char *out = NULL;
        alloc_countdown = n;
        inarch_status status = ia_json_dump(value, IA_JSON_INDENT, false, &out, NULL);
        dumped = alloc_countdown >= 0;
        alloc_countdown = -1;
        assert_int_equal(status, dumped ? INARCH_OK : INARCH_NO_MEMORY);
        ia_free(out);
    }
    json_decref(value);
    char *out;
    assert_int_equal(ia_json_dump(NULL, IA_JSON_COMPACT, false, &out, NULL), INARCH_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_load_and_save), cmocka_unit_test(has_three_styles),
        cmocka_unit_test(carries_numbers),        cmocka_unit_test(writes_doubles),
        cmocka_unit_test(says_what_is_wrong),     cmocka_unit_test(survives_being_cut),
        cmocka_unit_test(limits_depth_and_size),  cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
