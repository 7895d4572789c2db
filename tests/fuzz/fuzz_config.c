//  fuzz_config - any bytes as usher.yaml: a configuration, or a refusal

#include "fuzz.h"
#include "config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    //  A file without a folder: many processes may fuzz at once.
    char path [64];
    int file = memfd_create ("usher.yaml", 0);
    FUZZ_CHECK (file >= 0 && write (file, data, size) == (ssize_t)size);
    snprintf (path, sizeof path, "/proc/self/fd/%d", file);
    config_t *config = config_load (path, "/nowhere");
    if (config) {
        FUZZ_CHECK (config->shards >= 1 && config->shards <= 64);
        FUZZ_CHECK (config->run_dir && *config->run_dir && config->data_dir && *config->data_dir);
        FUZZ_CHECK (config->store.expire_days >= 1 && config->bind && *config->bind);
    }
    config_destroy (&config);
    close (file);
    return 0;
}
