//  words.test.ts - how numbers and times read
import { expect, test } from 'vitest';
import { ago, clock, count, eventWord, plural, stateBeside } from './words';

test('clock', () => {
  expect([0, 75.9, 3675, -3, null].map(clock)).toEqual(['0:00', '1:15', '1:01:15', '0:00', '–']);
});

test('ago', () => {
  const now = Date.parse('2026-03-02T00:00:00Z');
  const at = (ms: number): string => ago(new Date(now - ms).toISOString(), now);
  expect([-500, 12_000, 185_000, 7_300_000, 400_000_000].map(at)).toEqual([
    '0 s',
    '12 s',
    '3 min',
    '2 h',
    '4 d',
  ]);
  expect(ago('', now)).toBe('–');
});

test('counts and events', () => {
  expect(count(12345)).toBe('12,345');
  expect(count(undefined)).toBe('–');
  expect([plural(1, 'stall'), plural(2, 'stall')]).toEqual(['1 stall', '2 stalls']);
  expect(eventWord('ad_break_start_event')).toBe('ad break start');
});

test('a state is told only where the status does not say it', () => {
  expect((['WATCHING', 'REBUFFERING', 'AD', 'AD_PAUSED'] as const).map(stateBeside)).toEqual([
    '',
    'Rebuffering',
    '',
    'Ad paused',
  ]);
});
