//  tracker_fields - the parameters of the tracker protocol: which exist, and how each becomes a column

#include "snowplow/tracker_fields.h"
#include "snowplow/json_text.h"
#include "snowplow/media_schemas.h"
#include "snowplow/tracker_decimal.h"
#include "snowplow/tracker_time.h"

#include <stdio.h>
#include <string.h>

//  How a value is read.
typedef enum {
    IGNORED,     //  allowed, but of no column
    JSON,        //  read by tracker_entities
    TEXT,        //  cleaned
    LOWER_ID,    //  a UUID, lower-cased
    TIME,        //  ms since 1970
    INT,         //  int32
    FLAG,        //  0 or 1
    SIZE,        //  WxH, into this column and the next one
    DECIMAL,     //  a decimal number of any size
    CODE,        //  the event's kind
    PLATFORM,    //  one of a list
    ADDRESS,     //  text before the first comma or blank
    RULE_COUNT
} rule_t;

//  `since`: the addition of payload_data that brought it; QUERY_ONLY: never allowed in a POST.
#define QUERY_ONLY 99
#define NONE TRACKER_COLUMN_COUNT

typedef struct {
    const char *name;
    int since;
    rule_t rule;
    tracker_column_t column;
} param_t;

// clang-format off
static const param_t params[] = {
    {"e",        0,          CODE,     COL_event                   },
    { "eid",     0,          LOWER_ID, COL_event_id                },
    { "aid",     0,          TEXT,     COL_app_id                  },
    { "p",       0,          PLATFORM, COL_platform                },
    { "tv",      0,          TEXT,     COL_v_tracker               },
    { "tna",     0,          TEXT,     COL_name_tracker            },
    { "cv",      QUERY_ONLY, TEXT,     COL_v_collector             },
    { "tid",     0,          INT,      COL_txn_id                  },
    { "dtm",     0,          TIME,     COL_dvce_created_tstamp     },
    { "stm",     3,          TIME,     COL_dvce_sent_tstamp        },
    { "ttm",     4,          TIME,     COL_true_tstamp             },
    { "tz",      0,          TEXT,     COL_os_timezone             },
    { "uid",     0,          TEXT,     COL_user_id                 },
    { "duid",    0,          TEXT,     COL_domain_userid           },
    { "nuid",    0,          TEXT,     COL_network_userid          },
    { "tnuid",   2,          TEXT,     COL_network_userid          },
    { "vid",     0,          INT,      COL_domain_sessionidx       },
    { "sid",     3,          LOWER_ID, COL_domain_sessionid        },
    { "fp",      0,          TEXT,     COL_user_fingerprint        },
    { "ip",      0,          ADDRESS,  COL_user_ipaddress          },
    { "ua",      1,          TEXT,     COL_useragent               },
    { "url",     0,          TEXT,     COL_page_url                },
    { "page",    0,          TEXT,     COL_page_title              },
    { "refr",    0,          TEXT,     COL_page_referrer           },
    { "cs",      0,          TEXT,     COL_doc_charset             },
    { "lang",    0,          TEXT,     COL_br_lang                 },
    { "cd",      0,          TEXT,     COL_br_colordepth           },
    { "cookie",  0,          FLAG,     COL_br_cookies              },
    { "f_pdf",   0,          FLAG,     COL_br_features_pdf         },
    { "f_fla",   0,          FLAG,     COL_br_features_flash       },
    { "f_java",  0,          FLAG,     COL_br_features_java        },
    { "f_dir",   0,          FLAG,     COL_br_features_director    },
    { "f_qt",    0,          FLAG,     COL_br_features_quicktime   },
    { "f_realp", 0,          FLAG,     COL_br_features_realplayer  },
    { "f_wma",   0,          FLAG,     COL_br_features_windowsmedia},
    { "f_gears", 0,          FLAG,     COL_br_features_gears       },
    { "f_ag",    0,          FLAG,     COL_br_features_silverlight },
    { "res",     0,          SIZE,     COL_dvce_screenwidth        },
    { "vp",      0,          SIZE,     COL_br_viewwidth            },
    { "ds",      0,          SIZE,     COL_doc_width               },
    { "pp_mix",  0,          INT,      COL_pp_xoffset_min          },
    { "pp_max",  0,          INT,      COL_pp_xoffset_max          },
    { "pp_miy",  0,          INT,      COL_pp_yoffset_min          },
    { "pp_may",  0,          INT,      COL_pp_yoffset_max          },
    { "se_ca",   0,          TEXT,     COL_se_category             },
    { "se_ac",   0,          TEXT,     COL_se_action               },
    { "se_la",   0,          TEXT,     COL_se_label                },
    { "se_pr",   0,          TEXT,     COL_se_property             },
    { "se_va",   0,          DECIMAL,  COL_se_value                },
    { "tr_id",   0,          TEXT,     COL_tr_orderid              },
    { "tr_af",   0,          TEXT,     COL_tr_affiliation          },
    { "tr_tt",   0,          DECIMAL,  COL_tr_total                },
    { "tr_tx",   0,          DECIMAL,  COL_tr_tax                  },
    { "tr_sh",   0,          DECIMAL,  COL_tr_shipping             },
    { "tr_ci",   0,          TEXT,     COL_tr_city                 },
    { "tr_st",   0,          TEXT,     COL_tr_state                },
    { "tr_co",   0,          TEXT,     COL_tr_country              },
    { "tr_cu",   0,          TEXT,     COL_tr_currency             },
    { "ti_id",   0,          TEXT,     COL_ti_orderid              },
    { "ti_sk",   0,          TEXT,     COL_ti_sku                  },
    { "ti_na",   0,          TEXT,     COL_ti_name                 },
    { "ti_nm",   0,          TEXT,     COL_ti_name                 },
    { "ti_ca",   0,          TEXT,     COL_ti_category             },
    { "ti_pr",   0,          DECIMAL,  COL_ti_price                },
    { "ti_qu",   0,          INT,      COL_ti_quantity             },
    { "ti_cu",   0,          TEXT,     COL_ti_currency             },
    { "co",      0,          JSON,     NONE                        },
    { "cx",      0,          JSON,     NONE                        },
    { "ue_pr",   0,          JSON,     NONE                        },
    { "ue_px",   0,          JSON,     NONE                        },
    { "ue_na",   0,          IGNORED,  NONE                        },
    { "ctype",   0,          IGNORED,  NONE                        },
    { "mac",     0,          IGNORED,  NONE                        },
    { "ad_ba",   0,          IGNORED,  NONE                        },
    { "ad_ca",   0,          IGNORED,  NONE                        },
    { "ad_ad",   0,          IGNORED,  NONE                        },
    { "ad_uid",  0,          IGNORED,  NONE                        },
    { "sa",      0,          IGNORED,  NONE                        },
    { "sn",      0,          IGNORED,  NONE                        },
    { "st",      0,          IGNORED,  NONE                        },
    { "sp",      0,          IGNORED,  NONE                        },
};
// clang-format on

#define PARAM_COUNT (sizeof params / sizeof params [0])
_Static_assert(PARAM_COUNT <= TRACKER_PARAMS_MAX, "a tracker_params_t holds every parameter");

//  What `e` stands for.
static const struct {
    const char *code, *event;
} event_codes [] = {
    { "se", "struct" },    { "ev", "struct" },      { "ue", "unstruct" },         { "pv", "page_view" },
    { "pp", "page_ping" }, { "tr", "transaction" }, { "ti", "transaction_item" }, { "ad", "ad_impression" },
};

//  headset came with Enrich 4.0.0.
static const char *const platforms [] = { "web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset" };

//  ---- Parameters

void
tracker_params_reset (tracker_params_t *self)
{
    tracker_text_reset (&self->store);
    memset (self->values, 0, sizeof self->values);
}

void
tracker_params_free (tracker_params_t *self)
{
    tracker_text_free (&self->store);
}

int
tracker_param_find (span_t name)
{
    for (size_t index = 0; index < PARAM_COUNT; index++)
        if (span_is (name, params [index].name))
            return (int)index;
    return -1;
}

bool
tracker_param_allowed (int param, int addition)
{
    return params [param].since <= addition;
}

tracker_text_t *
tracker_params_begin (tracker_params_t *self, int param)
{
    self->values [param].present = true;
    self->values [param].at = self->store.size;
    return &self->store;
}

void
tracker_params_end (tracker_params_t *self, int param)
{
    self->values [param].size = self->store.size - self->values [param].at;
}

static span_t
params_value (const tracker_params_t *self, size_t param)
{
    if (self->values [param].size == 0)
        return (span_t){ "", 0 };
    return (span_t){ self->store.data + self->values [param].at, self->values [param].size };
}

bool
tracker_params_get (const tracker_params_t *self, const char *name, span_t *value)
{
    int param = tracker_param_find (span_of (name));
    if (param < 0 || !self->values [param].present)
        return false;
    *value = params_value (self, (size_t)param);
    return true;
}

void
tracker_params_override (tracker_params_t *self, const tracker_params_t *over)
{
    for (size_t param = 0; param < PARAM_COUNT; param++) {
        if (!over->values [param].present)
            continue;
        span_t value = params_value (over, param);
        tracker_text_put (tracker_params_begin (self, (int)param), value.data, value.size);
        tracker_params_end (self, (int)param);
    }
}

void
tracker_params_print (const tracker_params_t *self, tracker_text_t *out)
{
    char before = '{';
    for (size_t param = 0; param < PARAM_COUNT; param++) {
        if (!self->values [param].present)
            continue;
        tracker_text_putc (out, before);
        json_text_encode (span_of (params [param].name), out);
        tracker_text_putc (out, ':');
        json_text_encode (params_value (self, param), out);
        before = ',';
    }
    if (before == '{')
        tracker_text_putc (out, before);
    tracker_text_putc (out, '}');
}

//  ---- Rules: each takes a value and fills a column; returns what is wrong, or NULL

static const char *
read_text (tracker_row_t *row, tracker_column_t column, span_t value)
{
    tracker_row_set_clean (row, column, value);
    return NULL;
}

static const char *
read_id (tracker_row_t *row, tracker_column_t column, span_t value)
{
    if (!uuid_is_valid (value))
        return "not a UUID";
    tracker_text_t *out = tracker_row_begin (row, column);
    for (size_t index = 0; index < value.size; index++) {
        char byte = value.data [index];
        tracker_text_putc (out, (char)(byte >= 'A' && byte <= 'F' ? byte | 0x20 : byte));
    }
    tracker_row_end (row, column);
    return NULL;
}

static const char *
read_time (tracker_row_t *row, tracker_column_t column, span_t value)
{
    int64_t time_ms;
    if (tracker_time_parse (value, &time_ms) != 0)
        return "not a time in milliseconds of the years 0 to 9999";
    tracker_time_print (time_ms, tracker_row_begin (row, column));
    tracker_row_end (row, column);
    return NULL;
}

//  A run of digits that is an int32; -1 if it is none.
static int64_t
parse_digits (const char *at, const char *end, int64_t max)
{
    int64_t value = 0;
    if (at == end)
        return -1;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        value = value * 10 + (*at - '0');
        if (value > max)
            return -1;
    }
    return value;
}

static void
set_int (tracker_row_t *row, tracker_column_t column, int64_t value)
{
    tracker_text_printf (tracker_row_begin (row, column), "%lld", (long long)value);
    tracker_row_end (row, column);
}

//  Enrich writes an empty column for the text null.
static bool
read_null (tracker_row_t *row, tracker_column_t column, span_t value)
{
    if (!span_is (value, "null"))
        return false;
    tracker_row_set (row, column, (span_t){ "", 0 });
    return true;
}

static const char *
read_int (tracker_row_t *row, tracker_column_t column, span_t value)
{
    if (read_null (row, column, value))
        return NULL;
    const char *end = value.data + value.size;
    bool sign = value.size && (*value.data == '-' || *value.data == '+');
    bool negative = sign && *value.data == '-';
    int64_t digits = parse_digits (value.data + sign, end, negative ? 2147483648LL : 2147483647LL);
    if (digits < 0)
        return "not a 32-bit integer";
    set_int (row, column, negative ? -digits : digits);
    return NULL;
}

static const char *
read_flag (tracker_row_t *row, tracker_column_t column, span_t value)
{
    if (!span_is (value, "0") && !span_is (value, "1"))
        return "neither 0 nor 1";
    tracker_row_set (row, column, value);
    return NULL;
}

static const char *
read_size (tracker_row_t *row, tracker_column_t column, span_t value)
{
    const char *cross = value.size ? memchr (value.data, 'x', value.size) : NULL;
    if (!cross)
        return "not WIDTHxHEIGHT";
    int64_t width = parse_digits (value.data, cross, INT32_MAX);
    int64_t height = parse_digits (cross + 1, value.data + value.size, INT32_MAX);
    if (width < 0 || height < 0)
        return "not WIDTHxHEIGHT";
    set_int (row, column, width);
    set_int (row, column + 1, height);
    return NULL;
}

static const char *
read_decimal (tracker_row_t *row, tracker_column_t column, span_t value)
{
    if (read_null (row, column, value))
        return NULL;
    if (tracker_decimal_put (value, tracker_row_begin (row, column)) != 0)
        return "not a decimal number";
    tracker_row_end (row, column);
    return NULL;
}

static const char *
read_code (tracker_row_t *row, tracker_column_t column, span_t value)
{
    for (size_t index = 0; index < sizeof event_codes / sizeof event_codes [0]; index++)
        if (span_is (value, event_codes [index].code)) {
            tracker_row_set (row, column, span_of (event_codes [index].event));
            return NULL;
        }
    return "not a known event code";
}

static const char *
read_platform (tracker_row_t *row, tracker_column_t column, span_t value)
{
    for (size_t index = 0; index < sizeof platforms / sizeof platforms [0]; index++)
        if (span_is (value, platforms [index])) {
            tracker_row_set (row, column, value);
            return NULL;
        }
    return "not a known platform";
}

static const char *
read_address (tracker_row_t *row, tracker_column_t column, span_t value)
{
    size_t size = 0;
    while (size < value.size && value.data [size] != ',' && value.data [size] != ' ')
        size++;
    tracker_row_set_clean (row, column, (span_t){ value.data, size });
    return NULL;
}

static const char *
read_nothing (tracker_row_t *row, tracker_column_t column, span_t value)
{
    (void)row;
    (void)column;
    (void)value;
    return NULL;
}

static const char *(*const rules [RULE_COUNT]) (tracker_row_t *, tracker_column_t, span_t) = {
    [IGNORED] = read_nothing, [JSON] = read_nothing, [TEXT] = read_text,         [LOWER_ID] = read_id,
    [TIME] = read_time,       [INT] = read_int,      [FLAG] = read_flag,         [SIZE] = read_size,
    [DECIMAL] = read_decimal, [CODE] = read_code,    [PLATFORM] = read_platform, [ADDRESS] = read_address,
};

int
tracker_fields_read (const tracker_params_t *self, tracker_row_t *row, tracker_fault_t *fault)
{
    for (size_t param = 0; param < PARAM_COUNT; param++) {
        if (!self->values [param].present)
            continue;
        span_t value = params_value (self, param);
        const char *what = rules [params [param].rule](row, params [param].column, value);
        if (what)
            return tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "%s: %s: \"%.*s\"",
                                      params [param].name, what, TRACKER_SPAN (value));
    }
    return 0;
}

int
tracker_field_time (tracker_row_t *row, tracker_column_t column, const char *what, span_t text,
                    tracker_fault_t *fault)
{
    const char *wrong = read_time (row, column, text);
    return wrong ? tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "%s: %s: \"%.*s\"", what, wrong,
                                      TRACKER_SPAN (text))
                 : 0;
}
