//  settings.test.ts - the page's address, read
import { expect, test } from 'vitest';
import { readSettings } from './settings';

test('the bare address gives the defaults', () => {
  expect(readSettings('', 'localhost')).toEqual({
    collector: 'http://localhost:9090',
    user: null,
    film: null,
    pingSeconds: 10,
    adSeconds: 10,
    skipAfter: 2,
    adAt: 15,
    stallSeconds: 4,
  });
});

test('the collector follows the host that served the page', () => {
  expect(readSettings('', 'cinema.test').collector).toBe('http://cinema.test:9090');
});

test('a given collector wins, with or without scheme', () => {
  expect(readSettings('?collector=https://c.test/', 'x').collector).toBe('https://c.test');
  expect(readSettings('?collector=127.0.0.1:7000', 'x').collector).toBe('http://127.0.0.1:7000');
});

test('numbers out of range fall back', () => {
  const settings = readSettings('?ping=0&adSeconds=abc&skipAfter=-1&adAt=0', 'x');
  expect(settings).toMatchObject({ pingSeconds: 10, adSeconds: 10, skipAfter: 2, adAt: 0 });
});

test('blank names are no names', () => {
  expect(readSettings('?user=%20&film=embers', 'x')).toMatchObject({ user: null, film: 'embers' });
});
