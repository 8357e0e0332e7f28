import type { Conversation } from "./wire.gen.ts";

/** How many messages of a conversation are unread: an arithmetic of counts that the server keeps. */
export function unreadIn({ n, floor, mine }: Pick<Conversation, "n" | "floor" | "mine">): number {
	if (mine.state !== "joined") return 0;
	// What retention removed is unread for nobody.
	const passed = Math.max(mine.read_n, floor?.n ?? 0);
	return Math.max(0, n - passed - mine.own_ahead + (mine.missed ?? 0));
}
