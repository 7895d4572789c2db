//  config - usher.yaml and the environment, read once at start by every process
//
//  Every setting has a default, so an empty file is a good file. Durations say their unit in the name.

#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint16_t port;      //  0: do not listen
    char *directory;    //  static files under it
} config_page_t;

typedef struct {
    char *bind;    //  address all HTTP ports listen on; default 127.0.0.1

    char *run_dir;       //  sockets, locks; default <dir>/run; made with mode 0700
    char *data_dir;      //  journal.db, store.db; default <dir>/data
    char *log_level;     //  debug, info, warning, error
    char *log_format;    //  logfmt, json
    uint32_t shards;     //  1 to 64, default 2

    struct {
        bool enabled;                  //  default true; false where KAFKA_BOOTSTRAP_SERVERS is the source
        char *sink;                    //  journal or kafka
        uint16_t port;                 //  default 9090
        char *paths;                   //  vendor/version paths that mean tp2, or FROM=TO, commas between them
        uint32_t max_body_bytes;       //  default 1048576
        uint32_t max_connections;      //  default 10000, of about 70 KiB each
        char *cookie_name;             //  default sp
        uint32_t cookie_days;          //  default 365; 0: no cookie, neither read nor set
        bool cookie_secure;            //  default true
        bool cookie_http_only;         //  default true
        char *cookie_same_site;        //  None, Lax, Strict
        uint32_t mask_ip_octets;       //  of IPv4, from the end; default 0
        uint32_t mask_ip_segments;     //  of IPv6, from the end; default 0
        uint64_t max_journal_bytes;    // default 1 GiB; beyond it: 503
    } collector;

    struct {
        char *source;    //  journal, file or kafka; default kafka where KAFKA_BOOTSTRAP_SERVERS is set
        char *file;      //  for source file: its path
        uint32_t in_flight_bytes;    //  default 16 MiB per shard
        uint32_t keep_bytes;    //  of frames to send again; beyond it they are read again; default 64 MiB
    } ingester;

    struct {
        char *brokers;         //  host:port, comma separated; default KAFKA_BOOTSTRAP_SERVERS
        char *topic;           //  default snowplow-enriched-good
        char *bad_topic;       //  for what the collector refuses; default snowplow-enriched-bad
        char *group;           //  default kafka-consumer-group
        char *start;           //  of a partition that the group has no offset of: earliest or latest
        char *out_of_range;    //  when the group's offset is not in the partition: earliest, latest or stop
        uint32_t stall_s;      //  a partition that is quiet for longer is looked at
        char *member;          //  static membership's name; empty: made from host name and data_dir
        char *properties;      //  librdkafka's, a line name=value each
    } kafka;

    struct {
        uint32_t checkpoint_s;        //  default 300
        uint32_t forget_s;            //  ended, failed and lost sessions leave memory; default 3600
        uint32_t paused_timeout_s;    //  default 1800
        uint32_t feed_soft_s;         //  soft facts go to the feed at most so often per session; default 10
        uint32_t
            awake_viewers;    //  of a shard; more are packed as bytes until their next event; default 20000
        uint64_t
            unwritten_bytes;    //  that wait for the store; beyond them the sources pause; default 256 MiB
    } shard;

    struct {
        char *kind;              //  sqlite or dynamodb; auto in the file, which is decided when it was read
        uint32_t expire_days;    //  default 7

        //  of dynamodb
        char *region;            //  default AWS_REGION, AWS_DEFAULT_REGION
        char *endpoint;          //  default AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL; "": AWS's own
        char *events_table;      //  default video_events
        char *profiles_table;    //  default viewer_profiles
        char *create_tables;     //  yes or no; auto in the file: yes where there is an endpoint
        uint32_t connections;    //  default 16
    } store;

    struct {
        char *pseudonym_key;         //  "" none: viewer ids stay what they are; never printed
        char *pseudonym_key_file;    //  a file that holds it instead
        bool api_raw_ids;            //  the API makes a pseudonym of an id that is none; default false
        uint32_t tombstone_days;     //  default 30
    } privacy;

    struct {
        uint16_t port;              //  feed and API; default 8180
        config_page_t dashboard;    //  default port 8280, frontends/viewer/dist
        config_page_t tracker;      //  default port 3000, frontends/tracker/dist
        uint32_t max_clients;       //  default 10000
    } gateway;
} config_t;

//  Reads file (NULL: only defaults and environment). dir is where run_dir and data_dir are by default. Returns NULL
//  after writing one line to stderr that names the file, line and key at fault and what would be right.
config_t *config_load (const char *file, const char *dir);
void config_destroy (config_t **self_p);

#endif
