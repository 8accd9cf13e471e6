/** Numbers for people: counts with separators, bytes, lengths of time. */

const bytePrefixes = ['', 'K', 'M', 'G', 'T'] as const;

/** A count with separators, as in `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en-US');

/** A count with its noun, as in `1 frame`, `12,345 frames` or `2 replies`. */
export const countedText = (count: number, noun: string): string => {
  const plural = /[^aeou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${countText(count)} ${count === 1 ? noun : plural}`;
};

const threeDigits = (value: number): string =>
  value >= 99.95 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(value >= 9.995 ? 1 : 2);

/** Bytes in powers of 1024, as in `640 B` or `1.25 MiB`. */
export const bytesText = (bytes: number): string => {
  let [value, step] = [bytes, 0];
  for (; value >= 1023.5 && step < bytePrefixes.length - 1; step++) value /= 1024;
  return `${threeDigits(value)} ${bytePrefixes[step]}${step === 0 ? 'B' : 'iB'}`;
};

const timeUnits = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
] as const;

/** A length of time in at most six characters, as in `970ns`, `67.1µs` or `12.3s`. */
export const durationText = (ns: number): string => {
  for (const [size, unit] of timeUnits) if (ns >= size * 0.9995) return `${threeDigits(ns / size)}${unit}`;
  return `${Math.round(ns)}ns`;
};

/** Seconds as on a clock, as in `0:07` or `1:02:03`. */
export const clockText = (seconds: number): string => {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};
