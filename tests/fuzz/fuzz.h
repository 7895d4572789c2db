//  fuzz - what the fuzz targets share: the check that ends a run, and what must hold of every event
//
//  A target is a fuzz_NAME.c with libFuzzer's entry. Linked with clang's -fsanitize=fuzzer it looks for new inputs
//  (`make fuzz`); linked with replay.c it reads the stored ones in corpus/NAME, which every `make test` does.

#ifndef FUZZ_H
#define FUZZ_H

#include "snowplow/event_draft.h"

//  libFuzzer's own entry.
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

//  Ends the program, with the line for whoever reads the crash.
#define FUZZ_CHECK(truth) fuzz_check (truth, #truth, __FILE__, __LINE__)
void fuzz_check (bool truth, const char *what, const char *file, int line);

//  A decoder of one form, as in flattened.h.
typedef decode_result_t (fuzz_decoder_t) (draft_t *draft, const char *data, size_t size);

//  Decodes data and checks what came: an event within its limits that travels, nothing, or a reason. Returns the
//  result; *event lives until the next call.
decode_result_t fuzz_decode (fuzz_decoder_t *decode, const uint8_t *data, size_t size, usher_event_t *event);

//  What must hold of an event and of a reason, whoever made them.
void fuzz_check_event (const usher_event_t *event);
void fuzz_check_reason (const char *reason);

#endif
