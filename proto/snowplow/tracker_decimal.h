//  tracker_decimal - a decimal number of any size, printed plain

#ifndef TRACKER_DECIMAL_H_INCLUDED
#define TRACKER_DECIMAL_H_INCLUDED

#include "snowplow/tracker_text.h"

//  Append the number with its scale and without exponent, as Enrich writes decimals: `1.50` stays, `1e3` is `1000`.
//  Returns 0; or -1, with nothing appended, if it is none or would have more than 255 digits.
int tracker_decimal_put (span_t value, tracker_text_t *out);

#endif
