/**
 * A conversation as the tab knows it without its messages: plain values in, plain values out.
 *
 * It is known from the server's heads, each of which is whole, and from changes, which come one by one and may come late,
 * twice or not at all. A change is taken for sure when it follows directly. Whenever something is not sure, `doubt` says so,
 * and the head is to be asked for; a doubt is never settled by anything else. My own membership comes in another feed, which
 * has its own order: see {@link withMembership}.
 */
import { bringsItem } from "./feed.ts";
import type { Change, Conversation, Member, Membership, Message, Place, Settings } from "./wire.gen.ts";

export interface Head {
	/** As of its `pos`. The latest message may be of a later one. */
	readonly conversation: Conversation;
	/** The highest pos that the server has told of. */
	readonly told: number;
	/** The newest of my own messages that was seen. */
	readonly ownLatest: number;
	readonly doubt: Doubt;
}

export type Doubt =
	/** All is as the server has told. */
	| "none"
	/** How many have joined. */
	| "count"
	/** Anything. */
	| "all";

/** The head is to be asked for. */
export const outdated = (h: Head): boolean => h.doubt !== "none" || h.told > h.conversation.pos;

/**
 * A head of the server. `asked` is the highest pos that was told before it was asked for; undefined: it came unasked, and may
 * be older.
 */
export function withHead(known: Head | undefined, c: Conversation, asked?: number): Head {
	if (!known) return { conversation: c, told: c.pos, ownLatest: 0, doubt: "none" };
	const { conversation: old } = known;
	// The server had told of more before it was asked: it has lost that, and has another history now.
	if (c.pos < old.pos) return known.told === asked ? withHead(undefined, c) : known;
	const told = known.told === asked ? c.pos : Math.max(known.told, c.pos);
	// A membership that is newer than the head does not say of which pos it is.
	const newer = old.mine_at.pos > c.mine_at.pos;
	const conversation = newer ? { ...c, mine: old.mine, mine_at: old.mine_at } : c;
	if (told <= c.pos || !old.last || old.last_seq <= c.last_seq)
		return { ...known, conversation, told, doubt: newer ? "all" : "none" };
	// A message beyond a hole has been shown: it stays until a head has come as far.
	const { last, last_seq, n } = old;
	return { ...known, conversation: { ...conversation, last, last_seq, n }, told, doubt: "all" };
}

/** Before everything. */
export const nowhere: Place = { pos: 0, tag: "" };

/** Nothing of it holds any more: whatever the server tells next takes its place. */
export const disbelieved = (h: Head): Head => ({
	...h,
	conversation: { ...h.conversation, pos: 0, mine_at: nowhere },
	told: 0,
	doubt: "all",
});

/** A change of the conversation's feed. */
export function withChange(h: Head, c: Change, me: string): Head {
	const { pos } = h.conversation;
	if (c.pos <= pos) return h;
	let now: Head = { ...h, told: Math.max(h.told, c.pos) };
	if (!bringsItem(c)) return now;
	switch (c.type) {
		case "message":
			now = withMessage(now, c.data as Message, me);
			break;
		case "conversation":
			now = { ...now, conversation: named(now.conversation, c.data as Settings) };
			break;
		case "member":
			now = withMember(now, c.data as Member, c.count);
			break;
	}
	if (c.pos > pos + 1) return { ...now, doubt: "all" };
	return { ...now, conversation: { ...now.conversation, pos: c.pos } };
}

function withMessage(h: Head, m: Message, me: string): Head {
	const c = h.conversation;
	const ownLatest = m.sender === me ? Math.max(h.ownLatest, m.seq) : h.ownLatest;
	if (m.seq < c.last_seq) return { ...h, ownLatest };
	if (m.seq === c.last_seq) {
		const newer = (m.revision ?? 0) >= (c.last?.revision ?? 0);
		return { ...h, ownLatest, conversation: newer ? { ...c, last: m } : c };
	}
	const ahead = m.sender === me && m.n > c.n && m.seq > c.mine.read;
	const mine = ahead ? { ...c.mine, own_ahead: c.mine.own_ahead + 1 } : c.mine;
	return { ...h, ownLatest, conversation: { ...c, last: m, last_seq: m.seq, n: m.n, mine } };
}

function named(c: Conversation, { name }: Settings): Conversation {
	const { name: _, ...rest } = c;
	return name === undefined ? rest : { ...rest, name };
}

function withMember(h: Head, m: Member, count: number | undefined): Head {
	const c = h.conversation;
	const members = c.members.flatMap((x) => {
		if (x.id !== m.id) return [x];
		return m.state === "gone" ? [] : [{ ...m, delivered: x.delivered, read: x.read }];
	});
	if (count !== undefined)
		return { ...h, doubt: h.doubt === "count" ? "none" : h.doubt, conversation: { ...c, members, count } };
	const doubt = c.kind === "group" && h.doubt === "none" ? "count" : h.doubt;
	return { ...h, doubt, conversation: { ...c, members } };
}

/**
 * A membership of mine, and its place in my own feed. It does not say after which of my own messages it was written. Its count of them is
 * sure only where there are none that the tab knows of beyond its read mark.
 */
export function withMembership(h: Head, m: Membership, at: Place): Head {
	const c = h.conversation;
	if (at.pos <= c.mine_at.pos) return h;
	const { mine } = c;
	const none = m.read >= c.last_seq || (mine.own_ahead === 0 && h.ownLatest <= m.read);
	const same = m.state === mine.state && m.from_seq === mine.from_seq;
	const sure = m.own_ahead === 0 && none && same;
	return { ...h, conversation: { ...c, mine: m, mine_at: at }, doubt: sure ? h.doubt : "all" };
}
