//  states_table - what fold_next does, as a table to read
//
//  Asks fold_next for every event in every state with everything it may look at, and says what the answer hangs on.

#include "states_table.h"
#include "fold.h"

enum { STATES = USHER_state_ended + 1 };

//  A cell: what does this event do in this state?
typedef struct {
    usher_event_kind_t kind;
    usher_state_t state;
} question_t;

static usher_state_t
ask (question_t question, usher_state_t before, bool alone, bool moved)
{
    return fold_next (question.state, question.kind, before, alone, moved);
}

static void
cell_print (FILE *out, question_t question)
{
    usher_state_t first = ask (question, USHER_state_paused, true, true);
    if (ask (question, USHER_state_paused, true, false) != first)
        fprintf (out, "%s¹", usher_state_names [first]);
    else if (ask (question, USHER_state_paused, false, true) != first)
        fprintf (out, "back²");
    else if (first == USHER_state_paused && ask (question, USHER_state_watching, true, true) != first)
        fprintf (out, "back");
    else if (ask (question, USHER_state_ended, true, true) != first)
        fprintf (out, "%s³", usher_state_names [first]);
    else if (first != question.state)
        fprintf (out, "%s", usher_state_names [first]);
    else
        fprintf (out, "·");
}

static void
row_print (FILE *out, usher_event_kind_t kind)
{
    fprintf (out, "| %s |", usher_event_kind_names [kind]);
    for (uint32_t state = 0; state < STATES; state++) {
        fprintf (out, " ");
        cell_print (out, (question_t){ kind, (usher_state_t)state });
        fprintf (out, " |");
    }
    fprintf (out, "\n");
}

void
states_print (FILE *out)
{
    fprintf (out, "# What an event does to a session\n\n"
                  "Printed by `usher-states` from the table in `services/shard/fold.c`; a test compares. A "
                  "row is an event, a\n"
                  "column the state it finds; `·` changes nothing.\n\n| event |");
    for (uint32_t state = 0; state < STATES; state++)
        fprintf (out, " %s |", usher_state_names [state]);
    fprintf (out, "\n| --- |");
    for (uint32_t state = 0; state < STATES; state++)
        fprintf (out, " --- |");
    fprintf (out, "\n");
    for (uint32_t kind = 0; kind < USHER_EVENT_KINDS; kind++)
        row_print (out, (usher_event_kind_t)kind);
    fprintf (out, "\n`back` is the state that the stall, the seek or the ad interrupted.\n\n"
                  "1. Once the position has moved on.\n"
                  "2. Only of an ad outside a break; within one nothing changes.\n"
                  "3. ENDED where the session had ended before the break.\n\n"
                  "A LOST or FAILED session is in one of these states underneath. Evidence newer than what "
                  "it had brings that\n"
                  "back, then the event does what its row says; an `end` ends it whenever it comes. An "
                  "`error` is counted, and\n"
                  "makes the session FAILED where nothing moves for the timeout after it (not from PAUSED, "
                  "AD_PAUSED, ENDED);\n"
                  "evidence of later than that forgives it.\n");
}
