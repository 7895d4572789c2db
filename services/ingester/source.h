//  source - where events come from, behind five functions
//
//  journal and file today; every source numbers its rows per partition, and can be read again from a number.

#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

typedef struct source source_t;

typedef struct {
    const char *name;
    uint32_t id;    //  USHER_SOURCE_...

    //  Opens path. Returns NULL after writing what is wrong, and what to do, into reason.
    source_t *(*open) (const char *path, char *reason, size_t reason_size);

    //  What tells this journal or file from one made anew at the same path; 0 while it is not there.
    uint64_t (*generation) (source_t *self);

    //  Goes on from offset (0: from the start).
    void (*seek) (source_t *self, uint32_t partition, uint64_t offset);

    //  Calls take for at most max_rows rows. Returns how many, 0 at the end as it is now, -1 on an error (in reason).
    int (*read) (source_t *self, int max_rows, source_take_fn *take, void *arg, char *reason,
                 size_t reason_size);

    void (*close) (source_t **self_p);
} source_ops_t;

extern const source_ops_t source_journal;
extern const source_ops_t source_file;

#endif
