/** What a transcript is made of on screen: day separators, groups of bubbles, the unread divider, calls. Pure. */
import type { CallLog, Row } from "../sdk/index.ts";
import { dayKey } from "./format.ts";

export type Item =
	| { readonly kind: "day"; readonly key: string; readonly at: number }
	| { readonly kind: "unread"; readonly key: string }
	| {
			readonly kind: "call";
			readonly key: string;
			readonly row: Row;
			readonly log: CallLog;
			readonly mine: boolean;
	  }
	| { readonly kind: "notice"; readonly key: string; readonly row: Row; readonly mine: boolean }
	| Bubble;

export interface Bubble {
	readonly kind: "bubble";
	readonly key: string;
	readonly row: Row;
	readonly mine: boolean;
	/** First of a run by one sender: the name stands above it. */
	readonly first: boolean;
	/** Last of a run: the time stands under it. */
	readonly last: boolean;
	/** The tick stands under it: the last of a run, and one that has come farther than the next. */
	readonly tick: boolean;
}

/** Messages of one sender that follow each other within this time are one run: their bubbles stand together. */
const runMs = 5 * 60_000;

/** `readTo` is my mark when the conversation was opened; the divider stands after it. Undefined: none. */
export function itemsOf(rows: readonly Row[], me: string | undefined, readTo?: number): Item[] {
	const items: Item[] = [];
	let divided = readTo === undefined;
	rows.forEach((row, i) => {
		const { message } = row;
		const mine = row.delivery !== "received" || message.sender === me;
		const before = rows[i - 1];
		const newDay = !before || dayKey(before.message.sent_at) !== dayKey(message.sent_at);
		if (newDay) items.push({ kind: "day", key: `day ${dayKey(message.sent_at)}`, at: message.sent_at });
		const divide = !divided && !mine && message.seq > (readTo ?? 0);
		if (divide) items.push({ kind: "unread", key: "unread" });
		divided ||= divide;

		if (message.kind === "call") {
			items.push({ kind: "call", key: row.key, row, log: message.data as CallLog, mine });
		} else if (message.kind === "system") {
			items.push({ kind: "notice", key: row.key, row, mine });
		} else {
			const first = newDay || divide || !continuesRun(before, row);
			const previous = items.at(-1);
			if (!first && previous?.kind === "bubble") {
				const tick = mine && previous.row.delivery !== row.delivery;
				items[items.length - 1] = { ...previous, last: false, tick };
			}
			items.push({ kind: "bubble", key: row.key, row, mine, first, last: true, tick: mine });
		}
	});
	return items;
}

function continuesRun(before: Row | undefined, row: Row): boolean {
	return (
		before !== undefined &&
		before.message.kind !== "call" &&
		before.message.kind !== "system" &&
		before.message.sender === row.message.sender &&
		row.message.sent_at - before.message.sent_at < runMs
	);
}
