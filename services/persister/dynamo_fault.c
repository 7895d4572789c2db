//  dynamo_fault - what an answer of DynamoDB's that is no success means

#include "dynamo_fault.h"

#include <string.h>

//  Names as in the API reference's common errors, those of each operation, and BatchStatementError's codes; the
//  first that the text holds counts. Longer names that hold a shorter one come before it.
static const struct {
    const char *name;
    dynamo_fault_t fault;
    const char *hint;
} rows [] = {
    { "no credentials", DYNAMO_BUSY,
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role" },
    { "ProvisionedThroughputExceeded", DYNAMO_THROTTLED, "the table's capacity is used up" },
    { "ThrottlingE", DYNAMO_THROTTLED, "the table's capacity is used up" },
    { "RequestLimitExceeded", DYNAMO_THROTTLED, "the account's capacity is used up" },
    { "LimitExceededException", DYNAMO_THROTTLED, "too many tables are being made at once" },
    { "TransactionConflict", DYNAMO_BUSY, "somebody else writes the same items" },
    { "ConditionalCheckFailed", DYNAMO_CONDITION, "" },
    { "DuplicateItem", DYNAMO_CONDITION, "" },
    { "Signature expired", DYNAMO_DENIED, "this machine's clock is wrong: set it" },
    { "Signature not yet current", DYNAMO_DENIED, "this machine's clock is wrong: set it" },
    { "RequestTimeTooSkewed", DYNAMO_DENIED, "this machine's clock is wrong: set it" },
    { "RequestExpired", DYNAMO_DENIED, "this machine's clock is wrong: set it" },
    { "ExpiredToken", DYNAMO_DENIED, "the session token has expired: renew AWS_SESSION_TOKEN and the keys" },
    { "SignatureDoesNotMatch", DYNAMO_DENIED, "AWS_SECRET_ACCESS_KEY is not the key's secret" },
    { "InvalidSignature", DYNAMO_DENIED, "AWS_SECRET_ACCESS_KEY is not the key's secret" },
    { "IncompleteSignature", DYNAMO_DENIED, "something on the way changes the request's headers" },
    { "UnrecognizedClient", DYNAMO_DENIED, "AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN is not known there" },
    { "InvalidClientTokenId", DYNAMO_DENIED, "AWS_ACCESS_KEY_ID is not known there" },
    { "MissingAuthenticationToken", DYNAMO_DENIED, "credentials are needed: set AWS_ACCESS_KEY_ID" },
    { "AccessDenied", DYNAMO_FORBIDDEN, "the key's policy does not allow this operation on this table" },
    { "ResourceNotFound", DYNAMO_NO_TABLE, "make the table, or set store.create_tables" },
    { "ResourceInUse", DYNAMO_IN_USE, "" },
    { "ValidationE", DYNAMO_BAD, "the table is not as Usher needs it, or this is a mistake of Usher's" },
    { "SerializationException", DYNAMO_BAD, "this is a mistake of Usher's" },
};

static dynamo_fault_t
find (const char *text, size_t size, dynamo_fault_t otherwise, const char **hint)
{
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        if (size && memmem (text, size, rows [row].name, strlen (rows [row].name))) {
            *hint = rows [row].hint;
            return rows [row].fault;
        }
    return otherwise;
}

dynamo_fault_t
dynamo_fault_of (int status, const char *text, size_t size, const char **hint)
{
    *hint = status == 0 ? "is it running, and is the endpoint right?" : "it is asked again";
    if (status == 200)
        return DYNAMO_FINE;
    if (status == 0) {
        find (text, size, DYNAMO_BUSY, hint);
        return DYNAMO_BUSY;
    }
    return find (text, size, status >= 500 || status == 429 ? DYNAMO_BUSY : DYNAMO_BAD, hint);
}

dynamo_fault_t
dynamo_fault_of_code (const char *code, const char **hint)
{
    return find (code, strlen (code), DYNAMO_BUSY, hint);
}

void
dynamo_fault_words (const char *text, size_t text_size, char *words, size_t size)
{
    size_t used = 0;
    for (size_t at = 0; at < text_size && used + 1 < size; at++) {
        char letter = text [at];
        if (letter == '\r' || letter == '\\')
            continue;
        words [used++] = letter == '"' ? '\'' : (unsigned char)letter < 0x20 ? ' ' : letter;
    }
    words [used] = 0;
}
