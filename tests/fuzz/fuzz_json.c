//  fuzz_json - any bytes as JSON: our two readers of it and jansson agree on what is JSON and on what it says
//
//  They may differ where their limits do: jansson takes no lone surrogates and no numbers beyond a double or an int64_t,
//  nests deeper, and ends at a zero byte.

#include "fuzz.h"
#include "snowplow/json_text.h"
#include "snowplow/utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool
is_limit (const char *fault)
{
    return strstr (fault, "deep") != NULL;
}

//  json_scan: steps over the document, and into its strings and numbers.
static bool
scan (const char *data, size_t size, const char **fault)
{
    json_scan_t self;
    json_value_t value;
    json_scan_open (&self, data, size);
    bool good = json_scan_value (&self, &value) && json_scan_done (&self);
    *fault = self.fault;
    return good;
}

//  A string or number as our reader has it is what jansson has.
static void
compare_scalar (const json_value_t *value, const json_t *tree)
{
    if (value->type == '"') {
        char *plain = malloc (value->size + 1);
        size_t size = json_value_unescape (value, plain);
        FUZZ_CHECK (json_is_string (tree));
        //  We make U+FFFD of U+0000.
        if (!memchr (json_string_value (tree), 0, json_string_length (tree)))
            FUZZ_CHECK (size == json_string_length (tree) &&
                        memcmp (plain, json_string_value (tree), size) == 0);
        free (plain);
    }
    if (value->type == '0' && value->size < 64)
        FUZZ_CHECK (json_value_number (value) == json_number_value (tree));
    FUZZ_CHECK ((value->type == 't') == json_is_true (tree));
    FUZZ_CHECK ((value->type == 'f') == json_is_false (tree));
    FUZZ_CHECK ((value->type == 'n') == json_is_null (tree));
}

static void compare (json_scan_t *self, const json_t *tree);

//  jansson keeps the last of equal keys, so where there are some the values are only stepped over.
static void
compare_object (json_scan_t *self, const json_t *tree)
{
    json_value_t key, value;
    json_scan_t ahead = *self;
    size_t members = 0;
    for (json_scan_enter (&ahead); json_scan_member (&ahead, &key); members++)
        json_scan_value (&ahead, &value);
    FUZZ_CHECK (members >= json_object_size (tree));
    if (members > json_object_size (tree)) {
        *self = ahead;
        return;
    }
    void *member = json_object_iter ((json_t *)tree);
    for (json_scan_enter (self); json_scan_member (self, &key);
         member = json_object_iter_next ((json_t *)tree, member))
        compare (self, json_object_iter_value (member));
}

static void
compare (json_scan_t *self, const json_t *tree)
{
    json_value_t value;
    char type = json_scan_type (self);
    size_t item = 0;
    FUZZ_CHECK (tree != NULL);
    FUZZ_CHECK ((type == '{') == json_is_object (tree) && (type == '[') == json_is_array (tree));
    if (type == '{')
        compare_object (self, tree);
    else if (type == '[')
        for (json_scan_enter (self); json_scan_item (self); item++)
            compare (self, json_array_get (tree, item));
    else {
        FUZZ_CHECK (json_scan_value (self, &value));
        compare_scalar (&value, tree);
    }
}

//  The normal form says the same, is its own normal form, and is JSON for the other reader.
static void
check_normal (const tracker_text_t *normal, const json_t *tree)
{
    tracker_text_t again = { 0 };
    json_text_fault_t wrong;
    const char *fault;
    FUZZ_CHECK (json_text_compact (tracker_text_span (normal), &again, &wrong) == 0);
    FUZZ_CHECK (again.size == normal->size && memcmp (again.data, normal->data, again.size) == 0);
    FUZZ_CHECK (scan (normal->data, normal->size, &fault) || is_limit (fault));
    tracker_text_free (&again);
    if (!tree)
        return;
    json_t *same = json_loadb (normal->data, normal->size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK (same && json_equal (same, tree));
    json_decref (same);
}

static void
check_all (const char *data, size_t size, const json_t *tree)
{
    tracker_text_t normal = { 0 };
    json_text_fault_t wrong = { .what = "" };
    const char *fault;
    bool scans = scan (data, size, &fault);
    bool compacts = json_text_compact ((span_t){ data, size }, &normal, &wrong) == 0;
    if (tree)
        FUZZ_CHECK ((scans || is_limit (fault)) && (compacts || is_limit (wrong.what)));
    //  json_scan leaves it to its callers to look at the bytes of strings.
    if (utf8_is_valid (data, size) && scans != compacts)
        FUZZ_CHECK (is_limit (scans ? wrong.what : fault));
    if (compacts)
        check_normal (&normal, tree);
    tracker_text_free (&normal);
    if (!tree || !scans)
        return;
    json_scan_t self;
    json_scan_open (&self, data, size);
    compare (&self, tree);
    FUZZ_CHECK (json_scan_done (&self));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    bool zero = size && memchr (data, 0, size);
    json_t *tree =
        zero ? NULL : json_loadb ((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    check_all ((const char *)data, size, tree);
    json_decref (tree);
    return 0;
}
