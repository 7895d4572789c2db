//  allocations - counts what this process asks of the heap, libraries included

#include "allocations.h"

#include <stdlib.h>

static volatile size_t count;    //  libraries' threads are not counted exactly; the tests have none

size_t
allocations_count (void)
{
    return count;
}

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__

//  As sanitizer/allocator_interface.h has it, a header that not every compiler's package brings.
extern int __sanitizer_install_malloc_and_free_hooks (void (*seen) (const volatile void *data, size_t size),
                                                      void (*freed) (const volatile void *data));

static void
seen (const volatile void *data, size_t size)
{
    (void)data;
    (void)size;
    count++;
}

static void
freed (const volatile void *data)
{
    (void)data;
}

void
allocations_open (void)
{
    //  Returns 0 when there is no room for another hook.
    if (!__sanitizer_install_malloc_and_free_hooks (seen, freed))
        abort ();
}

#else

//  glibc's own names for the real ones.
extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t number, size_t size);
extern void *__libc_realloc (void *data, size_t size);

void *
malloc (size_t size)
{
    count++;
    return __libc_malloc (size);
}

void *
calloc (size_t number, size_t size)
{
    count++;
    return __libc_calloc (number, size);
}

void *
realloc (void *data, size_t size)
{
    count++;
    return __libc_realloc (data, size);
}

void
allocations_open (void)
{
}

#endif
