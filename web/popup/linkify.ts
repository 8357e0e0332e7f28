/** Finds links in what others wrote. Only http, https and mail; what it returns is text, never markup. */
export type Piece = { text: string; href?: string };

/** A link ends at a bidi control: one inside would show another address than it leads to. */
const pattern =
	/\bhttps?:\/\/[^\s<>"'\p{Bidi_Control}]+|\bwww\.[^\s<>"'\p{Bidi_Control}]+\.[^\s<>"'\p{Bidi_Control}]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/giu;

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

/** Punctuation after a link belongs to the sentence, and so does a bracket that the link did not open. */
function trimmed(link: string): string {
	for (;;) {
		const last = link.at(-1) ?? "";
		const closes = { ")": "(", "]": "[", "}": "{" }[last];
		const foreign = closes ? count(link, last) > count(link, closes) : /[.,:;!?…]/.test(last);
		if (!foreign) return link;
		link = link.slice(0, -1);
	}
}

function count(text: string, char: string): number {
	return text.split(char).length - 1;
}

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
