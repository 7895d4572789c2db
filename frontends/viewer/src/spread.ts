//  spread.ts - what sessions are spread over: the largest keys, and all others in one figure
import type { Spread } from './protocol';

//  Sessions add up, since each has one key. Viewers do not: one of them may be under several.
export function largest(
  spread: Spread | undefined,
  limit: number,
): { keys: Spread['keys']; others: number } {
  const all = spread?.keys ?? [];
  const rest = all.slice(limit).reduce((sum, { sessions }) => sum + sessions, 0);
  return { keys: all.slice(0, limit), others: rest + (spread?.other_sessions ?? 0) };
}
