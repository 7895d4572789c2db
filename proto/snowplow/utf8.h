//  utf8 - is it UTF-8, and where may it be cut?

#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

//  Without a zero byte, surrogates and overlong forms.
bool utf8_is_valid (const char *data, size_t size);

//  The longest prefix of at most limit bytes that ends between two code points.
size_t utf8_cut (const char *data, size_t size, size_t limit);

#endif
