//  tracker_decimal - a decimal number of any size, printed plain

#include "snowplow/tracker_decimal.h"

//  A decimal number taken apart: value = sign digits * 10^-scale.
#define DECIMAL_DIGITS_MAX 255
typedef struct {
    bool negative;
    char digits [DECIMAL_DIGITS_MAX];
    int size;
    int64_t scale;
} decimal_t;

//  `e5`, `E-3`, or nothing. Returns whether that was all.
static bool
parse_exponent (const char *at, const char *end, int64_t *exponent)
{
    *exponent = 0;
    if (at == end)
        return true;
    if (*at != 'e' && *at != 'E')
        return false;
    at++;
    bool sign = at < end && (*at == '-' || *at == '+');
    bool negative = sign && *at == '-';
    int64_t value = 0;
    at += sign;
    if (at == end)
        return false;
    for (; at < end && *at >= '0' && *at <= '9' && value <= DECIMAL_DIGITS_MAX; at++)
        value = value * 10 + (*at - '0');
    *exponent = negative ? -value : value;
    return at == end && value <= DECIMAL_DIGITS_MAX;
}

//  The grammar of Java's BigDecimal; numbers that would print with more than 255 digits are refused.
static bool
parse_decimal (span_t value, decimal_t *decimal)
{
    const char *at = value.data;
    const char *end = at + value.size;
    *decimal = (decimal_t){ 0 };
    if (at < end && (*at == '-' || *at == '+'))
        decimal->negative = *at++ == '-';
    bool point = false, any = false;
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        any = true;
        decimal->scale += point;
        if (decimal->size == 0 && *at == '0')
            continue;
        if (decimal->size == DECIMAL_DIGITS_MAX)
            return false;
        decimal->digits [decimal->size++] = *at;
    }
    int64_t exponent;
    if (!any || !parse_exponent (at, end, &exponent))
        return false;
    decimal->scale -= exponent;
    return decimal->scale <= DECIMAL_DIGITS_MAX && decimal->size - decimal->scale <= DECIMAL_DIGITS_MAX;
}

//  As BigDecimal.toPlainString does.
static void
print_decimal (const decimal_t *decimal, tracker_text_t *out)
{
    if (decimal->negative && decimal->size)
        tracker_text_putc (out, '-');
    int64_t whole = decimal->size - decimal->scale;
    if (whole <= 0 || decimal->size == 0)
        tracker_text_putc (out, '0');
    for (int64_t index = 0; index < whole && decimal->size; index++)
        tracker_text_putc (out, index < decimal->size ? decimal->digits [index] : '0');
    if (decimal->scale <= 0)
        return;
    tracker_text_putc (out, '.');
    for (int64_t index = whole; index < decimal->size; index++)
        tracker_text_putc (out, index < 0 ? '0' : decimal->digits [index]);
}

int
tracker_decimal_put (span_t value, tracker_text_t *out)
{
    decimal_t decimal;
    if (!parse_decimal (value, &decimal))
        return -1;
    print_decimal (&decimal, out);
    return 0;
}
