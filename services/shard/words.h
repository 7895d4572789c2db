//  words - numbers side by side in few bytes, and quickly: for what stays in this process's memory
//
//  Bits tell which words are others than zero; behind them come those, a byte each if they are small, else a byte that says how
//  many of a word's bytes follow, without zeros to either side. An instant (bits.h) is told by its
//  distance to the one before. Whatever goes in comes out. No other build reads this and no disk holds it. (pack.h makes numbers
//  smaller, in many more steps.)

#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 64    //  in one go

//  Bytes that so many words take at most, with those behind the last one that are written or read for nothing.
#define WORDS_BOUND(count) (8 + 9 * (count) + WORDS_SLACK)
#define WORDS_SLACK 8

//  A bit for each word that is not zero.
uint64_t words_mask (const uint64_t *words, size_t count);

//  Writes words, WORDS_MAX at most, with their mask, where there is room for WORDS_BOUND bytes. *instant_ms is the instant
//  before; 0 at first. Returns where the next byte goes.
uint8_t *words_put (uint8_t *to, const uint64_t *words, uint64_t mask, size_t count, uint64_t *instant_ms);

//  Reads so many, at least one. WORDS_SLACK bytes behind them are there. Returns where the next byte comes from.
const uint8_t *words_take (const uint8_t *from, uint64_t *words, size_t count, uint64_t *instant_ms);

#endif
