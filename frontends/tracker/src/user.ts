//  user.ts - who is watching
//
//  The address may name the viewer. Otherwise the browser keeps the name that
//  was typed last, and a first visit gets an invented guest.

const KEY = 'usher-user';

export function firstUser(asked: string | null): string {
  if (asked !== null) return asked;
  const kept = localStorage.getItem(KEY);
  if (kept !== null) return kept;
  const guest = `guest-${Math.random().toString(36).slice(2, 6)}`;
  keepUser(guest);
  return guest;
}

export function keepUser(user: string): void {
  localStorage.setItem(KEY, user);
}
