/** Finds links in what others wrote. Only http, https and mail; what it returns is text, never markup. */
export type Piece = { text: string; href?: string };

/**
 * A link ends at a bidi control: one inside would show another address than it leads to. The parts of an address for mail have
 * their greatest lengths (RFC 5321, section 4.5.3.1), without which a long text would be searched again from each letter.
 */
const pattern =
	/\bhttps?:\/\/[^\s<>"'\p{Bidi_Control}]+|\bwww\.[^\s<>"'\p{Bidi_Control}]+\.[^\s<>"'\p{Bidi_Control}]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b/giu;

export function linkify(text: string): Piece[] {
	const pieces: Piece[] = [];
	let from = 0;
	for (const match of text.matchAll(pattern)) {
		const found = trimmed(match[0]);
		const href = hrefOf(found);
		if (!href) continue;
		if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
		pieces.push({ text: found, href });
		from = match.index + found.length;
	}
	if (from < text.length) pieces.push({ text: text.slice(from) });
	return pieces;
}

/** Where the first link of a text to the web leads. The server makes a preview of the same (preview/link.go). */
export function firstLink(text: string): string | undefined {
	return linkify(text).find(({ href }) => href?.startsWith("http"))?.href;
}

/** Punctuation after a link belongs to the sentence, and so does a bracket that the link did not open. */
function trimmed(link: string): string {
	const many: Record<string, number> = {};
	for (const char of link) if (/[()[\]{}]/.test(char)) many[char] = (many[char] ?? 0) + 1;
	let end = link.length;
	for (; end > 0; end--) {
		const last = link[end - 1] ?? "";
		const opens = pairs[last];
		const foreign = opens ? (many[last] ?? 0) > (many[opens] ?? 0) : /[.,:;!?…]/.test(last);
		if (!foreign) break;
		if (opens) many[last] = (many[last] ?? 0) - 1;
	}
	return link.slice(0, end);
}

/** Each closing bracket with the one that opens it. */
const pairs: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

function hrefOf(link: string): string | undefined {
	const full = /^https?:/i.test(link)
		? link
		: link.includes("@") && !/^www\./i.test(link)
			? `mailto:${link}`
			: `https://${link}`;
	// What stands before an @ there looks like the host and is none.
	if (/^https?:\/\/[^/\\?#]*@/i.test(full)) return undefined;
	return URL.canParse(full) ? new URL(full).href : undefined;
}

/** One to three emoji and nothing else are shown large. */
export function onlyEmoji(text: string): boolean {
	return /^(?:\p{Extended_Pictographic}(?:️|[\u{1F3FB}-\u{1F3FF}]|‍\p{Extended_Pictographic})*\s?){1,3}$/u.test(
		text.trim(),
	);
}
