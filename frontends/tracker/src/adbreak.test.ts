//  adbreak.test.ts - the order of facts in a break
import { expect, test } from 'vitest';
import { type AdBreak, type AdInput, isOver, maySkip, startBreak, stepBreak } from './adbreak';

//  Runs inputs through a break of two ads of 10 s and names the facts.
function run(inputs: AdInput[]): { names: string[]; state: AdBreak } {
  let { next: state, facts } = startBreak(2, 10, 2);
  const names = facts.map((fact) => fact.fact as string);
  for (const input of inputs) {
    ({ next: state, facts } = stepBreak(state, input));
    names.push(...facts.map((f) => (f.fact === 'quartile' ? `quartile ${f.percent}` : f.fact)));
  }
  return { names, state };
}

const ticks = (count: number, seconds: number): AdInput[] =>
  Array.from({ length: count }, () => ({ input: 'tick', seconds }));

const WHOLE_AD = ['start', 'quartile 25', 'quartile 50', 'quartile 75', 'complete'];

test('a break watched to its end', () => {
  const { names, state } = run(ticks(80, 0.25));
  expect(names).toEqual(['break_start', ...WHOLE_AD, ...WHOLE_AD, 'break_end']);
  expect(isOver(state)).toBe(true);
});

test('a tab that slept tells every quartile, then goes on with the next ad', () => {
  const { names, state } = run([{ input: 'tick', seconds: 60 }]);
  expect(names).toEqual(['break_start', ...WHOLE_AD, 'start']);
  expect(state).toMatchObject({ index: 1, elapsed: 0 });
});

test('skip works only after its time', () => {
  const early = run([{ input: 'tick', seconds: 1 }, { input: 'skip' }]);
  expect(early.names).toEqual(['break_start', 'start']);
  expect(maySkip(early.state)).toBe(false);
  const late = run([{ input: 'tick', seconds: 2 }, { input: 'skip' }]);
  expect(late.names).toEqual(['break_start', 'start', 'skip', 'start']);
});

test('skipping the last ad ends the break', () => {
  const skip: AdInput[] = [{ input: 'tick', seconds: 2 }, { input: 'skip' }];
  const { names, state } = run([...skip, ...skip]);
  expect(names.slice(-2)).toEqual(['skip', 'break_end']);
  expect(stepBreak(state, { input: 'click' }).facts).toEqual([]);
});

test('a paused ad stands still until it is resumed', () => {
  const { names, state } = run([
    { input: 'pause' },
    { input: 'pause' },
    { input: 'tick', seconds: 9 },
    { input: 'resume' },
    { input: 'resume' },
  ]);
  expect(names).toEqual(['break_start', 'start', 'pause', 'resume']);
  expect(state.elapsed).toBe(0);
});

test('a click tells how far the ad was', () => {
  const { next } = stepBreak(startBreak(2, 10, 2).next, { input: 'tick', seconds: 3 });
  expect(stepBreak(next, { input: 'click' }).facts).toEqual([
    { fact: 'click', index: 0, percent: 30 },
  ]);
});
