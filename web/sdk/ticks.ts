/** How far the members of a conversation have got: plain values in, plain values out. Marks only grow. */
import { later } from "./marks.ts";
import type { Delivery } from "./types.ts";
import type { Conversation, ConversationMarks, MarkCount, Marks } from "./wire.gen.ts";

export interface Reach {
	/** By user, as far as told. */
	readonly members: ReadonlyMap<string, Marks>;
	/** In a conversation with many members: how many have got so far, by seq. */
	readonly counts: readonly MarkCount[] | undefined;
}

export const unknownReach: Reach = { members: new Map(), counts: undefined };

export function withMarks(known: Reach, told: Pick<ConversationMarks, "members" | "counts">): Reach {
	const members = new Map(known.members);
	for (const m of told.members ?? []) members.set(m.user, later(members.get(m.user), m));
	return { members, counts: told.counts ?? known.counts };
}

/** How far my message with this seq has come. It is delivered, or read, when it is for every other member. */
export function delivery(seq: number, c: Conversation, reach: Reach, me: string): Delivery {
	if (c.kind === "direct") {
		const other = c.members.find((m) => m.id !== me);
		return other ? furthest(seq, later(reach.members.get(other.id), other)) : "read";
	}
	const others = c.count - 1;
	if (others <= 0) return "read";
	if (reach.counts) return counted(seq, c, reach.counts, others);
	const marks = [...reach.members].filter(([user]) => user !== me).map(([, m]) => m);
	if (marks.filter((m) => m.read >= seq).length >= others) return "read";
	return marks.filter((m) => furthest(seq, m) !== "sent").length >= others ? "delivered" : "sent";
}

function furthest(seq: number, m: Marks): Delivery {
	if (m.read >= seq) return "read";
	return m.delivered >= seq ? "delivered" : "sent";
}

/** Whoever has got a later message has got this one. I am among those that are counted. */
function counted(seq: number, c: Conversation, counts: readonly MarkCount[], others: number): Delivery {
	const from = counts.filter((x) => x.seq >= seq).sort((a, b) => a.seq - b.seq)[0];
	if (!from) return "sent";
	const mine = c.mine.read >= from.seq ? 1 : 0;
	if (from.read - mine >= others) return "read";
	return Math.max(from.delivered, from.read) - 1 >= others ? "delivered" : "sent";
}
