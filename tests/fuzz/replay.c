//  replay - runs a fuzz target on stored inputs: `replay_NAME DIR`
//
//  Every file of DIR is read into a block without a byte to spare, so that a sanitizer sees a read beyond the end. The
//  program ends badly when the target does, and when there is nothing to read: an empty folder proves nothing.

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX 1048576

static void
replay_file (const char *path, size_t size)
{
    uint8_t *data = malloc (size);
    FILE *file = fopen (path, "rb");
    FUZZ_CHECK (file && (data || !size));
    FUZZ_CHECK (fread (data, 1, size, file) == size);
    fclose (file);
    LLVMFuzzerTestOneInput (data, size);
    free (data);
}

//  Whoever reads a crash finds the last input in this line.
static size_t
replay_entry (const char *folder, const char *name)
{
    char path [4096];
    struct stat about;
    snprintf (path, sizeof path, "%s/%s", folder, name);
    if (stat (path, &about) || !S_ISREG (about.st_mode))
        return 0;
    printf ("%s\n", path);
    fflush (stdout);
    FUZZ_CHECK (about.st_size <= INPUT_BYTES_MAX);
    replay_file (path, (size_t)about.st_size);
    return 1;
}

int
main (int argc, char **argv)
{
    struct dirent **entries;
    size_t inputs = 0;
    int count = argc == 2 ? scandir (argv [1], &entries, NULL, alphasort) : -1;
    for (int at = 0; at < count; at++) {
        inputs += replay_entry (argv [1], entries [at]->d_name);
        free (entries [at]);
    }
    if (count >= 0)
        free (entries);
    if (!inputs)
        fputs ("usage: replay_NAME DIR, a folder with inputs\n", stderr);
    return inputs ? 0 : 1;
}
