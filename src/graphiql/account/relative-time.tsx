// Shows a time relative to now; the tooltip has the date.

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const ABSOLUTE = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const EXACT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** Formats a time to the second, so that sessions of one browser are distinguishable. */
export function formatTime(at: string): string {
  return EXACT.format(new Date(at));
}

/** @param at in RFC 3339 format */
export function RelativeTime({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={ABSOLUTE.format(date)}>
      {formatDistance(date.getTime() - Date.now())}
    </time>
  );
}

function formatDistance(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit);
  }
  return 'just now';
}
