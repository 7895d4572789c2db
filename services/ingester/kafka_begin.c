//  kafka_begin - from which offset a partition is read, and whether it still is the log that we knew

#include "kafka_begin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

kafka_policy_t
kafka_policy (const char *word)
{
    return *word == 's' ? KAFKA_STOP : *word == 'l' ? KAFKA_LATEST : KAFKA_EARLIEST;
}

void
kafka_note_write (char note [KAFKA_NOTE_MAX], uint64_t generation, const char *cluster)
{
    snprintf (note, KAFKA_NOTE_MAX, "usher 1 %016" PRIx64 " %s", generation, cluster);
}

//  Returns the generation, 0 for a note that is not ours or tells of another cluster.
static uint64_t
note_read (const kafka_facts_t *facts)
{
    char text [KAFKA_NOTE_MAX], cluster [KAFKA_NOTE_MAX] = "";
    uint64_t generation = 0;
    size_t size = facts->note_size < sizeof text - 1 ? facts->note_size : sizeof text - 1;
    if (size)
        memcpy (text, facts->note, size);
    text [size] = 0;
    if (sscanf (text, "usher 1 %" SCNx64 " %159s", &generation, cluster) < 1 ||
        strcmp (cluster, facts->cluster) != 0)
        return 0;
    return generation;
}

static kafka_begin_t
go_by (const kafka_facts_t *facts, kafka_policy_t policy, uint64_t generation, const char *alarm)
{
    int64_t next = policy == KAFKA_LATEST ? facts->high : facts->low;
    return (kafka_begin_t){ policy == KAFKA_STOP, next, generation, true, alarm };
}

kafka_begin_t
kafka_begin (const kafka_facts_t *facts, kafka_policy_t start, kafka_policy_t out_of_range, uint64_t fresh)
{
    uint64_t known = note_read (facts);
    if (facts->committed < 0 && facts->read >= 0)
        return go_by (facts, out_of_range, fresh,
                      "the group's offset is gone: the topic was made anew, or somebody deleted the offsets");
    if (facts->committed < 0)
        return go_by (facts, start, fresh, NULL);
    if (facts->committed > facts->high)
        return go_by (facts, out_of_range, fresh,
                      "the partition ends before the group's offset: it was truncated or made anew");
    if (facts->committed < facts->low)
        return go_by (facts, out_of_range, known ? known : fresh,
                      "the partition begins behind the group's offset: events were deleted unread");
    //  In range: go on. Without a note of ours somebody else has read, or set the offset, before.
    return (kafka_begin_t){ false, facts->committed, known ? known : fresh, !known, NULL };
}
