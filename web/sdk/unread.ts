import type { Conversation } from "./wire.gen.ts";

/** How many messages of a conversation are unread: an arithmetic of counts that the server keeps. */
export function unreadIn({ n, mine }: Pick<Conversation, "n" | "mine">): number {
	if (mine.state !== "joined") return 0;
	return Math.max(0, n - mine.read_n - mine.own_ahead + (mine.missed ?? 0));
}
