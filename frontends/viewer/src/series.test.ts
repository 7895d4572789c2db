//  series.test.ts - gaps stay gaps
import { expect, test } from 'vitest';
import { gapsOf, runsOf } from './series';

test('a run ends where a gap begins', () => {
  expect(runsOf([null, 1, 0, null, null, 3])).toEqual([
    { from: 1, values: [1, 0] },
    { from: 5, values: [3] },
  ]);
  expect(runsOf([null, null])).toEqual([]);
  expect(runsOf([])).toEqual([]);
});

test('gaps are told with their size; zero is no gap', () => {
  expect(gapsOf([null, 1, 0, null, null, 3])).toEqual([
    { from: 0, size: 1 },
    { from: 3, size: 2 },
  ]);
  expect(gapsOf([0, 0])).toEqual([]);
});
