//  instant - a date and time as text, as milliseconds since 1970

#include "snowplow/instant.h"

typedef struct {
    const char *at, *end;
} cursor_t;

//  Exactly count digits that make a number from min to max.
static bool
take_number (cursor_t *self, int count, int64_t min, int64_t max, int64_t *number)
{
    if (self->end - self->at < count)
        return false;
    *number = 0;
    for (; count; count--, self->at++) {
        if (*self->at < '0' || *self->at > '9')
            return false;
        *number = *number * 10 + (*self->at - '0');
    }
    return *number >= min && *number <= max;
}

//  One of these bytes.
static bool
take_byte (cursor_t *self, char one, char other)
{
    if (self->at == self->end || (*self->at != one && *self->at != other))
        return false;
    self->at++;
    return true;
}

static bool
is_leap (int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

//  Days from 1970-01-01, by counting years from March, so that the leap day is the last of its year.
static int64_t
days_of (int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

//  Of the months, February's of a leap year.
static const int64_t lengths [] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

static bool
take_date (cursor_t *self, int64_t *days)
{
    int64_t year, month, day;
    if (!take_number (self, 4, 1969, 9999, &year) || !take_byte (self, '-', '-') ||
        !take_number (self, 2, 1, 12, &month) || !take_byte (self, '-', '-') ||
        !take_number (self, 2, 1, lengths [month - 1], &day))
        return false;
    *days = days_of (year, month, day);
    return month != 2 || day < 29 || is_leap (year);
}

//  Seconds of the day; 60 is a leap second.
static bool
take_time (cursor_t *self, int64_t *seconds)
{
    int64_t hour, minute, second;
    if (!take_number (self, 2, 0, 23, &hour) || !take_byte (self, ':', ':') ||
        !take_number (self, 2, 0, 59, &minute) || !take_byte (self, ':', ':') ||
        !take_number (self, 2, 0, 60, &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

//  Decimals, if there are any.
static bool
take_decimals (cursor_t *self, int64_t *ms)
{
    *ms = 0;
    if (!take_byte (self, '.', ','))
        return true;
    int64_t scale = 100, digit;
    if (!take_number (self, 1, 0, 9, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (take_number (self, 1, 0, 9, &digit));
    return true;
}

//  Seconds east of Greenwich: Z, +hh, +hhmm, +hh:mm or nothing.
static bool
take_zone (cursor_t *self, int64_t *offset)
{
    int64_t hours, minutes = 0;
    *offset = 0;
    if (self->at == self->end || take_byte (self, 'Z', 'z'))
        return true;
    bool west = *self->at == '-';
    if (!take_byte (self, '+', '-') || !take_number (self, 2, 0, 23, &hours))
        return false;
    bool colon = take_byte (self, ':', ':');
    if ((colon || self->at < self->end) && !take_number (self, 2, 0, 59, &minutes))
        return false;
    *offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

//  Two digits; what is none of them makes *wrong true.
static inline int64_t
pair (const char *text, bool *wrong)
{
    unsigned tens = (unsigned char)text [0] - (unsigned)'0', ones = (unsigned char)text [1] - (unsigned)'0';
    *wrong |= tens > 9 || ones > 9;
    return tens * 10 + ones;
}

//  Whether text is 2026-11-23T06:45:20.549Z, as nearly all of them are, and which instant that is. A 29th of February and a
//  leap second are left to those who know them.
static bool
read_usual (const char *text, size_t size, uint64_t *ms)
{
    if (size != 24 || text [4] != '-' || text [7] != '-' || text [10] != 'T' || text [13] != ':' ||
        text [16] != ':' || text [19] != '.' || text [23] != 'Z')
        return false;
    bool wrong = false;
    int64_t year = pair (text, &wrong) * 100 + pair (text + 2, &wrong), month = pair (text + 5, &wrong),
            day = pair (text + 8, &wrong), hour = pair (text + 11, &wrong), minute = pair (text + 14, &wrong),
            second = pair (text + 17, &wrong), decimals = pair (text + 20, &wrong) * 10;
    unsigned last = (unsigned char)text [22] - (unsigned)'0';
    if (wrong || last > 9 || year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths [month - 1] ||
        (month == 2 && day == 29) || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t seconds = days_of (year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ms = (uint64_t)(seconds * 1000 + decimals + last);
    return true;
}

bool
instant_read (const char *text, size_t size, uint64_t *ms)
{
    if (!size)    //  nothing is also a NULL without bytes
        return false;
    if (read_usual (text, size, ms))
        return true;
    cursor_t cursor = { text, text + size };
    int64_t days, seconds, decimals, offset;
    if (!take_date (&cursor, &days) || !(take_byte (&cursor, 'T', ' ') || take_byte (&cursor, 't', 't')) ||
        !take_time (&cursor, &seconds) || !take_decimals (&cursor, &decimals) ||
        !take_zone (&cursor, &offset) || cursor.at != cursor.end)
        return false;
    int64_t sum = (days * 86400 + seconds - offset) * 1000 + decimals;
    if (sum < 0)
        return false;
    *ms = (uint64_t)sum;
    return true;
}
