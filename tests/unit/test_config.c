//  test_config - usher.yaml, the environment, the defaults, and the line that each mistake gets

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "config.h"
#include "config_strays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  Loads a configuration of this content. What it writes to stderr goes to complaint.
static config_t *
load (const char *content, char *complaint, size_t size)
{
    char file [] = "/tmp/usher-test-config-XXXXXX";
    FILE *captured = tmpfile ();
    int out = mkstemp (file), saved = dup (STDERR_FILENO);
    assert_non_null (captured);
    assert_int_equal (write (out, content, strlen (content)), (ssize_t)strlen (content));
    close (out);
    dup2 (fileno (captured), STDERR_FILENO);
    config_t *config = config_load (file, "somewhere");
    dup2 (saved, STDERR_FILENO);
    close (saved);
    unlink (file);
    rewind (captured);
    complaint [fread (complaint, 1, size - 1, captured)] = 0;
    fclose (captured);
    return config;
}

static void
defaults (void **state)
{
    (void)state;
    static const char *const contents [] = { "", "# nothing\n", "collector:\n", "gateway:\n  tracker:\n",
                                             "bind:\n" };
    char complaint [512];
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        config_t *config = load (contents [i], complaint, sizeof complaint);
        assert_non_null (config);
        assert_string_equal (complaint, "");
        assert_string_equal (config->bind, "127.0.0.1");
        assert_string_equal (config->run_dir, "somewhere/run");
        assert_string_equal (config->data_dir, "somewhere/data");
        assert_int_equal (config->shards, 2);
        assert_true (config->collector.enabled);
        assert_int_equal (config->collector.port, 9090);
        assert_int_equal (config->collector.max_journal_bytes, 1073741824);
        assert_int_equal (config->gateway.dashboard.port, 8280);
        assert_non_null (strstr (config->gateway.tracker.directory, "/frontends/tracker/dist"));
        config_destroy (&config);
        assert_null (config);
    }
}

static void
values (void **state)
{
    (void)state;
    char complaint [512];
    config_t *config = load (
        "bind: 0.0.0.0\nshards: 5\nlog_format: json\ncollector:\n  enabled: no\n  paths: com.acme/track\n"
        "gateway:\n  port: 1\n  tracker: { port: 0, directory: /x }\n",
        complaint, sizeof complaint);
    assert_non_null (config);
    assert_string_equal (config->bind, "0.0.0.0");
    assert_int_equal (config->shards, 5);
    assert_string_equal (config->log_format, "json");
    assert_false (config->collector.enabled);
    assert_string_equal (config->collector.paths, "com.acme/track");
    assert_int_equal (config->gateway.port, 1);
    assert_int_equal (config->gateway.tracker.port, 0);
    assert_string_equal (config->gateway.tracker.directory, "/x");
    config_destroy (&config);
}

static void
mistakes (void **state)
{
    (void)state;
    static const struct {
        const char *content, *line;
    } cases [] = {
        { "bind: x", ":1: bind is 'x'; it must be an IPv4 address" },
        { "shards: 2\ncolector:\n  port: 1\n", ":2: unknown key colector; did you mean collector?" },
        { "port: 1\n", ":1: unknown key port; the file has bind, " },
        { "shard:\n  port: 1\n", ":2: unknown key shard.port; shard has checkpoint_s, " },
        { "collector:\n  # port: 1\n  port: 70000\n",
          ":3: collector.port is '70000'; it must be a port, 1 to 65535" },
        { "gateway:\n  port: x\n", ":2: gateway.port is 'x'; it must be a port, 1 to 65535, or 0 for none" },
        { "collector:\n  port: 0\n", ":2: collector.port is '0'; it must be a port, 1 to 65535" },
        { "collector:\n  cookie_same_site: none\n",
          ":2: collector.cookie_same_site is 'none'; it must be one of None, Lax, Strict" },
        { "collector:\n  port: -1\n", ":2: collector.port is '-1'; it must be a port" },
        { "shards: 65\n", ":1: shards is '65'; it must be a number from 1 to 64" },
        { "shards: 99999999999999999999\n", ":1: shards is '99999999999999999999'; it must be" },
        { "collector:\n  enabled: maybe\n", ":2: collector.enabled is 'maybe'; it must be true or false" },
        { "privacy:\n  pseudonym_key: too-short\n",
          ":2: privacy.pseudonym_key is '(not shown)'; it must be a text of 16 to 1024 bytes" },
        { "privacy:\n  pseudonym_key_file: /nowhere\n",
          "privacy.pseudonym_key_file: /nowhere must be readable" },
        { "log_level: in\n", ":1: log_level is 'in'; it must be one of debug, info, warning, error" },
        { "store:\n  kind: dynamo\n",
          ":2: store.kind is 'dynamo'; it must be one of auto, sqlite, dynamodb" },
        { "store:\n  kind: dynamodb\n", "AWS_REGION (or store.region) must name the region" },
        { "store:\n  kind: dynamodb\n  region: x\n  endpoint: x:1\n",
          "it must begin with http:// or https://" },
        { "collector: 5\n", ":1: collector must be a section" },
        { "collector:\n  - 1\n", ":1: collector must be a section" },
        { "gateway:\n  tracker:\n    prt: 3\n", ":3: unknown key gateway.tracker.prt; did you mean port?" },
        { "gateway:\n  port: 1\n  tracker:\n    port: x\n", ":4: gateway.tracker.port is 'x'" },
        { "bind:\n  a: b\n", ":1: bind must be one value" },
        { "bind: 1.1.1.1\nbind: 1.1.1.2\n", ":2: bind is set twice" },
        { "bind: \"un\n", ":1: this is not YAML that we can read, near bind" },
        { "- a\n", ":1: the file must be a section" },
        { "bind: *x\n", ":1: this is not YAML that we can read" },
        { "ingester:\n  source: file\n", "ingester.file (USHER_INGESTER_FILE) must name the file" },
    };
    char complaint [512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null (load (cases [i].content, complaint, sizeof complaint));
        if (!strstr (complaint, cases [i].line))
            fail_msg ("\"%s\" gave: %s", cases [i].content, complaint);
        assert_ptr_equal (strchr (complaint, '\n'), complaint + strlen (complaint) - 1);
    }
}

static void
environment (void **state)
{
    (void)state;
    char complaint [512];
    setenv ("USHER_COLLECTOR_PORT", "1234", 1);
    setenv ("USHER_GATEWAY_TRACKER_PORT", "77", 1);
    config_t *config = load ("collector:\n  port: 5\n", complaint, sizeof complaint);
    assert_non_null (config);
    assert_int_equal (config->collector.port, 1234);
    assert_int_equal (config->gateway.tracker.port, 77);
    config_destroy (&config);
    setenv ("USHER_COLLECTOR_PORT", "12x", 1);
    assert_null (load ("", complaint, sizeof complaint));
    assert_string_equal (complaint,
                         "environment: USHER_COLLECTOR_PORT is '12x'; it must be a port, 1 to 65535\n");
    unsetenv ("USHER_COLLECTOR_PORT");
    unsetenv ("USHER_GATEWAY_TRACKER_PORT");
}

//  What a variable is told as: "NAME>MEANT " each.
static void
note_stray (void *arg, const char *name, const char *meant)
{
    char *text = arg;
    snprintf (text + strlen (text), 512 - strlen (text), "%s>%s ", name, meant ? meant : "");
}

static void
strays (void **state)
{
    (void)state;
    static const struct {
        const char *variable, *told;
    } cases [] = {
        { "USHER_COLLECTOR_PORT=1", "" },
        { "USHER_COLECTOR_PORT=1", "USHER_COLECTOR_PORT>USHER_COLLECTOR_PORT " },
        { "USHER_SHARD=2", "USHER_SHARD>USHER_SHARDS " },
        { "USHER_SHARDS_CHECKPOINT=2", "USHER_SHARDS_CHECKPOINT>USHER_SHARD_CHECKPOINT_S " },
        { "USHER_AWAKE_VIEWERS=2", "USHER_AWAKE_VIEWERS>USHER_SHARD_AWAKE_VIEWERS " },
        { "USHER_NOTHING_OF_THE_KIND=", "USHER_NOTHING_OF_THE_KIND> " },
        { "USHER_A B\n", "USHER_A?B?> " },
        { "USHER_BIN=/x", "" },
        { "USHER_BENCH_RUNS=3", "" },
        { "USHER_BINS=/x", "USHER_BINS>USHER_BIND " },
        { "USHER_SERVICE_PORT=tcp://10.0.0.1:80", "" },
        { "USHER_TRACE=1", "" },
        { "OTHER_SHARD=1", "" },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char told [512] = "", variable [128];
        snprintf (variable, sizeof variable, "%s", cases [at].variable);
        char *environment [] = { variable, NULL };
        config_strays (environment, note_stray, told);
        assert_string_equal (told, cases [at].told);
    }
}

//  The reference's variable chooses the source, unless the file says otherwise.
static void
brokers_choose_the_source (void **state)
{
    (void)state;
    static const struct {
        const char *content, *source, *brokers;
        bool collector;
    } rows [] = {
        { "", "kafka", "b:9092", false },
        { "kafka:\n  brokers: c:9092\n", "kafka", "b:9092", false },
        { "ingester:\n  source: journal\n", "journal", "b:9092", false },
        { "collector:\n  enabled: true\n  sink: kafka\n", "kafka", "b:9092", true },
    };
    char complaint [512];
    setenv ("KAFKA_BOOTSTRAP_SERVERS", "b:9092", 1);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        config_t *config = load (rows [at].content, complaint, sizeof complaint);
        assert_non_null (config);
        assert_string_equal (config->ingester.source, rows [at].source);
        assert_string_equal (config->kafka.brokers, rows [at].brokers);
        assert_int_equal (config->collector.enabled, rows [at].collector);
        config_destroy (&config);
    }
    setenv ("USHER_KAFKA_BROKERS", "d:9092", 1);
    config_t *config = load ("", complaint, sizeof complaint);
    assert_string_equal (config->kafka.brokers, "d:9092");
    config_destroy (&config);
    unsetenv ("USHER_KAFKA_BROKERS");
    setenv ("KAFKA_BOOTSTRAP_SERVERS", "", 1);
    config = load ("", complaint, sizeof complaint);
    assert_string_equal (config->ingester.source, "journal");
    assert_true (config->collector.enabled);
    config_destroy (&config);
    unsetenv ("KAFKA_BOOTSTRAP_SERVERS");
    assert_null (load ("ingester:\n  source: kafka\n", complaint, sizeof complaint));
    assert_non_null (strstr (complaint, "KAFKA_BOOTSTRAP_SERVERS"));
    assert_null (load ("collector:\n  sink: kafka\n", complaint, sizeof complaint));
    assert_non_null (strstr (complaint, "KAFKA_BOOTSTRAP_SERVERS"));
}

static void
properties_are_lines (void **state)
{
    (void)state;
    char complaint [512];
    config_t *config = load ("kafka:\n  properties: |\n    sasl.username=me\n    sasl.password=a b=c\n",
                             complaint, sizeof complaint);
    assert_non_null (config);
    assert_string_equal (config->kafka.properties, "sasl.username=me\nsasl.password=a b=c\n");
    config_destroy (&config);
}

//  Which store follows from whose variables, and what is said comes before.
static void
stores (void **state)
{
    (void)state;
    static const struct {
        const char *region, *kafka, *endpoint, *content, *kind, *create;
    } cases [] = {
        { NULL, NULL, NULL, "", "sqlite", "no" },
        { "eu-west-1", NULL, NULL, "", "sqlite", "no" },
        { NULL, "k:9092", NULL, "", "sqlite", "no" },
        { "eu-west-1", "k:9092", NULL, "", "dynamodb", "no" },
        { NULL, NULL, "http://d:8000", "", "dynamodb", "yes" },
        { "eu-west-1", "k:9092", "http://d:8000", "store:\n  kind: sqlite\n", "sqlite", "yes" },
        { "eu-west-1", NULL, NULL, "store:\n  kind: dynamodb\n  create_tables: yes\n", "dynamodb", "yes" },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char complaint [512];
        if (cases [at].region)
            setenv ("AWS_REGION", cases [at].region, 1);
        if (cases [at].kafka)
            setenv ("KAFKA_BOOTSTRAP_SERVERS", cases [at].kafka, 1);
        if (cases [at].endpoint)
            setenv ("AWS_ENDPOINT_URL", cases [at].endpoint, 1);
        config_t *config = load (cases [at].content, complaint, sizeof complaint);
        assert_non_null (config);
        assert_string_equal (config->store.kind, cases [at].kind);
        assert_string_equal (config->store.create_tables, cases [at].create);
        if (cases [at].region)
            assert_string_equal (config->store.region, cases [at].region);
        config_destroy (&config);
        unsetenv ("AWS_REGION");
        unsetenv ("KAFKA_BOOTSTRAP_SERVERS");
        unsetenv ("AWS_ENDPOINT_URL");
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (defaults),
        cmocka_unit_test (values),
        cmocka_unit_test (mistakes),
        cmocka_unit_test (environment),
        cmocka_unit_test (strays),
        cmocka_unit_test (brokers_choose_the_source),
        cmocka_unit_test (properties_are_lines),
        cmocka_unit_test (stores),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
