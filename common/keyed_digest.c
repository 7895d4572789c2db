//  keyed_digest - HMAC-SHA256: who has the key can tell whether two names are the same, nobody else can tell the name

#include "keyed_digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
keyed_digest (usher_str_t key, usher_str_t text, uint8_t digest [KEYED_DIGEST_BYTES])
{
    unsigned size = 0;
    //  Only a lack of memory can make it fail.
    if (!HMAC (EVP_sha256 (), key.data, (int)key.size, (const unsigned char *)text.data, text.size, digest,
               &size) ||
        size != KEYED_DIGEST_BYTES)
        abort ();
}

void
keyed_digest_hex (usher_str_t key, usher_str_t text, char hex [KEYED_DIGEST_HEX + 1])
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    keyed_digest (key, text, digest);
    for (size_t at = 0; at < sizeof digest; at++)
        sprintf (hex + 2 * at, "%02x", digest [at]);
}

bool
keyed_digest_is_hex (usher_str_t text)
{
    if (text.size != KEYED_DIGEST_HEX)
        return false;
    for (size_t at = 0; at < text.size; at++)
        if (!memchr ("0123456789abcdef", text.data [at], 16))
            return false;
    return true;
}
