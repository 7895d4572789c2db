//  spread.test.ts - no session of a dimension is left out of its table
import { expect, test } from 'vitest';
import { largest } from './spread';

const key = (name: string, sessions: number) => ({ key: name, sessions, viewers: sessions });

test("what is not among the largest is in others, the gateway's rest too", () => {
  const keys = [key('a', 9), key('b', 5), key('c', 2), key('d', 1)];
  expect(largest({ keys, other_sessions: 40 }, 2)).toEqual({ keys: keys.slice(0, 2), others: 43 });
});

test('nothing is left over where all keys are shown, or none are known yet', () => {
  const keys = [key('a', 9), key('b', 5)];
  expect(largest({ keys, other_sessions: 0 }, 2)).toEqual({ keys, others: 0 });
  expect(largest(undefined, 2)).toEqual({ keys: [], others: 0 });
});
