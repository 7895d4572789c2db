//  connection.test.ts - the pauses between attempts, and the address
import { expect, test } from 'vitest';
import { liveUrl, pauseMs } from './connection';

test('pauses double up to a limit', () => {
  expect([1, 2, 3, 4].map((attempt) => pauseMs(attempt, 0))).toEqual([500, 1000, 2000, 4000]);
  expect(pauseMs(50, 0)).toBe(15_000);
  expect(pauseMs(5000, 0)).toBe(15_000);
});

test('jitter takes up to half off', () => {
  expect(pauseMs(2, 1)).toBe(500);
  expect(pauseMs(2, 0.5)).toBe(750);
});

test('the feed is where the page came from', () => {
  expect(liveUrl({ protocol: 'http:', host: 'localhost:8280' })).toBe(
    'ws://localhost:8280/v1/live',
  );
  expect(liveUrl({ protocol: 'https:', host: 'live.test' })).toBe('wss://live.test/v1/live');
});
