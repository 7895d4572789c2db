//  source - where events come from, behind a few functions
//
//  journal, file, kafka. Every source numbers its rows per partition, and can be read again from a number. Of a journal or
//  a file the store keeps the position; Kafka keeps its own, and its partitions come and go.

#ifndef SOURCE_H
#define SOURCE_H

#include "service.h"

typedef struct {
    uint32_t partition;
    uint64_t offset;
    uint64_t next;    //  where the row after it begins
    bool bad;         //  the collector refused it; reason says why
    const char *reason;
    const char *data;    //  valid until the callback returns
    size_t size;
} source_row_t;

typedef void (source_take_fn) (void *arg, const source_row_t *row);

//  Whom a source with partitions tells of them.
typedef struct {
    //  Rows of the partition come from next on.
    void (*begin) (void *arg, uint32_t partition, uint64_t generation, uint64_t next);
    //  No more of it.
    void (*end) (void *arg, uint32_t partition);
    //  All that was in the partition by wall_ms was read.
    void (*at_end) (void *arg, uint32_t partition, uint64_t wall_ms);
    //  The position next is kept.
    void (*committed) (void *arg, uint32_t partition, uint64_t next);
    //  Is everything that was taken durable and committed? Asked while a partition is waited for by somebody else.
    bool (*at_rest) (void *arg);
    void *arg;
} source_reader_t;

typedef struct source source_t;

typedef struct {
    const char *name;
    uint32_t id;    //  USHER_SOURCE_...

    //  Opens it. Returns NULL after writing what is wrong, and what to do, into reason.
    source_t *(*open) (const config_t *config, char *reason, size_t reason_size);

    //  Its path or topic.
    const char *(*where) (const source_t *self);

    //  What tells this journal or file from one made anew at the same path; 0 while it is not there.
    uint64_t (*generation) (source_t *self);

    //  Goes on from offset (0: from the start).
    void (*seek) (source_t *self, uint32_t partition, uint64_t offset);

    //  Calls take for at most max_rows rows. Returns how many, 0 at the end as it is now, -1 on an error (in reason).
    int (*read) (source_t *self, int max_rows, source_take_fn *take, void *arg, char *reason,
                 size_t reason_size);

    void (*close) (source_t **self_p);

    //  The rest is for a source with partitions of its own, which needs no generation and seek; NULL for the others.

    //  Tells whom to tell. Returns a descriptor that is readable when there is something to do.
    int (*attach) (source_t *self, const source_reader_t *reader);

    //  Each turn: lets partitions come and go. Returns false when it can't go on in this process (reason).
    bool (*serve) (source_t *self, usher_time_t now, char *reason, size_t reason_size);

    //  Keeps a position; reader->committed tells when it is kept.
    void (*commit) (source_t *self, uint32_t partition, uint64_t next);

    //  Can commits be answered now?
    bool (*is_up) (const source_t *self);

    void (*metrics) (const source_t *self, FILE *out);
} source_ops_t;

extern const source_ops_t source_journal;
extern const source_ops_t source_file;
extern const source_ops_t source_kafka;

#endif
