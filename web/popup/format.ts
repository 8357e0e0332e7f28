/** Dates and durations as people write them. Pure: `now` comes in. */
import type { Words } from "./strings/index.ts";

/** 42 s is "00:42", an hour and more "1:02:03". Digits stay Latin: it is a clock. */
export function clock(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const two = (n: number) => `${n}`.padStart(2, "0");
	const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** A day as a key: messages of one local day share it. */
export function dayKey(at: number): string {
	const d = new Date(at);
	return `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`;
}

export function dayLabel(at: number, now: number, words: Words): string {
	const days = daysBetween(at, now);
	if (days === 0) return words.say("today");
	if (days === 1) return words.say("yesterday");
	const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
	return new Intl.DateTimeFormat(words.locale, {
		weekday: days > 0 && days < 7 ? "long" : "short",
		...(days > 0 && days < 7 ? {} : { day: "numeric", month: "long" }),
		...(thisYear ? {} : { year: "numeric" }),
	}).format(at);
}

export function timeLabel(at: number, words: Words): string {
	return new Intl.DateTimeFormat(words.locale, { hour: "numeric", minute: "2-digit" }).format(at);
}

/** For the list: the time today, else the day. */
export function shortLabel(at: number, now: number, words: Words): string {
	const days = daysBetween(at, now);
	if (days === 0) return timeLabel(at, words);
	if (days === 1) return words.say("yesterday");
	return new Intl.DateTimeFormat(
		words.locale,
		days > 0 && days < 7 ? { weekday: "short" } : { day: "numeric", month: "short" },
	).format(at);
}

export function agoLabel(at: number, now: number, words: Words): string {
	const format = new Intl.RelativeTimeFormat(words.locale, { numeric: "auto", style: "short" });
	const minutes = Math.round((now - at) / 60_000);
	if (minutes < 60) return format.format(-Math.max(1, minutes), "minute");
	const hours = Math.round(minutes / 60);
	if (hours < 24) return format.format(-hours, "hour");
	return format.format(-Math.round(hours / 24), "day");
}

/** Whole local days from `at` to `now`, also across a change of the clocks. */
function daysBetween(at: number, now: number): number {
	return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}

function midnight(at: number): number {
	return new Date(at).setHours(0, 0, 0, 0);
}
