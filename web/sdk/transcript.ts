/** An unbroken run of a conversation's messages up to the newest one known: plain values in, plain values out. */
import type { Message } from "./wire.gen.ts";

export interface Run {
	/** By seq, ascending, without a gap. */
	readonly messages: readonly Message[];
	/** There are older ones. */
	readonly more: boolean;
}

export const nothing: Run = { messages: [], more: true };

export const newest = (run: Run): number => run.messages.at(-1)?.seq ?? 0;
export const oldest = (run: Run): number => run.messages[0]?.seq ?? 0;

/** The page that ends with the newest message of the conversation. Joined when it touches the run, else it replaces it. */
export function withLatest(run: Run, page: readonly Message[], more: boolean): Run {
	const first = page[0]?.seq;
	if (first === undefined) return { messages: [], more: false };
	if (run.messages.length === 0 || first > newest(run) + 1) return { messages: newer(run, page), more };
	const kept = run.messages.filter((m) => m.seq < first);
	return { messages: [...kept, ...newer(run, page)], more: kept.length > 0 ? run.more : more };
}

/** A page that ends just before the run. */
export function withOlder(run: Run, page: readonly Message[], more: boolean): Run {
	const from = oldest(run);
	const before = page.filter((m) => from === 0 || m.seq < from);
	return { messages: [...before, ...run.messages], more };
}

/**
 * One message that arrived. `gap` says that others before it are missing, and the run is unchanged; a message that is older
 * than the run changes nothing.
 */
export function withMessage(run: Run, m: Message): { run: Run; gap: boolean } {
	const last = newest(run);
	if (last === 0 ? m.seq > 1 && run.more : m.seq > last + 1) return { run, gap: true };
	if (m.seq > last) return { run: { ...run, messages: [...run.messages, m] }, gap: false };
	const at = m.seq - oldest(run);
	const old = run.messages[at];
	if (!old || (old.revision ?? 0) >= (m.revision ?? 0)) return { run, gap: false };
	return { run: { ...run, messages: run.messages.with(at, m) }, gap: false };
}

/** The page, with newer revisions from the run where it has them, and with what the run has after the page. */
function newer(run: Run, page: readonly Message[]): Message[] {
	const known = new Map(run.messages.map((m) => [m.seq, m]));
	const joined = page.map((m) => {
		const h = known.get(m.seq);
		return h && (h.revision ?? 0) > (m.revision ?? 0) ? h : m;
	});
	let last = joined.at(-1)?.seq ?? 0;
	// Messages that arrived while the page was on its way.
	for (const m of run.messages) {
		if (m.seq !== last + 1) continue;
		joined.push(m);
		last = m.seq;
	}
	return joined;
}
