//  tracker_time - times of the tracker protocol: parsed, printed, and the derived one

#include "snowplow/tracker_time.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000LL
#define TIME_MIN_MS (-62167219200000LL)    //  0000-01-01
#define TIME_MAX_MS 253402300799999LL      //  9999-12-31 23:59:59.999

typedef struct {
    int64_t year;
    int month;    //  1 to 12
    int day;
} civil_t;

//  Floor division: times before 1970 belong to the day that holds them.
static int64_t
floor_div (int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

//  Days since 1970 and the proleptic Gregorian calendar, by Howard Hinnant's algorithms: the year begins in
//  March, so that the leap day is its last.
static civil_t
civil_of_days (int64_t days)
{
    days += 719468;
    int64_t era = floor_div (days, 146097);
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int shifted = (int)((5 * of_year + 2) / 153);
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    int day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    return (civil_t){ year + era * 400 + (month <= 2), month, day };
}

static int64_t
days_of_civil (civil_t civil)
{
    int64_t year = civil.year - (civil.month <= 2);
    int64_t era = floor_div (year, 400);
    int64_t in_era = year - era * 400;
    int64_t of_year = (153 * (civil.month + (civil.month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + of_year - 719468;
}

static int
month_length (int64_t year, int month)
{
    static const int lengths [] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths [month - 1] + (month == 2 && leap);
}

//  The same time of day so many months later; a day that the month lacks becomes its last one.
static int64_t
add_months (int64_t time_ms, int64_t months)
{
    int64_t days = floor_div (time_ms, DAY_MS);
    civil_t civil = civil_of_days (days);
    int64_t month = civil.year * 12 + civil.month - 1 + months;
    civil.year = floor_div (month, 12);
    civil.month = (int)(month - civil.year * 12) + 1;
    int last = month_length (civil.year, civil.month);
    if (civil.day > last)
        civil.day = last;
    return days_of_civil (civil) * DAY_MS + (time_ms - days * DAY_MS);
}

//  How many steps of so many months fit between two times.
static int64_t
count_steps (int64_t from_ms, int64_t to_ms, int64_t step_months)
{
    civil_t from = civil_of_days (floor_div (from_ms, DAY_MS));
    civil_t to = civil_of_days (floor_div (to_ms, DAY_MS));
    int64_t steps = ((to.year - from.year) * 12 + to.month - from.month) / step_months;
    return add_months (from_ms, steps * step_months) > to_ms ? steps - 1 : steps;
}

int64_t
tracker_time_derive (int64_t collector_ms, int64_t created_ms, int64_t sent_ms)
{
    if (created_ms >= sent_ms)
        return collector_ms;
    int64_t years = count_steps (created_ms, sent_ms, 12);
    int64_t rest_ms = add_months (created_ms, years * 12);
    int64_t months = count_steps (rest_ms, sent_ms, 1);
    rest_ms = sent_ms - add_months (rest_ms, months);
    int64_t derived_ms = add_months (add_months (collector_ms, -12 * years), -months) - rest_ms;
    return derived_ms < TIME_MIN_MS || derived_ms > TIME_MAX_MS ? collector_ms : derived_ms;
}

int
tracker_time_parse (span_t text, int64_t *time_ms)
{
    size_t sign = text.size && (*text.data == '-' || *text.data == '+');
    if (text.size == sign)
        return -1;
    int64_t value = 0;
    for (size_t index = sign; index < text.size; index++) {
        if (text.data [index] < '0' || text.data [index] > '9' || value > TIME_MAX_MS)
            return -1;
        value = value * 10 + (text.data [index] - '0');
    }
    if (*text.data == '-')
        value = -value;
    if (value < TIME_MIN_MS || value > TIME_MAX_MS)
        return -1;
    *time_ms = value;
    return 0;
}

//  Append a number with at least so many digits.
static void
put_digits (tracker_text_t *out, int64_t value, int digits)
{
    char text [20];
    for (int index = digits - 1; index >= 0; index--, value /= 10)
        text [index] = (char)('0' + value % 10);
    tracker_text_put (out, text, (size_t)digits);
}

void
tracker_time_print (int64_t time_ms, tracker_text_t *out)
{
    int64_t days = floor_div (time_ms, DAY_MS);
    int64_t of_day = time_ms - days * DAY_MS;
    civil_t civil = civil_of_days (days);
    const struct {
        int64_t value;
        int digits;
        char before;
    } parts [] = {
        { civil.year, 4, 0 },         { civil.month, 2, '-' },         { civil.day, 2, '-' },
        { of_day / 3600000, 2, ' ' }, { of_day / 60000 % 60, 2, ':' }, { of_day / 1000 % 60, 2, ':' },
        { of_day % 1000, 3, '.' }
    };
    for (size_t index = 0; index < sizeof parts / sizeof parts [0]; index++) {
        if (parts [index].before)
            tracker_text_putc (out, parts [index].before);
        put_digits (out, parts [index].value, parts [index].digits);
    }
}
