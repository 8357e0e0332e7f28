/** A run of a conversation's messages up to the newest one known: plain values in, plain values out. */
import type { Item, Message, Place, Reactions } from "./wire.gen.ts";

/** A message, and its place in the conversation's feed. */
export interface Entry extends Place {
	readonly message: Message;
}

export interface Run {
	/** By seq, ascending. A gap is a hole in the feed, and is filled with it. */
	readonly entries: readonly Entry[];
	/** There are older ones. */
	readonly more: boolean;
}

/** The reactions to a message, as of a place in the conversation's feed. */
export interface Reacted extends Place {
	readonly reactions: Reactions;
}

/** Reactions by seq, each as of its highest pos. */
export type ReactedBySeq = ReadonlyMap<number, Reacted>;

/** The reactions among the items, beside those that are known. Of a change that was told as it happened, `me` keeps my own. */
export function withReactions(known: ReactedBySeq, items: readonly Item[], me: string): ReactedBySeq {
	let all: Map<number, Reacted> | undefined;
	for (const { type, pos, tag, data } of items) {
		if (type !== "reactions") continue;
		const now = data as Reactions;
		const was = (all ?? known).get(now.seq);
		if (was && was.pos >= pos) continue;
		all ??= new Map(known);
		all.set(now.seq, { pos, tag, reactions: now.user === undefined ? now : told(now, was?.reactions, me) });
	}
	return all ?? known;
}

/** What was told says who reacted; which are mine is known from before. */
function told(
	{ seq, counts, user, emoji = "", off }: Reactions,
	was: Reactions | undefined,
	me: string,
): Reactions {
	const mine = (was?.mine ?? []).filter((e) => counts[e] !== undefined && (user !== me || e !== emoji));
	if (user === me && !off) mine.push(emoji);
	return { seq, counts, mine };
}

export const oldest = (run: Run): number => run.entries[0]?.message.seq ?? 0;

/** The messages among the items. */
export function entriesOf(items: readonly Item[]): Entry[] {
	return items
		.filter((item) => item.type === "message")
		.map(({ pos, tag, data }) => ({ pos, tag, message: data as Message }));
}

/** Messages that arrived or changed, each as of the highest pos. Those older than the run come with the pages before it. */
export function withEntries(run: Run, arrived: readonly Entry[]): Run {
	const from = run.more ? oldest(run) : 0;
	return merged(
		run,
		arrived.filter((e) => e.message.seq >= from),
	);
}

/** A page that ends just before the run. */
export function withOlder(run: Run, page: readonly Entry[], more: boolean): Run {
	return { ...merged(run, page), more };
}

/** Without the messages up to `seq`: retention has removed them, or I may not see them any more. */
export function without(run: Run, seq: number): Run {
	if (seq < oldest(run) || run.entries.length === 0) return run;
	return { entries: run.entries.filter((e) => e.message.seq > seq), more: false };
}

function merged(run: Run, arrived: readonly Entry[]): Run {
	const bySeq = new Map(run.entries.map((e) => [e.message.seq, e]));
	let changed = false;
	for (const e of arrived) {
		const known = bySeq.get(e.message.seq);
		if (known && known.pos >= e.pos) continue;
		bySeq.set(e.message.seq, e);
		changed = true;
	}
	if (!changed) return run;
	return { ...run, entries: [...bySeq.values()].sort((a, b) => a.message.seq - b.message.seq) };
}
